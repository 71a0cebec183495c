// A badge in a field that is for something else: it doesn't stay there, and does what it does wherever it
// is scanned. Whose a code is only the daemon knows, which is asked in no address.

import { lookUp } from "./api.js";
import { parse } from "./codes.js";
import { hearCode, SHORTEST_BADGE, signIn, whoIsHere } from "./session.js";

/** Says of a field that what is read into it is looked at as it is used. */
export const LEADS = { "data-leads": "" };

const TYPED = ["text", "textarea"];

/** A reader has typed this code into a field that keeps it; `before` is what stood there. */
export async function readInto(field, code, before) {
  field.dataset.read = code;
  const { kind, words } = parse(code);
  if (field.dataset.leads !== undefined || kind !== "text" || words[0].length < SHORTEST_BADGE) return;
  const after = field.value;
  if (whoIsHere() === null) {
    // Then it can be told only by letting them in.
    if ((await signIn({ scanned: words[0] })) === null) takeOut(field, code, { before, after });
  } else if ((await lookUp(code)).told?.badge) {
    takeOut(field, code, { before, after });
    hearCode(code);
  }
}

/** The daemon has refused what was sent, since a badge stands in one of these fields: it doesn't stay to be read. */
export async function emptyOfBadges(inputs) {
  for (const input of inputs.filter(({ type, value }) => TYPED.includes(type) && value)) {
    const kept = [];
    for (const line of input.value.split("\n")) {
      if (!line || (await lookUp(line)).told?.badge === false) kept.push(line);
    }
    fill(input, kept.join("\n"));
  }
}

/** All that stands in a field is used: gives whether it was a badge, or a scan that nothing is known of. */
export async function lookedUp(input) {
  const text = input.value.trim();
  const { told } = await lookUp(text);
  const isKnown = Boolean(told && (told.asset || told.lot || told.handset || told.batch));
  // Of whom nobody is here, a code that nothing is known of may be the badge.
  const isBadge = told?.badge === true || (whoIsHere() === null && !isKnown && input.dataset.read === text);
  // What nothing is known of may be another system's badge: it doesn't stay to be read either.
  const isStrange = !isKnown && input.dataset.read === text;
  if (isBadge || isStrange) fill(input, "");
  if (isBadge) hearCode(text);
  return { isBadge, isStrange };
}

/** What was read goes, and what somebody has typed meanwhile stays. */
function takeOut(field, code, { before, after }) {
  if (field.value === after) fill(field, before);
  else fill(field, field.value.includes(code) ? field.value.replace(code, "") : "");
}

function fill(field, value) {
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
