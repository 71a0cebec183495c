// From a slot object to how it looks: one place decides what may be green.

import { bracketed, page, said, word } from "./words.js";

const BUSY = new Set(["settling", "running", "replugging"]);
const PEOPLE = new Set(["waiting", "awaiting_operator", "quarantined"]);

/** Whether this page has been told what is asked, so that somebody can answer on it. */
export const answerable = (slot) => Boolean(slot.question?.yes);

export const needsPerson = (slot) => PEOPLE.has(slot.state);

/** Which number of the summary a slot counts in. */
export function group(slot) {
  if (needsPerson(slot)) return "needs_person";
  if (BUSY.has(slot.state)) return "busy";
  return slot.state === "finished" ? "finished" : "free";
}

/**
 * What a slot looks like. `proof` is the plug whose certificate the ledger holds, or null.
 * Green is for that alone: passed, sellable, and the certificate on record.
 */
export function look(slot, proof) {
  if (slot.state !== "finished") {
    return { kind: slot.state, icon: slot.state, title: word("slot_state", slot.state), ...matter(slot) };
  }
  if (slot.disposition === "sellable") {
    const proven = slot.outcome === "passed" && proof !== null && proof === slot.occupancy;
    return proven
      ? { kind: "sellable", icon: "sellable", title: word("disposition", "sellable"), main: word("word", "proven"), to_do: "" }
      : { kind: "unproven", icon: "unproven", title: page("certificate_awaited"), main: "", to_do: "" };
  }
  const known = ["hold", "return", "destroy"].includes(slot.disposition);
  const goes = known ? slot.disposition : "hold";
  return {
    kind: goes,
    icon: goes,
    title: word("disposition", goes),
    main: (said(slot.reason_text) || word("word", "not_proven")) + inBrackets(slot.owners),
    to_do: [said(slot.reason_text?.what_to_do), kept(slot.dossier)].filter(Boolean).join("\n"),
  };
}

/** Whose services are left in the chip, for example "（Suica、WAON）"; empty where none are. */
export const inBrackets = (owners) => (said(owners) ? bracketed(said(owners)) : "");

/** That a dossier of the handset is kept, and which. */
const kept = (dossier) => (dossier ? `${word("word", "dossier")}: ${dossier}` : "");

/** What counts now: the problem, the question, or else the stage. */
function matter(slot) {
  if (slot.problem) return { main: said(slot.problem), to_do: said(slot.problem.what_to_do) };
  if (slot.question) return { main: word("gate", slot.question.gate), to_do: said(slot.question) || page("question_hidden") };
  return { main: slot.stage ? word("stage", slot.stage) : "", to_do: "" };
}
