// Pictures that the daemon has drawn, put into the page so that its colours are theirs.

import { el } from "./dom.js";
import { said } from "./words.js";

/** The parts that a plot is made of; a picture with anything else isn't shown. */
const PARTS = new Set(["svg", "title", "desc", "rect", "text", "line"]);

/** A plot as an element, null where it can't be read. */
export function plot({ svg }) {
  const read = new DOMParser().parseFromString(said(svg), "image/svg+xml").documentElement;
  const all = [read, ...read.querySelectorAll("*")];
  const sound = all.every((part) => PARTS.has(part.localName) && ![...part.attributes].some(({ name }) => name.startsWith("on")));
  return sound ? document.importNode(read, true) : null;
}

/** A plot with its heading, what its colours mean, and the same figures in a table. */
export function pictured(name, heading, plots, keys, table) {
  const drawn = plots.find((one) => one.name === name);
  return el(
    "section",
    { class: "pictured", "data-plot": name, "aria-labelledby": `heading-${name}` },
    el("h3", { id: `heading-${name}` }, heading),
    drawn ? plot(drawn) : null,
    drawn && keys ? el("p", { class: "keys", "aria-hidden": "true" }, el("span", { class: "part" }, keys[0]), el("span", {}, keys[1])) : null,
    table,
  );
}
