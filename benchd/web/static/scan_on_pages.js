// What a scanned code does on a page that isn't the wall, while no field asks for one: it leads to its
// slot or to its handset's file. Answers are given where their question is seen, so not here.

import { lookUp } from "./api.js";
import { mayBeBadge } from "./codes.js";
import { isBegun } from "./forms.js";
import { keepSlot } from "./drafts.js";
import { word } from "./words.js";

/** Whether the code was for the page; what isn't may be a badge. `tell` is told why nothing comes of one. */
export function hearElsewhere(told, tell) {
  if (mayBeBadge(told)) return false;
  const [first] = told.words;
  if (told.kind === "slot") {
    keepSlot(told.value);
    leadTo("/", tell);
  } else if (told.kind === "answer" && told.value === "PRINT") {
    print();
  } else if (told.kind === "answer" && told.value === "NEXT") {
    leadTo("/", tell);
  } else if (first === undefined) {
    tell(word("answering", "on_the_wall"));
  } else {
    toFile(first, tell);
  }
  return true;
}

/** A code leads away from nothing that somebody has begun to fill in; `tell` is told that. */
function leadTo(address, tell) {
  if (isBegun()) tell(word("act", "send_first"));
  else location.assign(address);
}

export const toFile = (code, tell) => leadTo(`/handsets?${new URLSearchParams({ q: code })}`, tell);

/** A code that was nobody's badge leads to its handset, where it is the label or the serial of one; gives whether it does. */
export async function leadsOn(error, [code], tell) {
  const isTag = error.code === "code_of_asset";
  if (!isTag && (error.code !== "not_signed_in" || !(await isKnown(code)))) return false;
  toFile(code, tell);
  return true;
}

/** A tag may be too short for anybody's badge, and for a part of a number. */
async function isKnown(code) {
  const { told } = await lookUp(code);
  return Boolean(told && (told.asset || told.handset));
}
