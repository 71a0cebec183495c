// What can't be undone, or is seldom meant, is asked once more before it is done: beside which handset it
// is, what becomes of it, and that nothing takes it back. The button that does nothing has the focus, and
// no scan answers it.

import { el } from "./dom.js";
import { onChange } from "./session.js";
import { facts } from "./tables.js";
import { word } from "./words.js";

const t = (value) => word("sure", value);
const dialog = el("dialog", { id: "sure", class: "over-wall", "aria-labelledby": "sure-title" });
let answered = () => {};

// It tells that it was closed a while later: perhaps the next one is open by then.
dialog.addEventListener("close", () => dialog.open || answer(false));
// Whoever takes over has asked for nothing.
onChange(() => answer(false));

function answer(yes) {
  dialog.close();
  dialog.replaceChildren();
  const tell = answered;
  answered = () => {};
  tell(yes);
}

/**
 * Asks whether to go on; gives whether somebody has said so. `title` is what would be done, `told` its
 * rows, `yes` the word on the button, and `says` why it is asked: that it can't be undone, unless told else.
 */
export function sure({ title, told, yes, says = t("no_way_back") }) {
  answer(false);
  const back = choice("no", "N", t("no"), false);
  dialog.replaceChildren(
    el("h2", { id: "sure-title" }, title),
    facts(told),
    el("p", {}, says),
    el("div", { class: "answers" }, choice("yes", "Y", yes, true), back),
  );
  if (!dialog.isConnected) document.body.append(dialog);
  dialog.showModal();
  back.focus();
  return new Promise((done) => {
    answered = done;
  });
}

const choice = (name, key, text, yes) => el("button", { type: "button", class: name, "data-key": key, onclick: () => answer(yes) }, el("b", {}, text));

export const isAsking = () => dialog.open;

/** A single key that no other follows; gives whether it was for what is asked. */
export function pressSure(key) {
  const yes = { y: true, 1: true, n: false, 2: false }[key.toLowerCase()];
  if (!dialog.open || yes === undefined) return null;
  answer(yes);
  return true;
}
