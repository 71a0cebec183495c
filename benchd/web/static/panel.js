// One slot in full: what is the matter, what to do, the question with its answers, the story.

import { readJob } from "./api.js";
import { byId, el, morph } from "./dom.js";
import { byAnother, noteHint, takesNumber, wantsNumber } from "./gates.js";
import { icon } from "./icons.js";
import { keepNote, keepSlot, noteFor, noteKey } from "./kept.js";
import { SignIn } from "./sign_in.js";
import { answerable, look, questionOf } from "./status.js";
import { story } from "./story.js";
import { causeOf } from "./technical.js";
import { bracketed, calledOf, duration, page, percent, said, word } from "./words.js";

/** A question that isn't shown to whoever hasn't signed in. */
const HIDDEN = "hidden";
const NOTE_REFUSED = ["look_up_result_needed", "screen_number_needed", "recheck_refused"];
/** How long a question that came by itself is only read. */
const SEEN_MS = 600;
/** What is typed or scanned there is no Japanese. */
const LATIN = { inputmode: "url", lang: "en", autocapitalize: "off", spellcheck: "false" };

export class Panel {
  /**
   * `find` shows where a slot is; `press` is called with "YES" or "NO" for an answer's button, `moved`
   * when it opens or closes.
   */
  constructor({ find, press, moved }) {
    Object.assign(this, { find, press, moved });
    this.signIn = new SignIn();
    this.dialog = byId("panel");
    this.name = null;
    this.form = null;
    this.asked = null;
    this.told = null;
    this.about = el("div", { class: "about" });
    this.asking = el("div", { class: "asking" });
    this.telling = el("div", { class: "telling" });
    this.dialog.append(this.about, this.asking, this.telling);
    this.dialog.addEventListener("close", () => this.name !== null && !this.dialog.open && this.close());
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.close();
    });
  }

  /** Opens for a person; or, with `byItself`, because the question before is answered. */
  open(slot, proof, byItself = false) {
    this.forget();
    this.name = slot.slot;
    keepSlot(slot.slot);
    this.show(slot, proof);
    if (byItself) this.rest();
    if (!this.dialog.open) this.dialog.showModal();
    this.focus(byItself);
    this.moved();
  }

  /** Where whoever has opened it goes on; what came by itself has no button under a finger. */
  focus(byItself = false) {
    const first = this.form ? this.form.buttons[0] : this.dialog.querySelector(".close");
    if (byItself && this.form) this.form.element.focus();
    else first?.focus();
  }

  /** On the wall behind, so that whoever stands there sees which one it is. */
  pointOut() {
    const { name } = this;
    this.close();
    this.find(name);
  }

  close() {
    keepSlot(null);
    this.hide();
  }

  /** Off the screen, but whoever was here finds it again. */
  hide() {
    this.forget();
    this.dialog.close();
    this.moved();
  }

  /** Whether this question is the one on the screen. */
  shows(question) {
    return this.form !== null && this.form.question === question;
  }

  /** A question that has come by itself isn't answered by a press that was meant for the one before. */
  rest() {
    const { form } = this;
    if (!form) return;
    form.resting = true;
    able(form);
    setTimeout(() => {
      form.resting = false;
      able(form);
    }, SEEN_MS);
  }

  /** Whoever confirms has had this handset in their hand; a number is read off its own screen, never so. */
  scanned(code) {
    if (this.form?.second && !this.form.note.value) this.note(code);
  }

  /** Where something is typed, or a number is read off the handset's own screen. */
  toNote() {
    if (this.form && !this.form.held) this.form.note.focus();
  }

  /** Puts something into the note, as if it had been typed. */
  note(text) {
    this.form.note.value = text;
    this.form.note.dispatchEvent(new Event("input"));
  }

  /** An answer is given, and may yet be taken back. */
  hold(question) {
    if (!this.shows(question)) return;
    this.form.held = true;
    this.form.refused.dataset.state = "";
    this.form.refused.replaceChildren();
    able(this.form);
    this.form.element.focus();
  }

  /** It was taken back, or wasn't taken. */
  release() {
    if (!this.form) return;
    this.form.held = false;
    able(this.form);
    this.form.buttons[0].focus();
  }

  /** Why an answer isn't one; whoever has to put it right finds the place. */
  refuse(error) {
    if (!this.form) return;
    const unknown = error.code === "not_signed_in";
    if (unknown) refuse(this.form, word("refusal", error.code), "");
    else refuse(this.form, page("not_taken"), word("refusal", error.code), causeOf(error));
    if (NOTE_REFUSED.includes(error.code)) this.form.note.focus();
    else this.signIn.focus();
  }

  forget() {
    this.name = this.form = this.asked = this.told = null;
    for (const part of [this.about, this.asking, this.telling]) part.replaceChildren();
  }

  relabel(slot, proof) {
    if (this.name === null) return;
    this.asked = this.told = null;
    this.show(slot, proof);
  }

  /** Called for each change of a slot; what a person is typing stays. */
  show(slot, proof) {
    if (slot.slot !== this.name) return;
    const seen = look(slot, proof);
    this.dialog.dataset.kind = seen.kind;
    morph(
      this.about,
      el(
        "header",
        {},
        icon(seen.icon),
        el("h2", { id: "panel-title" }, `${slot.slot} ${seen.title}`),
        el("button", { type: "button", class: "find", onclick: () => this.pointOut() }, word("wall", "find")),
        el("button", { type: "button", class: "close", onclick: () => this.close() }, page("close")),
      ),
      ...identity(slot),
      ...advice(slot, seen),
    );
    this.ask(slot);
    this.tell(slot);
  }

  ask(slot) {
    const hidden = slot.question && !answerable(slot);
    const asked = hidden ? HIDDEN : answerable(slot) ? questionOf(slot) : null;
    if (asked === this.asked) return;
    const before = this.asked;
    this.asked = asked;
    this.form = null;
    if (asked === null) {
      this.asking.replaceChildren(...(before ? [el("p", { class: "over", role: "status" }, page("question_gone"))] : []));
      return;
    }
    if (hidden) {
      this.asking.replaceChildren(el("div", { class: "answering" }, el("div", { class: "by" }, this.signIn.element)));
      return;
    }
    this.form = this.formFor(slot);
    this.asking.replaceChildren(this.form.element);
    if (before && before !== HIDDEN) this.rest();
  }

  formFor(slot) {
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
    const form = { note, refused, second, buttons: [], question: questionOf(slot), held: false, resting: false };
    const answer = (approved) => () => this.press(approved ? "YES" : "NO");
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
        el("div", { class: "by" }, this.signIn.element, el("small", {}, second ? page("second_person_hint") : "")),
        el("label", {}, page(noteHint(question.gate)), note),
      ),
      refused,
      el("div", { class: "answers" }, button(true, "yes", said(question.yes)), button(false, "no", said(question.no))),
    );
    return form;
  }

  async tell(slot) {
    const key = slot.job ? `${slot.job} ${slot.state} ${slot.stage}` : null;
    if (key === this.told) return;
    this.told = key;
    if (key === null) {
      this.telling.replaceChildren();
      return;
    }
    let shown;
    try {
      shown = story(await readJob(slot.job));
    } catch {
      shown = el("p", { class: "missing" }, page("story_missing"));
    }
    if (this.told === key) this.telling.replaceChildren(el("h3", {}, page("story")), shown);
  }
}

function able(form) {
  for (const button of form.buttons) button.disabled = form.held || form.resting;
  form.note.disabled = form.held;
}

function refuse(form, title, why, detail = null) {
  form.refused.dataset.state = "shown";
  form.refused.replaceChildren(
    el("strong", {}, title),
    why ? el("span", {}, why) : "",
    detail ?? "",
  );
}

function identity(slot) {
  const rows = [];
  if (slot.handset) {
    rows.push([word("word", "handset"), `${slot.handset.manufacturer} ${slot.handset.model}`]);
    rows.push([page("model_name"), calledOf(slot.handset)]);
    if (slot.handset.serial) rows.push([page("serial"), slot.handset.serial]);
    if (slot.handset.imei) rows.push([page("imei"), slot.handset.imei]);
    if (slot.handset.android) rows.push(["Android", slot.handset.android]);
  }
  if (slot.earlier) rows.push([page("earlier"), `${said(slot.earlier)}${bracketed(slot.earlier.job)}`]);
  if (slot.port_path) rows.push([page("port"), slot.port_path]);
  return [el("dl", { class: "identity" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))];
}

function advice(slot, seen) {
  if (answerable(slot) && !slot.problem) return [el("p", { class: "main" }, seen.main)];
  const parts = [];
  if (seen.main) parts.push(el("p", { class: "main" }, seen.main));
  if (typeof slot.progress === "number") {
    const [stage, whole] = [duration(slot.eta_s), duration(slot.handset_left_s)];
    const left = [
      stage ? `${word("wall", "stage_left")} ${stage}` : "",
      whole ? `${word("wall", "handset_left")} ${whole}` : "",
    ];
    parts.push(el("p", {}, [percent(slot.progress), ...left].filter(Boolean).join(" · ")));
  }
  if (seen.to_do) parts.push(el("p", { class: "to-do lines" }, seen.to_do));
  return parts;
}
