// "Find it": a tile calls out to whoever stands before the screen and looks for its slot.

import { byId } from "./dom.js";
import { play } from "./sounds.js";

const CALLS_MS = 8_000;
let calling = null;

/** Marks a slot's tile for some seconds; false where there is none. */
export function find(rack, layout, name) {
  const tile = rack.tiles.get(name);
  if (!tile) return false;
  layout.turnTo(name);
  clearTimeout(calling?.timer);
  calling?.element.classList.remove("called-out");
  tile.element.classList.add("called-out");
  tile.element.scrollIntoView({ block: "nearest" });
  byId("announcer").textContent = name;
  play("find");
  const timer = setTimeout(() => tile.element.classList.remove("called-out"), CALLS_MS);
  calling = { element: tile.element, timer };
  return true;
}
