// What a scanned code says: one of benchd's own, GS1's element strings, an IMEI, or just a text.
// Pure: knows neither the rack nor the page.

/** Before the data of a code, where the scanner is set to say of what kind the symbol was. */
const SYMBOLOGY = /^\][A-Za-z][0-9A-Za-z]/;
/** GS1-128, GS1 DataMatrix, GS1 QR, GS1 DataBar and composites. */
const OF_GS1 = /^\](C1|d2|Q3|e0)/;
const SEPARATOR = "\x1d";
/** How scanners write that separator that can't type a control character. */
const WRITTEN_SEPARATOR = /<GS>|\{GS\}/gi;
const BRACKETED = /^\(\d{2,4}\)/;
const OWN = /^BD:([SJAP]):(.+)$/i;
const ANSWERS = ["YES", "NO", "CIRCLE", "TRIANGLE", "CROSS", "DASH", "NEXT", "PRINT", "CANCEL"];

/** Application identifiers whose data ends by itself, by their first two digits: digits, AI included. */
const FIXED = new Map(
  Object.entries({ "00": 20, "01": 16, "02": 16, "03": 16, "04": 18, 20: 4, 41: 16 })
    .concat([11, 12, 13, 14, 15, 16, 17, 18, 19].map((ai) => [String(ai), 8]))
    .concat([31, 32, 33, 34, 35, 36].map((ai) => [String(ai), 10])),
);
/** How long identifiers are, by their first two digits, where they aren't of two. */
const LONGER = new Map(
  Object.entries({ 23: 3, 24: 3, 25: 3, 31: 4, 32: 4, 33: 4, 34: 4, 35: 4, 36: 4, 39: 4, 40: 3, 41: 3, 42: 3, 43: 4, 70: 4, 71: 3, 72: 4, 80: 4, 81: 4, 82: 4 }),
);
const KNOWN = /^(0[0-4]|1[0-9]|2[0-5]|3[0-7]|39|4[0-3]|7[0-2]|8[0-2]|9[0-9])/;
const SERIAL = "21";
const GTIN = "01";
const MOBILE = "8002";

/**
 * What was scanned: `{ kind, …, words }`. Kinds are "slot", "job" and "answer" for own codes, each
 * with its `value`, "badge" for a badge that benchd has made, "own" for an own code that this version
 * doesn't know, "gs1" with its `elements`, "imei", and "text", which may be a badge too. `words` are what a handset may be looked up by, the likeliest first.
 */
export function parse(scanned) {
  const text = scanned.trim().replace(WRITTEN_SEPARATOR, SEPARATOR);
  const bare = text.replace(SYMBOLOGY, "");
  const own = OWN.exec(bare);
  if (own) return ownCode(own[1].toUpperCase(), own[2].trim());
  if (/^BD:/i.test(bare)) return { kind: "own", words: [] };
  const elements = gs1(bare, OF_GS1.test(text));
  if (elements) return { kind: "gs1", elements, words: wordsOf(elements) };
  const imeis = imeisIn(bare);
  if (imeis.length) return { kind: "imei", words: imeis };
  return { kind: "text", words: bare ? [bare] : [] };
}

function ownCode(letter, value) {
  if (letter === "S") return { kind: "slot", value, words: [] };
  if (letter === "J") return { kind: "job", value, words: [value] };
  if (letter === "P") return { kind: "badge", words: [`BD:P:${value.toUpperCase()}`] };
  const answer = value.toUpperCase();
  return ANSWERS.includes(answer) ? { kind: "answer", value: answer, words: [] } : { kind: "own", words: [] };
}

/** Fifteen digits that are an IMEI but for one that was misread. */
export const isMisread = ({ kind, words }) => kind === "text" && /^\d{15}$/.test(words[0] ?? "");

/** Digits with the check digit of Luhn at their end. */
export function isImei(digits) {
  return /^\d{15}$/.test(digits) && luhn(digits.slice(0, 14)) === Number(digits[14]);
}

/** What stands on any product of a shop: EAN-13, which is Japan's JAN, EAN-8, and UPC. */
export function isProduct(digits) {
  return /^(\d{8}|\d{12,13})$/.test(digits) && isGtin(digits.padStart(14, "0"));
}

/** Whether somebody's badge may be meant. */
export const mayBeBadge = ({ kind }) => kind === "badge" || kind === "text";

function luhn(digits) {
  let sum = 0;
  for (const [place, digit] of [...digits].reverse().entries()) {
    const doubled = Number(digit) * (place % 2 === 0 ? 2 : 1);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return (10 - (sum % 10)) % 10;
}

/**
 * The IMEIs that a code consists of: one or two, each perhaps with its name before it and two digits
 * of the software's version after it. Nothing else may stand in it: an EID of 32 digits has none.
 */
export function imeisIn(text) {
  const parts = text.replace(/IMEI\s*[12]?\s*[:：]?/gi, " ").trim().split(/[\s,;/、|]+/).filter(Boolean);
  const found = [];
  for (const part of parts) {
    const imei = imeiOf(part.replace(/-/g, ""));
    if (imei) found.push(imei);
    else if (!(found.length && /^\d{2}$/.test(part))) return [];
  }
  return [...new Set(found)];
}

/** The IMEIs that stand in a note, as the daemon finds them there; one may be grouped as 35-693803-564380-9. */
export function imeisAmong(note) {
  const text = note.normalize("NFKC").trim();
  const whole = text.replace(/[ /-]/g, "");
  if (isImei(whole)) return [whole];
  const parts = text.split(/[\s,;/、]+/).map((part) => part.replace(/-/g, ""));
  return [...new Set(parts.filter(isImei))];
}

function imeiOf(digits) {
  // By itself, or with the two digits of the software's version behind it.
  const own = /^\d{15}(\d{2})?$/.test(digits) ? digits.slice(0, 15) : "";
  return isImei(own) ? own : null;
}

/** GS1's elements by their identifiers, or null where it is none of GS1's strings. */
export function gs1(text, surely = false) {
  if (BRACKETED.test(text)) return bracketed(text);
  if (!surely && !text.startsWith(SEPARATOR) && !/^0[01]\d{14}/.test(text) && !text.startsWith(MOBILE)) return null;
  const elements = {};
  let rest = text;
  while (rest) {
    if (rest.startsWith(SEPARATOR)) {
      rest = rest.slice(1);
      continue;
    }
    const head = rest.slice(0, 2);
    if (!KNOWN.test(head)) return null;
    const long = LONGER.get(head) ?? 2;
    const fixed = FIXED.get(head);
    const until = rest.indexOf(SEPARATOR);
    const end = fixed ?? (until < 0 ? rest.length : until);
    if (rest.length < end || end <= long || !/^\d+$/.test(rest.slice(0, long))) return null;
    elements[rest.slice(0, long)] = rest.slice(long, end);
    rest = rest.slice(end);
  }
  return checked(elements, surely);
}

function bracketed(text) {
  const elements = {};
  for (const [, ai, data] of text.matchAll(/\((\d{2,4})\)([^(]*)/g)) elements[ai] = data.replaceAll(SEPARATOR, "");
  return checked(elements, true);
}

/** Without a symbology before it, sixteen digits that only happen to begin so aren't taken for a GTIN. */
function checked(elements, surely) {
  const gtin = elements[GTIN];
  if (gtin !== undefined && !isGtin(gtin)) return null;
  if (!surely && gtin === undefined && !imeisIn(elements[MOBILE] ?? "").length && elements["00"] === undefined) return null;
  return Object.keys(elements).length ? elements : null;
}

function isGtin(digits) {
  if (!/^\d{14}$/.test(digits)) return false;
  let sum = 0;
  for (let place = 0; place < 13; place += 1) sum += Number(digits[place]) * (place % 2 === 0 ? 3 : 1);
  return (10 - (sum % 10)) % 10 === Number(digits[13]);
}

/** A GTIN names a model, never one handset. */
function wordsOf(elements) {
  const mobile = elements[MOBILE];
  const imeis = mobile === undefined ? [] : imeisIn(mobile);
  const serial = elements[SERIAL];
  const told = [...imeis, ...(serial === undefined ? [] : [...imeisIn(serial), serial])];
  return [...new Set(told)];
}
