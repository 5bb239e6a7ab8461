// The map: where a pin stands, in degrees, and how it is moved by pointer and keyboard.

const NORTH = 47.68;
const SOUTH = 47.55;
const WEST = -122.44;
const EAST = -122.24;
const WIDTH = 600;
const HEIGHT = 580;

const STEP = 4; // of an arrow key, in units of the drawing: about 100 m
const LARGE_STEP = 20;
const NEAR_KM = 1.2;

export const PLACES = [
  { name: "Madrona Beach", latitude: 47.6175, longitude: -122.2884 },
  { name: "Space Needle", latitude: 47.6205, longitude: -122.3493 },
  { name: "Pike Place Market", latitude: 47.6097, longitude: -122.3422 },
  { name: "Capitol Hill", latitude: 47.6231, longitude: -122.3207 },
  { name: "Gas Works Park", latitude: 47.6456, longitude: -122.3344 },
  { name: "University", latitude: 47.6553, longitude: -122.3035 },
  { name: "Ballard Locks", latitude: 47.6655, longitude: -122.3971 },
  { name: "Alki Beach", latitude: 47.5812, longitude: -122.4054 },
  { name: "Beacon Hill", latitude: 47.5794, longitude: -122.3116 },
];

// The place's name if the point is near it, else its coordinates.
export function describe({ latitude, longitude }) {
  const [nearest] = PLACES.map((place) => ({ ...place, km: distanceKm(place, { latitude, longitude }) })).sort(
    (a, b) => a.km - b.km,
  );
  if (nearest.km < 0.05) return nearest.name;
  return nearest.km < NEAR_KM ? `near ${nearest.name}` : coordinates({ latitude, longitude });
}

export function coordinates({ latitude, longitude }) {
  return `${latitude.toFixed(4)}° N, ${Math.abs(longitude).toFixed(4)}° W`;
}

function distanceKm(a, b) {
  const kmPerDegree = 111.2;
  const shrink = Math.cos((a.latitude * Math.PI) / 180);
  return kmPerDegree * Math.hypot(a.latitude - b.latitude, (a.longitude - b.longitude) * shrink);
}

export class PickupMap {
  // moved: called with {latitude, longitude} when a person has moved the pin; confirmed: when Enter was pressed.
  constructor(svg, { moved, confirmed }) {
    this.svg = svg;
    this.pin = svg.querySelector("#pin");
    this.flight = svg.querySelector("#flight");
    this.moved = moved;
    svg.addEventListener("click", (event) => {
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      this.#moveTo(x, y);
    });
    svg.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? LARGE_STEP : STEP;
      const steps = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (event.key in steps) {
        event.preventDefault(); // the page would scroll
        const [dx, dy] = steps[event.key];
        this.#moveTo(this.x + dx, this.y + dy);
      } else if (event.key === "Enter") {
        confirmed();
      }
    });
  }

  get place() {
    return {
      latitude: NORTH - (this.y / HEIGHT) * (NORTH - SOUTH),
      longitude: WEST + (this.x / WIDTH) * (EAST - WEST),
    };
  }

  show({ latitude, longitude }) {
    this.#put(((longitude - WEST) / (EAST - WEST)) * WIDTH, ((NORTH - latitude) / (NORTH - SOUTH)) * HEIGHT);
  }

  // Let a unicorn of that coat fly to the pin.
  fly(coat) {
    this.flight.style.setProperty("--coat", coat);
    this.flight.setAttribute("transform", `translate(${this.x} ${this.y - 62})`);
    this.flight.removeAttribute("visibility");
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const from = { x: this.x > WIDTH / 2 ? 0 : WIDTH, y: HEIGHT * 0.12 };
    const to = `translate(${this.x}px, ${this.y - 62}px)`;
    this.flight.animate([{ transform: `translate(${from.x}px, ${from.y}px)` }, { transform: to }], {
      duration: 1400,
      easing: "cubic-bezier(.2,.7,.3,1)",
    });
  }

  #moveTo(x, y) {
    this.#put(Math.min(Math.max(x, 0), WIDTH), Math.min(Math.max(y, 0), HEIGHT));
    this.flight.setAttribute("visibility", "hidden");
    this.moved(this.place);
  }

  #put(x, y) {
    this.x = x;
    this.y = y;
    this.pin.setAttribute("transform", `translate(${x} ${y})`);
  }
}
