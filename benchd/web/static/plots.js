// Pictures that the daemon has drawn, put into the page so that its colours are theirs.

import { el } from "./dom.js";
import { folded } from "./forms.js";
import { said, word } from "./words.js";

/** The parts that a plot is made of; a picture with anything else isn't shown. */
const PARTS = new Set(["svg", "title", "desc", "rect", "text", "line"]);

/** A plot as an element, null where it can't be read. */
export function plot({ svg }) {
  const read = new DOMParser().parseFromString(said(svg), "image/svg+xml").documentElement;
  const all = [read, ...read.querySelectorAll("*")];
  const sound = all.every((part) => PARTS.has(part.localName) && ![...part.attributes].some(({ name }) => name.startsWith("on")));
  return sound ? document.importNode(read, true) : null;
}

/** A plot with its heading and what its colours mean; the same figures as a table are behind a line to open, named `asTable`; `most` says what stands out. */
export function pictured(name, heading, plots, keys, table, { most = null, asTable = word("board", "as_table") } = {}) {
  const drawn = plots.find((one) => one.name === name);
  return el(
    "section",
    { class: "pictured", "data-plot": name, "aria-labelledby": `heading-${name}` },
    el("h3", { id: `heading-${name}` }, heading),
    most ? el("p", { class: "most" }, most) : null,
    drawn ? plot(drawn) : null,
    drawn && keys ? el("p", { class: "keys", "aria-hidden": "true" }, el("span", { class: "part" }, keys[0]), el("span", {}, keys[1])) : null,
    // The picture has the figures: the table is for whoever wants the handsets behind them.
    drawn ? folded(`table-${name}`, asTable, false, table) : table,
  );
}
