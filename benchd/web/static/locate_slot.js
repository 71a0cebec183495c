// "Find it": a tile calls out to whoever stands before the screen and looks for its slot.

import { byId } from "./dom.js";
import { play } from "./sounds.js";

const CALLS_MS = 8_000;
let calling = null;

/** Marks the tiles of slots for some seconds, the first of them in view; false where there are none. */
export function find(rack, layout, ...names) {
  const found = names.filter((name) => rack.tiles.has(name));
  if (!found.length) return false;
  layout.turnTo(found[0]);
  clearTimeout(calling?.timer);
  calling?.over();
  const elements = found.map((name) => rack.tiles.get(name).element);
  for (const element of elements) element.classList.add("called-out");
  elements[0].scrollIntoView({ block: "nearest" });
  byId("announcer").textContent = found.join(" ");
  play("find");
  const over = () => elements.forEach((element) => element.classList.remove("called-out"));
  calling = { over, timer: setTimeout(over, CALLS_MS) };
  return true;
}
