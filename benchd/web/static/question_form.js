// What a slot asks, with its note and its two answers.

import { el } from "./dom.js";
import { byAnother, noteHint, takesNumber, wantsNumber } from "./gates.js";
import { keepNote, noteFor, noteKey } from "./kept.js";
import { questionOf } from "./status.js";
import { page, said, word } from "./words.js";

/** What is typed or scanned there is no Japanese. */
const LATIN = { inputmode: "url", lang: "en", autocapitalize: "off", spellcheck: "false" };

/** `press` is called with "YES" or "NO"; `signIn` stands beside the note. */
export function questionForm(slot, { signIn, press }) {
  const { question } = slot;
  const second = byAnother(question.gate);
  const number = takesNumber(question.gate);
  const note = el("input", {
    name: "note",
    autocomplete: "off",
    maxlength: 500,
    "data-scan": number ? "number" : "aside",
    ...(wantsNumber(question.gate) ? LATIN : {}),
  });
  const kept = noteKey(slot);
  note.value = noteFor(kept);
  note.addEventListener("input", () => keepNote(kept, note.value));
  const refused = el("div", { class: "refused", role: "alert" });
  const form = { note, refused, second, buttons: [], question: questionOf(slot), held: false, resting: false, unmeant: false, came: -Infinity };
  const answer = (approved) => () => press(approved ? "YES" : "NO");
  const button = (approved, word_, meaning) => {
    const made = el(
      "button",
      { type: "button", class: approved ? "yes" : "no", onclick: answer(approved) },
      el("b", {}, word("word", word_)),
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
      el("label", {}, page(noteHint(question.gate)), note),
    ),
    refused,
    el("div", { class: "answers" }, button(true, "yes", said(question.yes)), button(false, "no", said(question.no))),
  );
  return form;
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
