// What somebody was in the middle of, kept in this window: which slot was open, and what was half typed
// for a question. It survives a reload and a daemon that starts anew; not whoever locks the screen,
// nor anybody else. A PIN is never among it.

import { NETWORK, takesNumber } from "./gates.js";

const KEPT = "benchd.kept";
const ofItsJob = (gate) => takesNumber(gate) || gate === NETWORK;
const NOTHING = { person: null, slot: null, notes: {} };

function read() {
  try {
    return { ...NOTHING, ...JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return { ...NOTHING };
  }
}

function write(kept) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // A browser without storage forgets with the page.
  }
}

/**
 * What a note belongs to: a daemon that starts anew asks the same of the same handset, in another job.
 * A number from a handset's own screen is read again for each job, and so is what a look-up says; nor
 * is one handset told from another that has neither serial nor IMEI.
 */
export function noteKey({ slot, job, handset, question }) {
  const told = [handset?.serial, handset?.imei];
  const whose = ofItsJob(question.gate) || !told.some(Boolean) ? job : told.join();
  return `${slot} ${whose} ${question.gate}`;
}

export const noteFor = (key) => read().notes[key] ?? "";

export function keepNote(key, note) {
  const kept = read();
  if (note) kept.notes = { ...kept.notes, [key]: note };
  else delete kept.notes[key];
  write(kept);
}

/** The slot that was open, unless it was for somebody who isn't the one that is here. */
export function slotKept(here) {
  const { person, slot } = read();
  return person === null || person === here ? slot : null;
}

export const keepSlot = (slot) => write({ ...read(), slot });

/**
 * Whose it is; another person finds nothing of it. Who took over at another page of this browser has left this
 * one as it was: what was typed stays, but for numbers that somebody else has read.
 */
export function belongsTo(person, onAnother = false) {
  const kept = read();
  if (kept.person === person) return;
  if (kept.person === null) write({ ...kept, person });
  else write(onAnother ? { ...kept, person, notes: withoutNumbers(kept.notes) } : { ...NOTHING, person });
}

const withoutNumbers = (notes) => Object.fromEntries(Object.entries(notes).filter(([key]) => !takesNumber(key.split(" ").at(-1))));

export function forgetKept() {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // Then there is nothing.
  }
}
