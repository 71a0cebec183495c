// What a scanned code does on a page that isn't the wall, while no field asks for one: it leads to its
// slot or to its handset's file. Answers are given where their question is seen, so not here.

import { mayBeBadge } from "./codes.js";
import { byId } from "./dom.js";
import { keepSlot } from "./kept.js";
import { word } from "./words.js";

/** Whether the code was for the page; what isn't may be a badge. */
export function hearElsewhere(told) {
  if (mayBeBadge(told)) return false;
  const [first] = told.words;
  if (told.kind === "slot") {
    keepSlot(told.value);
    location.assign("/");
  } else if (told.kind === "answer" && told.value === "PRINT") {
    print();
  } else if (told.kind === "answer" && told.value === "NEXT") {
    location.assign("/");
  } else if (first === undefined) {
    byId("announcer").textContent = word("answering", "on_the_wall");
  } else {
    location.assign(`/handsets?${new URLSearchParams({ q: first })}`);
  }
  return true;
}
