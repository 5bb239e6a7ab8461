// The page: a place is picked, a ride is requested, and its record is waited for.

import { coordinates, describe, PickupMap, PLACES } from "./map.js";
import { findServices, isRecorded, NoRide, requestRide } from "./services.js";

const FIRST_LOOK_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const LATE_MS = 10_000;
const GIVE_UP_MS = 15 * 60_000; // longer than AWS's retries of an event take

const COATS = {
  Bay: "#9c6238",
  Chestnut: "#8a4526",
  Golden: "#e8bf57",
  Grey: "#a9adb3",
  Pearl: "#f3eee3",
  Rose: "#f2b8c6",
  Silver: "#d3d8de",
  "Storm blue": "#7f97bd",
  White: "#ffffff",
  Yellow: "#f6dc6b",
};
const SOMEWHERE = "A point on the map";

const form = document.querySelector("#form");
const select = document.querySelector("#place");
const where = document.querySelector("#where");
const button = document.querySelector("#request");
const status = document.querySelector("#status");
const alert = document.querySelector("#error");
const rides = document.querySelector("#rides");
const rideTemplate = document.querySelector("#ride-template");

const map = new PickupMap(document.querySelector("#map"), {
  moved: (place) => {
    const known = PLACES.find((one) => one.name === describe(place));
    select.value = known ? known.name : SOMEWHERE;
    sayWhere();
  },
  confirmed: () => form.requestSubmit(),
});

for (const name of [...PLACES.map((place) => place.name), SOMEWHERE]) select.append(new Option(name));
map.show(PLACES[0]);
sayWhere();

select.addEventListener("change", () => {
  const place = PLACES.find((one) => one.name === select.value);
  if (place) map.show(place);
  sayWhere();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  // Not `disabled`: that would take the focus away from whoever uses the keyboard.
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  alert.hidden = true;
  status.textContent = "Looking for a unicorn …";
  const place = map.place;
  try {
    const services = await findServices();
    const answer = await requestRide(services.rideUrl, place);
    const { Name, Color } = answer.ride.Unicorn;
    status.textContent = `${Name} (${Color.toLowerCase()}) is on the way.`;
    map.fly(coatOf(Color));
    showRide(answer, place, services.recordUrl);
  } catch (error) {
    status.textContent = "";
    showError(error instanceof NoRide ? error : new NoRide("Something went wrong.", "Try again.", { Reason: error }));
  } finally {
    button.removeAttribute("aria-disabled");
  }
});

function sayWhere() {
  const near = describe(map.place);
  const at = coordinates(map.place);
  where.textContent = near === at || near === select.value ? at : `${near}, ${at}`;
}

function showRide({ ride, tookMs, answeredAt }, place, recordUrl) {
  const card = rideTemplate.content.cloneNode(true).firstElementChild;
  card.querySelector(".portrait").style.setProperty("--coat", coatOf(ride.Unicorn.Color));
  card.querySelector("h3").textContent = `${ride.Unicorn.Name}, ${ride.Unicorn.Color.toLowerCase()}`;
  card.querySelector(".to").textContent = `comes to ${describe(place)}`;
  card.querySelector(".promise").textContent = `Promised after ${duration(tookMs)}`;
  card.querySelector("dl").append(...pairs({ Ride: ride.RideId, Requested: `${ride.RequestTime} UTC` }));
  rides.prepend(card);

  const step = card.querySelector(".record");
  const again = card.querySelector(".again");
  if (!recordUrl) {
    step.textContent = "Whether it was recorded cannot be seen: no record service is deployed";
    return;
  }
  const wait = () => {
    again.hidden = true;
    waitForRecord(step, recordUrl, ride, answeredAt).then((found) => {
      again.hidden = found;
    });
  };
  again.addEventListener("click", wait);
  wait();
}

// Look for the record until it is there; returns whether it came.
async function waitForRecord(step, recordUrl, ride, answeredAt) {
  const began = performance.now();
  step.className = "record";
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    let trouble = "";
    try {
      if (await isRecorded(recordUrl, ride.RideId)) {
        step.classList.add("done");
        step.textContent = `Recorded: seen ${duration(performance.now() - answeredAt)} after the promise`;
        if (performance.now() - answeredAt > LATE_MS) status.textContent = `The ride of ${ride.Unicorn.Name} is recorded.`;
        return true;
      }
    } catch (error) {
      trouble = error.name === "TimeoutError" ? "no answer" : error.message;
    }
    const waited = performance.now() - answeredAt;
    if (performance.now() - began > GIVE_UP_MS) {
      step.classList.add("failed");
      step.textContent = `No record after ${duration(waited)}. Is it a dead letter? In the lab: rydelab dlq show`;
      return false;
    }
    if (trouble) {
      step.textContent = `The record cannot be looked up just now (${trouble}); trying again`;
    } else if (waited > LATE_MS) {
      step.textContent = `Not recorded yet, after ${duration(waited)}. ${ride.Unicorn.Name} comes all the same`;
    } else {
      step.textContent = "Waiting for its record …";
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function showError({ message, advice, details }) {
  const title = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = message;
  title.append(strong);
  const next = document.createElement("p");
  next.textContent = advice;
  alert.replaceChildren(title, next);
  if (Object.keys(details).length) {
    const more = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Details";
    const list = document.createElement("dl");
    list.append(...pairs(details));
    more.append(summary, list);
    alert.append(more);
  }
  alert.hidden = false;
}

function pairs(values) {
  return Object.entries(values).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    term.textContent = name;
    const description = document.createElement("dd");
    description.textContent = String(value);
    return [term, description];
  });
}

function coatOf(color) {
  return COATS[color] ?? "#ffffff";
}

// With no-break spaces: a number stays with its unit.
function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)}\u00a0s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}\u00a0min ${seconds % 60}\u00a0s`;
}
