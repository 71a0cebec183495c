// The way from page to page, the same on all of them.

import { byId, el } from "./dom.js";
import { word } from "./words.js";

const PLACES = [
  ["/", "rack"],
  ["/board", "board"],
  ["/lots", "lots"],
  ["/disposal", "disposal"],
  ["/report", "report"],
  ["/handsets", "handsets"],
];

export function showNav() {
  const nav = byId("nav");
  nav.setAttribute("aria-label", word("nav", "label"));
  nav.replaceChildren(
    ...PLACES.map(([href, name]) => {
      const here = location.pathname === href ? "page" : null;
      return el("a", { href, "aria-current": here }, word("nav", name));
    }),
  );
}
