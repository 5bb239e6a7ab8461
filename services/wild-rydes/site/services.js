// The two services that the page asks, and what their answers mean for a person.

const RIDE_TIMEOUT_MS = 35_000; // API Gateway itself gives up after 29 s
const RECORD_TIMEOUT_MS = 10_000;

// What a person is told instead of a ride.
export class NoRide extends Error {
  constructor(title, advice, details = {}) {
    super(title);
    this.advice = advice;
    this.details = details;
  }
}

// Where the services are: {rideUrl, recordUrl}; recordUrl is null where there is none.
export async function findServices() {
  const failed = (reason) =>
    new NoRide("This page does not know where to ask for a ride.", "Deploy the services again, and reload the page.", {
      Reason: reason,
    });
  let config;
  try {
    const response = await fetch("config.json", { cache: "no-cache" });
    if (!response.ok) throw failed(`config.json: ${response.status}`);
    config = await response.json();
  } catch (error) {
    throw error instanceof NoRide ? error : failed(`config.json: ${error.message}`);
  }
  if (!config.rideUrl) throw failed("config.json has no rideUrl");
  return config;
}

// Ask for a ride. Returns the ride, and how long its answer took; throws NoRide.
export async function requestRide(url, { latitude, longitude }) {
  const began = performance.now();
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ PickupLocation: { Latitude: latitude, Longitude: longitude } }),
      signal: AbortSignal.timeout(RIDE_TIMEOUT_MS),
    });
  } catch (error) {
    throw noAnswer(error);
  }
  const answer = await response.json().catch(() => ({}));
  const answeredAt = performance.now();
  if (response.status !== 201 || !answer.RideId) throw refused(response.status, answer);
  return { ride: answer, tookMs: answeredAt - began, answeredAt };
}

// Look for the record of a ride: true if it is there, false if not (yet). Throws an Error if that cannot be said.
export async function isRecorded(url, rideId) {
  const response = await fetch(`${url}/${encodeURIComponent(rideId)}`, {
    cache: "no-store",
    signal: AbortSignal.timeout(RECORD_TIMEOUT_MS),
  });
  if (response.status === 200) return true;
  if (response.status === 404) return false;
  throw new Error(`the record service answered ${response.status}`);
}

function noAnswer(error) {
  if (error.name === "TimeoutError") {
    return new NoRide(
      "No answer came in time.",
      "Your ride may or may not have been booked. Wait a moment before you ask again.",
    );
  }
  return new NoRide("Wild Rydes cannot be reached.", "Nothing was booked. Is the lab running? Then try again.", {
    Reason: error.message,
  });
}

function refused(status, answer) {
  const details = { Answer: status, Reason: answer.message ?? "none was given" };
  if (status === 400) return new NoRide("That place cannot be a pick-up.", "Choose another point on the map.", details);
  if (status === 429) return new NoRide("Everybody wants a unicorn right now.", "Try again in a moment.", details);
  if (answer.RideId) {
    return new NoRide(
      "Your ride could not be written down.",
      "Do not wait for a unicorn: ask again in a moment.",
      { ...details, Ride: answer.RideId },
    );
  }
  if (status === 502) return new NoRide("No unicorn can come right now.", "Nothing was booked. Try again.", details);
  if (status === 503 || status === 504) {
    return new NoRide(
      "That took too long.",
      "Your ride may or may not have been booked. Wait a moment before you ask again.",
      details,
    );
  }
  return new NoRide("Something went wrong on our side.", "Nothing was booked, as far as we know.", details);
}
