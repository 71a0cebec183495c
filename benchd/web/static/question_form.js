// What a slot asks, with its note and its two answers.

import { imeisAmong } from "./codes.js";
import { el } from "./dom.js";
import { asksNumber, byAnother, noteHint, takesScan, wantsNumber } from "./gates.js";
import { keepNote, noteFor, noteKey } from "./kept.js";
import { questionOf } from "./status.js";
import { page, said, word } from "./words.js";

/** What is typed or scanned there is no Japanese. */
const LATIN = { inputmode: "url", lang: "en", autocapitalize: "off", spellcheck: "false" };

/**
 * `press` is called with "YES" or "NO"; `signIn` stands beside the note. `strange` gives the slots that
 * an IMEI in the note belongs to instead.
 */
export function questionForm(slot, { signIn, press, strange }) {
  const { question } = slot;
  const second = byAnother(question.gate);
  const note = el("input", {
    name: "note",
    autocomplete: "off",
    maxlength: 500,
    "data-scan": "aside",
    ...(wantsNumber(question.gate) ? LATIN : {}),
  });
  const kept = noteKey(slot);
  note.value = noteFor(kept);
  const read = el("small", { class: "read", role: "status" });
  const showRead = () => {
    if (takesScan(question.gate)) read.replaceChildren(whatIsRead(imeisAmong(note.value), strange(slot, note.value)));
  };
  note.addEventListener("input", () => {
    keepNote(kept, note.value);
    showRead();
  });
  showRead();
  const refused = el("div", { class: "refused", role: "alert" });
  const form = { note, refused, second, buttons: [], question: questionOf(slot), held: false, resting: false, unmeant: false, came: -Infinity };
  const answer = (approved) => () => press(approved ? "YES" : "NO");
  const named = asksNumber(question.gate)
    ? { yes: word("answering", "this_number"), no: word("answering", "unread") }
    : { yes: word("word", "yes"), no: word("word", "no") };
  const button = (approved, name, meaning) => {
    const made = el(
      "button",
      { type: "button", class: approved ? "yes" : "no", onclick: answer(approved) },
      el("b", {}, name),
      el("span", {}, meaning),
    );
    form.buttons.push(made);
    return made;
  };
  form.element = el(
    "div",
    { class: "answering", tabindex: "-1", "data-gate": question.gate },
    el("p", { class: "question" }, said(question)),
    el("p", { class: "to-do lines" }, said(question.what_to_do)),
    el(
      "div",
      { class: "fields" },
      el("div", { class: "by" }, signIn.element, el("small", {}, second ? page("second_person_hint") : "")),
      el("div", { class: "noting" }, el("label", {}, page(noteHint(question.gate)), note), takesScan(question.gate) ? read : null),
    ),
    refused,
    el("div", { class: "answers" }, button(true, named.yes, said(question.yes)), button(false, named.no, said(question.no))),
  );
  return form;
}

/** That a number was read, before it is sent: whose it is, or how many there are. */
function whatIsRead(imeis, slots) {
  if (slots.length) return el("strong", { class: "strange" }, word("answering", "others_imei").replace("{slots}", slots.join(", ")));
  if (imeis.length === 0) return "";
  return word("answering", imeis.length === 1 ? "one_imei" : "two_imeis");
}

/** What of it can be used now. */
export function able(form) {
  for (const button of form.buttons) button.disabled = form.held || form.resting;
  form.note.disabled = form.held;
}

/** Why it isn't an answer. */
export function refuse(form, title, why, detail = null) {
  form.refused.dataset.state = "shown";
  form.refused.replaceChildren(
    el("strong", {}, title),
    why ? el("span", {}, why) : "",
    detail ?? "",
  );
}
