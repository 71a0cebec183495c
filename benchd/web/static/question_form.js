// What a slot asks, with its note, its answers, and who can't give them.

import { imeisAmong } from "./codes.js";
import { el, write } from "./dom.js";
import { asksNumber, bars, byAnother, NETWORK, noteHint, refusalOf, takesScan, wantsNumber } from "./gates.js";
import { keepNote, noteFor, noteKey } from "./drafts.js";
import { whoIsHere } from "./session.js";
import { askedIn, questionOf } from "./status.js";
import { filled, page, said, timeLeft, word } from "./words.js";

/** What is typed or scanned there is no Japanese. */
const LATIN = { inputmode: "url", lang: "en", autocapitalize: "off", spellcheck: "false" };
/** What a button says of a refusal that would come. */
const SHORT = {
  not_signed_in: () => word("answering", "needs_sign_in"),
  not_allowed: ({ roles }) => `${word("answering", "needs_role")}: ${roles.map((role) => word("role", role)).join(" / ")}`,
  second_person_needed: () => word("answering", "own_work"),
  more_to_show: (_, here) => word("answering", here.shown_by === "pin" ? "needs_badge" : "needs_pin"),
};

/** The answers to a question: what each is given as, its class, its word, what it means and its key. */
function answersTo({ gate, yes, no }) {
  if (gate === NETWORK) {
    return [
      ["CIRCLE", "yes", "○", said(yes), "O"],
      ["TRIANGLE", "sign", "△", said(yes), "V"],
      ["DASH", "sign", "−", said(yes), "-"],
      ["CROSS", "sign", "×", said(no), "X"],
      ["NO", "no", word("word", "no"), word("answering", "no_anyway"), "N"],
    ];
  }
  const number = asksNumber(gate);
  return [
    ["YES", "yes", number ? word("answering", "this_number") : word("word", "yes"), said(yes), "Y"],
    ["NO", "no", number ? word("answering", "unread") : word("word", "no"), said(no), "N"],
  ];
}

/**
 * `press` is called with an answer, as cards have it, `skip` to go to the next question; `signIn` stands
 * beside the note. `before` is the slot that was on the screen when it came by itself, if another. `strange` gives the slots that an IMEI in the note belongs to instead.
 */
export function questionForm(slot, { signIn, before, press, skip, strange }) {
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
  const refused = el("div", { class: "refused", role: "alert" });
  note.addEventListener("input", () => {
    keepNote(kept, note.value);
    showRead();
    refused.dataset.state = "";
    refused.replaceChildren();
  });
  showRead();
  const moved = el("strong");
  const ignored = el("span");
  write(moved, before === null ? "" : filled(word("answering", "moved_on"), { before, slot: slot.slot }));
  write(ignored, "");
  const until = el("p", { class: "until" });
  const barring = el("p", { class: "barring" });
  const whys = [];
  const buttons = answersTo(question).map(([value, kind, name, meaning, key]) => {
    const why = el("span", { class: "why" });
    whys.push(why);
    return el(
      "button",
      { type: "button", class: kind, "data-answer": value, "data-key": key, onclick: () => press(value) },
      el("b", {}, name),
      el("span", {}, meaning),
      why,
    );
  });
  const form = { note, refused, second, buttons, question: questionOf(slot), needed: false, held: false, resting: false, unmeant: false, came: -Infinity };
  form.ignored = (why) => write(ignored, filled(word("answering", why), { slot: slot.slot }));
  /** How long there is to answer. */
  form.tick = () => {
    const left = timeLeft(question.until);
    write(until, left && `${word("answering", "until")}: ${left}`);
  };
  /** Says on the buttons why whoever is here can't give these answers; pressed all the same, they tell what to do. */
  form.showWho = () => {
    const here = whoIsHere();
    const refusal = refusalOf(question, here);
    for (const [place, button] of buttons.entries()) {
      write(whys[place], refusal ? SHORT[refusal](question, here) : "");
      button.classList.toggle("barred", refusal !== null);
    }
    write(barring, bars(question, here) ? word("answering", "barring") : "");
  };
  form.element = el(
    "div",
    { class: "answering", tabindex: "-1", "data-gate": question.gate },
    el("p", { class: "moved-on", role: "status" }, moved, ignored),
    el("p", { class: "question" }, askedIn(question)),
    el("p", { class: "to-do lines" }, said(question.what_to_do)),
    until,
    el(
      "div",
      { class: "fields" },
      el("div", { class: "by" }, signIn.element, el("small", {}, second ? page("second_person_hint") : "")),
      el("div", { class: "noting" }, el("label", {}, page(noteHint(question.gate)), note), takesScan(question.gate) ? read : null),
    ),
    barring,
    refused,
    el(
      "div",
      { class: "giving" },
      el("div", { class: "answers" }, ...buttons),
      el("button", { type: "button", class: "skip", "data-key": "S", onclick: skip }, word("answering", "skip")),
    ),
  );
  form.tick();
  form.showWho();
  return form;
}

/** That a number was read, before it is sent: whose it is, or how many there are. */
function whatIsRead(imeis, slots) {
  if (slots.length) return el("strong", { class: "strange" }, filled(word("answering", "others_imei"), { slots: slots.join(", ") }));
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
