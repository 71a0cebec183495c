// What the gates want of whoever answers, beside yes and no.

export const NETWORK = "network";
// Whoever has worked on the handset can't answer these.
const BY_ANOTHER = ["confirm", "recheck", "recheck_chip"];
// The note of these holds a number from the handset's own screen.
const NUMBERS = ["imei", "serial", "recheck"];
// Of these it may, so that nobody is asked for it once more.
const PERHAPS = ["observe", "confirm"];
// While one of these is open an IMEI that is scanned is for it. At `confirm` it goes on to its handset.
const SCANNED = ["imei", "recheck", "observe"];
// A code that is nobody's badge may be what these ask for: a serial, or the tag on the label.
const CODES = ["imei", "serial", "recheck", "asset"];

export const byAnother = (gate) => BY_ANOTHER.includes(gate);

export const wantsNumber = (gate) => NUMBERS.includes(gate);

export const takesNumber = (gate) => wantsNumber(gate) || PERHAPS.includes(gate);

export const takesScan = (gate) => SCANNED.includes(gate);

export const takesCode = (gate) => CODES.includes(gate);

/** Whether its two answers are a number or none. */
export const asksNumber = (gate) => gate === "imei" || gate === "serial";

/** The word of the page that says what belongs in the note. */
export function noteHint(gate) {
  if (gate === NETWORK) return "look_up_hint";
  if (gate === "imei") return "imei_hint";
  if (gate === "observe") return "observe_hint";
  return wantsNumber(gate) ? "number_hint" : "note_hint";
}
