// From a slot object to how it looks: one place decides what may be green, and what may call people.

import { bracketed, heldBackBy, page, said, word } from "./words.js";

const BUSY = new Set(["settling", "running", "replugging"]);
const PEOPLE = new Set(["waiting", "awaiting_operator", "quarantined"]);

/** Whether this page has been told what is asked, so that somebody can answer on it. */
export const answerable = (slot) => Boolean(slot.question?.yes);

/** Its cable is out though nobody wanted that. */
const isCut = (slot) => slot.absence?.planned === false;

/** Whether somebody has to come. What waits for a battery, the air or a restart comes right without. */
export function needsPerson(slot) {
  if (isCut(slot) || slot.tray) return true;
  return PEOPLE.has(slot.state) && !slot.mends_itself;
}

/** Seconds that machines still need for its handset, by what was told last: they go by while machines work on it. */
export function handsetLeft(slot) {
  const { handset_left_s: left, toldAt } = slot;
  if (typeof left !== "number" || !BUSY.has(slot.state) || toldAt === undefined) return left;
  return Math.max(0, left - (performance.now() - toldAt) / 1000);
}

/** A re-check before a sale that found nothing: by itself it certifies nothing. */
export const isPassedLook = (slot) => slot.outcome === "passed" && slot.disposition === "hold" && slot.reason === "rechecked";

/** Whether it may be sold as soon as the ledger says that its certificate is there. */
export const mayBeSold = (slot) => slot.state === "finished" && (slot.disposition === "sellable" || isPassedLook(slot));

/** Which number of the summary a slot counts in. */
export function group(slot) {
  if (needsPerson(slot)) return "needs_person";
  if (BUSY.has(slot.state) || slot.mends_itself) return "busy";
  return slot.state === "finished" ? "finished" : "free";
}

/**
 * What a slot looks like. `proof` is the plug whose certificate the ledger holds, or null.
 * Green is for that alone: passed, sellable, and the certificate on record; or looked at again, and sold under
 * the certificate that an earlier job has on record.
 */
export function look(slot, proof) {
  const seen = looks(slot, proof);
  return { ...seen, short: word("tile", seen.kind) };
}

function looks(slot, proof) {
  if (slot.state !== "finished") return away(slot) ?? waits(slot);
  if (slot.disposition === "sellable") {
    const proven = slot.outcome === "passed" && proof !== null && proof === slot.occupancy;
    if (!proven) return { kind: "unproven", icon: "unproven", title: page("certificate_awaited"), main: "", to_do: "" };
    if (slot.directed?.held_by) {
      return { kind: "hold", icon: "hold", title: ends("hold", slot), main: heldBackBy(slot.directed.held_by), to_do: word("wall", "held_back_to_do") };
    }
    return { kind: "sellable", icon: "sellable", title: ends("sellable", slot), main: word("word", "proven"), to_do: "" };
  }
  if (isPassedLook(slot) && proof !== null && proof === slot.occupancy && !slot.directed?.held_by) {
    return { kind: "sellable", icon: "sellable", title: ends("sellable", slot), main: said(slot.reason_text), to_do: word("wall", "rechecked_to_do") };
  }
  const known = ["hold", "return", "destroy"].includes(slot.disposition);
  const goes = known ? slot.disposition : "hold";
  return {
    kind: goes,
    icon: goes,
    title: ends(goes, slot),
    main: (said(slot.reason_text) || word("word", "not_proven")) + inBrackets(slot.owners),
    to_do: [said(slot.reason_text?.what_to_do), kept(slot.dossier)].filter(Boolean).join("\n"),
  };
}

/** Where it goes, and into which bin if another system has named one. */
const ends = (goes, slot) => [word("disposition", goes), slot.directed?.place].filter(Boolean).join(" → ");

/** A handset that isn't there, or mustn't be taken away just now. */
function away(slot) {
  if (isCut(slot)) {
    return { kind: "replug", icon: "replug", title: word("wall", "replug"), main: stageOf(slot), to_do: "", deadline: slot.absence.deadline };
  }
  if (slot.absence) {
    return { kind: "restarting", icon: "replugging", title: word("wall", "restarting"), main: word("wall", "dont_pull"), to_do: stageOf(slot) };
  }
  if (slot.tray) {
    return { kind: "tray", icon: "tray", title: word("wall", "tray"), main: word("wall", "tray_next"), to_do: said(slot.tray.what_to_do) || word("wall", "tray_to_do") };
  }
  return null;
}

function waits(slot) {
  if (slot.mends_itself) return { kind: "mending", icon: "mending", title: word("wall", "mending"), ...matter(slot) };
  return { kind: slot.state, icon: slot.state, title: word("slot_state", slot.state), ...matter(slot) };
}

/** Whose services are left in the chip, for example "（Suica、WAON）"; empty where none are. */
export const inBrackets = (owners) => (said(owners) ? bracketed(said(owners)) : "");

/** That a dossier of the handset is kept, and which. */
const kept = (dossier) => (dossier ? `${word("word", "dossier")}: ${dossier}` : "");

const stageOf = (slot) => (slot.stage ? word("stage", slot.stage) : "");

/** How a question ends for whoever has no buttons to answer it: with what yes and no mean. */
const MEANINGS = /\s?[(（][^()（）=]+=[^()（）]+[)）](?=[？?]$)/;

/** What it asks; what each answer means stands on its button. */
export const askedIn = (question) => said(question).replace(MEANINGS, "");

/** What counts now: the problem, the question, or else the stage. */
function matter(slot) {
  if (slot.problem) return { main: said(slot.problem), to_do: said(slot.problem.what_to_do) };
  if (slot.question) return { main: word("gate", slot.question.gate), to_do: askedIn(slot.question) || page("question_hidden") };
  return { main: stageOf(slot), to_do: "" };
}

/** Which question a slot asks, told apart from any other that it asks before or after. */
export const questionOf = (slot) =>
  JSON.stringify([slot.slot, slot.occupancy, slot.job, slot.question.gate, slot.question.asking, slot.question.ja, slot.question.what_to_do?.ja ?? ""]);
