// What the gates want of whoever answers, beside yes and no; and who may answer them.

export const NETWORK = "network";
// Whoever has worked on the handset can't answer these.
const BY_ANOTHER = ["confirm", "recheck", "recheck_chip"];
// The note of these holds a number from the handset's own screen.
const NUMBERS = ["imei", "serial", "recheck"];
// Of these it may, so that nobody is asked for it once more.
const PERHAPS = ["observe", "confirm"];
// While one of these is open an IMEI that is scanned is for it. At `confirm` it goes on to its handset.
const SCANNED = ["imei", "recheck", "observe"];
// A code that is nobody's badge may be the serial that these ask for.
const CODES = ["serial", "recheck"];
/** How people write the signs of the look-up, as the daemon reads them. */
const WRITTEN = { "○": "○〇◯oOｏＯ", "△": "△▲", "-": "-－−‐–—\u30fc", "×": "×✕✖xXｘＸ" };
const RESTRICTED = "×";

export const byAnother = (gate) => BY_ANOTHER.includes(gate);

export const wantsNumber = (gate) => NUMBERS.includes(gate);

export const takesNumber = (gate) => wantsNumber(gate) || PERHAPS.includes(gate);

export const takesScan = (gate) => SCANNED.includes(gate);

export const takesCode = (gate) => CODES.includes(gate);

/** Whether its two answers are a number or none. */
export const asksNumber = (gate) => gate === "imei" || gate === "serial";

/** The word of the page that says what belongs in the note. */
export function noteHint(gate) {
  if (gate === "imei") return "imei_hint";
  if (gate === "observe") return "observe_hint";
  return wantsNumber(gate) ? "number_hint" : "note_hint";
}

/** The sign that a note begins with and that stands by itself; null where it begins otherwise. */
export function signOf(note) {
  const text = note.trim();
  if (!text || /^[0-9A-Za-z]/.test(text.slice(1))) return null;
  return Object.keys(WRITTEN).find((sign) => WRITTEN[sign].includes(text[0])) ?? null;
}

export const isSaleable = (note) => ![null, RESTRICTED].includes(signOf(note));

/** The note of an answer by sign; null where it already begins with another one. */
export function withSign(sign, note) {
  const written = signOf(note);
  if (written !== null) return written === sign ? note : null;
  return [sign, note.trim()].filter(Boolean).join(" ");
}

/** Why somebody as they are here can't answer it, by the code the daemon refuses it with; null where they can. */
export function refusalOf(question, here) {
  if (!here) return "not_signed_in";
  if (!question.roles.some((role) => here.roles.includes(role))) return "not_allowed";
  if (byAnother(question.gate) && question.answered_by.includes(here.person)) return "second_person_needed";
  return question.by_badge || here.strong ? null : "more_to_show";
}

/** Whether an answer would keep somebody who may confirm from confirming what others have worked on. */
export function bars(question, here) {
  if (byAnother(question.gate) || !here?.gates.includes("confirm")) return false;
  return question.answered_by.length > 0 && !question.answered_by.includes(here.person);
}
