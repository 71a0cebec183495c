// Where the page tells something for a while: at its foot, where no button is, or in the dialog that is
// open, since what lies behind one is neither read nor reached.

import { topDialog } from "./pin_type_ahead.js";
import { byId } from "./dom.js";

const shelf = byId("shelf");
const home = shelf.parentElement;

/** Puts it where it is seen now. */
export function placeShelf() {
  const place = topDialog() ?? home;
  if (shelf.parentElement !== place) place.append(shelf);
}

export function shelve(element) {
  shelf.append(element);
  placeShelf();
}

document.addEventListener("close", placeShelf, true);
// What stays in view above it keeps clear of it.
new ResizeObserver(() => document.documentElement.style.setProperty("--shelf", `${shelf.offsetHeight}px`)).observe(shelf);
