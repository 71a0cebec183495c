// What the gates want of whoever answers, beside yes and no.

export const NETWORK = "network";
// Whoever has worked on the handset can't answer these.
const BY_ANOTHER = ["confirm", "recheck", "recheck_chip"];
// The note of these holds a number from the handset's own screen.
const NUMBERS = ["imei", "serial", "recheck"];
// Of these it may, so that nobody is asked for it once more.
const PERHAPS = ["observe", "confirm"];

export const byAnother = (gate) => BY_ANOTHER.includes(gate);

export const wantsNumber = (gate) => NUMBERS.includes(gate);

export const takesNumber = (gate) => wantsNumber(gate) || PERHAPS.includes(gate);

/** The word of the page that says what belongs in the note. */
export function noteHint(gate) {
  if (gate === NETWORK) return "look_up_hint";
  return wantsNumber(gate) ? "number_hint" : "note_hint";
}
