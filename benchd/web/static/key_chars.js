// Which character a key stands for, also where a Japanese IME is on and keeps it to itself: then the
// browser only says which key it was.

/** By the key's place, without and with Shift; JIS and US agree here, or only one of them makes sense in a code. */
const PLACES = {
  Minus: ["-", "_"],
  Equal: ["=", "+"],
  Slash: ["/", "?"],
  Period: [".", ">"],
  Comma: [",", "<"],
  Space: [" ", " "],
  // Where a JIS keyboard has its colon, and where a US keyboard has it.
  Quote: [":", "*"],
  Semicolon: [";", ":"],
  BracketRight: ["]", "}"],
  // The closing bracket of a JIS keyboard.
  Backslash: ["]", "}"],
  IntlRo: ["_", "_"],
  NumpadSubtract: ["-", "-"],
  NumpadDivide: ["/", "/"],
  NumpadDecimal: [".", "."],
};
const BEHIND_SHIFT = { 8: "(", 9: ")", 0: ")" };
const SEPARATOR = "\x1d";

/** Whether an IME has this key. */
export const isOfIme = (event) => event.isComposing || event.keyCode === 229 || event.key === "Process";

/** Which key it was, by its name: of those an IME keeps, by its place. */
export function keyOf(event) {
  if (!isOfIme(event)) return event.key;
  const code = event.code === "NumpadEnter" ? "Enter" : event.code;
  return charAt(code, event.shiftKey) ?? code;
}

function charAt(code, shift) {
  const letter = /^Key([A-Z])$/.exec(code);
  if (letter) return shift ? letter[1] : letter[1].toLowerCase();
  const digit = /^(Digit|Numpad)([0-9])$/.exec(code);
  if (digit) return shift && digit[1] === "Digit" ? (BEHIND_SHIFT[digit[2]] ?? "") : digit[2];
  return PLACES[code]?.[shift ? 1 : 0];
}

/** How scanners type the separator of GS1: as a control character of a terminal. */
export const isSeparator = (event) => event.ctrlKey && !event.altKey && !event.metaKey && (event.key === "]" || event.key === SEPARATOR);

export { SEPARATOR };
