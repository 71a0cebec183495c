// Which handset a slot's panel is about, and what to do with it while nothing is asked.

import { el } from "./dom.js";
import { answerable } from "./status.js";
import { bracketed, calledOf, duration, page, percent, said, word } from "./words.js";

const SHOWN_OF_ASKED = 4;

export function identity(slot) {
  const rows = [];
  if (slot.handset) {
    rows.push([word("word", "handset"), `${slot.handset.manufacturer} ${slot.handset.model}`]);
    rows.push([page("model_name"), calledOf(slot.handset)]);
    for (const name of ["serial", "imei"]) {
      const number = slot.handset[name];
      // Of the number that is to be read from the handset's own screen nobody can copy it from here.
      if (number) rows.push([page(name), slot.question?.gate === name ? `…${number.slice(-SHOWN_OF_ASKED)}` : number]);
    }
    if (slot.handset.android) rows.push(["Android", slot.handset.android]);
  }
  if (slot.asset) rows.push([word("lots", "tag"), `${slot.asset.tag}${bracketed(slot.asset.lot)}`]);
  if (slot.recipe) rows.push([word("word", "recipe"), word("recipe", slot.recipe)]);
  if (slot.earlier) rows.push([page("earlier"), `${said(slot.earlier)}${bracketed(slot.earlier.job)}`]);
  if (slot.port_path) rows.push([page("port"), slot.port_path]);
  return [el("dl", { class: "identity" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))];
}

/** It asks something, and nothing else is the matter. */
const asksOnly = (slot) => answerable(slot) && !slot.problem;

/** What stands beside the slot's name: which question it is, else what state the slot is in. */
export const titleOf = (slot, seen) => (asksOnly(slot) ? seen.main : seen.title);

export function advice(slot, seen) {
  if (asksOnly(slot)) return [];
  const parts = [];
  if (seen.main) parts.push(el("p", { class: "main" }, seen.main));
  if (typeof slot.progress === "number") {
    const [stage, whole] = [duration(slot.eta_s), duration(slot.handset_left_s)];
    const left = [
      stage ? `${word("wall", "stage_left")} ${stage}` : "",
      whole ? `${word("wall", "handset_left")} ${whole}` : "",
    ];
    parts.push(el("p", {}, [percent(slot.progress), ...left].filter(Boolean).join(" · ")));
  }
  if (seen.to_do) parts.push(el("p", { class: "to-do lines" }, seen.to_do));
  return parts;
}
