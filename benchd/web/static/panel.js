// One slot in full: what is the matter, what to do, the question with its answers, the story.

import { advice, identity, titleOf } from "./about.js";
import { readJob } from "./api.js";
import { mayBind } from "./binding.js";
import { goAstray, isRead, onceQuiet } from "./ignored_keys.js";
import { topDialog, typeOnIn, typingIn } from "./pin_type_ahead.js";
import { imeisAmong } from "./codes.js";
import { byId, el, morph } from "./dom.js";
import { takesNumber } from "./gates.js";
import { icon } from "./icons.js";
import { keepSlot } from "./drafts.js";
import { able, questionForm, refuse } from "./question_form.js";
import { isField } from "./scans.js";
import { onChange } from "./session.js";
import { SignIn } from "./sign_in.js";
import { answerable, look, questionOf } from "./status.js";
import { story } from "./story.js";
import { zone } from "./tables.js";
import { causeOf } from "./technical.js";
import { page, word } from "./words.js";

/** A question that isn't shown to whoever hasn't signed in. */
const HIDDEN = "hidden";
const NOTE_REFUSED = ["look_up_result_needed", "screen_number_needed", "reason_needed", "recheck_refused"];
/** What somebody has to show first: shown, it is no longer so. */
const TO_SHOW = ["not_signed_in", "more_to_show"];

export class Panel {
  /**
   * `find` shows where a slot is; `press` is called with an answer for its button, `skip` to leave the
   * question for later, `bind` with the slot whose asset is to be said, `moved` when it opens or closes, and `astray` when a field went away in which
   * somebody was typing. `strange` gives the other slots that an IMEI in a text belongs to.
   */
  constructor({ find, press, skip, bind, moved, astray, strange }) {
    Object.assign(this, { find, press, skip, bind, moved, astray, strange });
    this.signIn = new SignIn();
    this.dialog = byId("panel");
    this.name = null;
    this.form = null;
    this.asked = null;
    this.told = null;
    /** The slot whose place this one has taken by itself. */
    this.before = null;
    /** While it opens: "person", or "itself" where the question before is answered. */
    this.opening = null;
    this.about = el("div", { class: "about" });
    this.asking = el("div", { class: "asking" });
    this.telling = el("div", { class: "telling" });
    this.dialog.append(this.about, this.asking, this.telling);
    onChange(() => this.otherPerson());
    new ResizeObserver(() => this.showFields()).observe(byId("shelf"));
    setInterval(() => this.form?.tick(), 1_000);
    this.dialog.addEventListener("close", () => this.name !== null && !this.dialog.open && this.close());
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.close();
    });
  }

  /** Opens for a person; or, with `byItself`, because the question before is answered. */
  open(slot, proof, byItself = false) {
    const before = this.name;
    this.forget();
    this.name = slot.slot;
    this.before = byItself && before !== slot.slot ? before : null;
    keepSlot(slot.slot);
    this.opening = byItself ? "itself" : "person";
    this.show(slot, proof);
    this.opening = null;
    if (!this.dialog.open) this.dialog.showModal();
    this.focus();
    this.moved();
  }

  /** What is asked is read first: no answer is under a finger that has pressed Enter once too often. */
  focus() {
    const { form } = this;
    const first = form ? form.element : this.dialog.querySelector(".close");
    first?.focus({ preventScroll: true });
    this.dialog.scrollTop = 0;
    this.showFields();
    form?.element.querySelector(".giving").scrollIntoView({ block: "nearest" });
    // What is asked begins below the line that stays.
    const head = this.dialog.querySelector("header").getBoundingClientRect().bottom;
    if (form && form.element.getBoundingClientRect().top < head) form.element.scrollIntoView({ block: "start" });
  }

  /** Above its answers, and what is told below them. */
  showFields() {
    this.form?.element.querySelector(".fields").scrollIntoView({ block: "nearest" });
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

  /** Its slot isn't there any more. */
  gone() {
    if (this.fieldInUse()) this.lose();
    this.close();
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

  /** A question that has come by itself isn't answered by a key that was meant for the one before. */
  rest() {
    const { form } = this;
    form.resting = true;
    form.came = performance.now();
    able(form);
    const isSeen = () => !document.hidden && topDialog() === this.dialog;
    onceQuiet(() => {
      form.resting = false;
      able(form);
    }, isSeen);
  }

  /** A key that was meant for an answer is none here: `why` is the word for it. */
  ignore(why) {
    this.form?.ignored(why);
  }

  /** Whether somebody can have read what is asked before they scanned something. */
  get isRead() {
    return this.form !== null && isRead(this.form.came);
  }

  /** Somebody has opened it, or scanned its code: keys are meant for it. */
  meant() {
    if (this.form) this.form.unmeant = false;
  }

  /** Who is here, or what they have shown, is another: what each answer takes, and what it took. */
  otherPerson() {
    this.form?.showWho();
    if (this.form?.needed) this.forgive();
  }

  /**
   * Somebody else is here: nothing of what the one before has typed is, unless they have only signed in at
   * another page; a number is read by whoever gives it all the same. Gives the word for what became of it.
   */
  startAnew(slot, { onAnother }) {
    if (!this.form || !slot) return null;
    const typed = this.form.note.value && !this.form.held;
    if (onAnother && !takesNumber(slot.question?.gate)) return typed ? "typed_kept" : null;
    this.fieldInUse()?.blur();
    this.asked = this.form = null;
    this.ask(slot);
    return typed ? "typed_gone" : null;
  }

  /** The field in which somebody types, if any. */
  fieldInUse() {
    const field = typingIn();
    return isField(field) && this.asking.contains(field) ? field : null;
  }

  /** What they type on belongs nowhere. */
  lose() {
    goAstray();
    this.astray();
  }

  /** Whoever confirms has had this handset in their hand; a number is read off its own screen, never so. */
  scanned(code) {
    if (this.form?.second && !this.form.note.value) this.note(code);
  }

  /** A number was scanned that is asked for: it stands in the field, to be given as the answer. */
  read(numbers) {
    const { note } = this.form;
    const stands = imeisAmong(note.value);
    const fresh = numbers.filter((number) => !stands.includes(number) && !note.value.split(/\s+/).includes(number));
    if (fresh.length) this.note([note.value.trim(), ...fresh].filter(Boolean).join(" "));
    this.forgive();
    if (!this.fieldInUse()) this.form.element.focus();
  }

  /** What was scanned isn't what is asked for, and stands nowhere. */
  refuseScan(title, why = "") {
    refuse(this.form, title, why);
  }

  /** What was wrong is put right, or something else is done. */
  forgive() {
    this.signIn.forget();
    if (!this.form) return;
    this.form.needed = false;
    this.form.refused.dataset.state = "";
    this.form.refused.replaceChildren();
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
    this.forgive();
    able(this.form);
    this.form.element.focus();
  }

  /** It was taken back, or wasn't taken. */
  release() {
    if (!this.form) return;
    this.form.held = false;
    able(this.form);
    this.form.element.focus();
  }

  /** Why an answer isn't one; whoever has to put it right finds the place. */
  refuse(error) {
    if (!this.form) return;
    const unknown = error.code === "not_signed_in";
    if (unknown) refuse(this.form, word("refusal", error.code), "");
    else refuse(this.form, page("not_taken"), word("refusal", error.code), causeOf(error));
    this.form.needed = TO_SHOW.includes(error.code);
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
        el("h2", { id: "panel-title" }, el("span", { class: "slot" }, slot.slot), " ", el("span", { class: "title" }, titleOf(slot, seen))),
        el("button", { type: "button", class: "close", onclick: () => this.close() }, page("close")),
      ),
      el("button", { type: "button", class: "find", onclick: () => this.pointOut() }, word("wall", "find")),
      mayBind(slot) ? el("button", { type: "button", class: "bind", "data-key": "L", onclick: () => this.bind(this.name) }, word("binding", "open")) : "",
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
    const [before, old, field] = [this.asked, this.form, this.fieldInUse()];
    this.asked = asked;
    this.form = null;
    if (asked === null) {
      this.asking.replaceChildren(...(before ? [el("p", { class: "over", role: "status" }, page("question_gone"))] : []));
    } else if (hidden) {
      this.asking.replaceChildren(el("div", { class: "answering" }, el("div", { class: "by" }, this.signIn.element)));
    } else {
      this.form = questionForm(slot, { signIn: this.signIn, before: this.before, press: this.press, skip: this.skip, strange: this.strange });
      this.asking.replaceChildren(this.form.element);
      this.comes(old);
    }
    if (field) this.typeOn(field, old);
  }

  /** The form is there: by a person, by itself, or again in other words. */
  comes(old) {
    const again = old?.question === this.form.question;
    if (again) this.note(old.note.value);
    this.form.unmeant = again ? old.unmeant : this.opening === null;
    if (again ? old.resting : this.opening !== "person") this.rest();
  }

  /** Whoever was typing goes on in the same field, or else nowhere. */
  typeOn(field, old) {
    const again = this.form && old?.question === this.form.question && field === old.note;
    const now = again ? this.form.note : field;
    if (now.isConnected) typeOnIn(now);
    else this.lose();
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
    const by = el("p", { class: "zone" }, `${word("act", "zone")} ${zone()}`);
    if (this.told === key) this.telling.replaceChildren(el("h3", {}, page("story")), by, shown);
  }
}
