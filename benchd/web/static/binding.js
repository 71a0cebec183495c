// Which asset the handset in a slot is, by the label on it: the slot's code and the label are scanned, in
// either order, and nothing is on record before somebody has said yes to both.

import { act, lookUp } from "./api.js";
import { isRead } from "./ignored_keys.js";
import { typeOnIn, typingIn } from "./pin_type_ahead.js";
import { el } from "./dom.js";
import { why } from "./forms.js";
import { onChange, whoIsHere } from "./session.js";
import { SignIn } from "./sign_in.js";
import { facts, jobPage, link, lotPage } from "./tables.js";
import { filled, page, word } from "./words.js";

const t = (value) => word("binding", value);
/** In the middle of its job: only then has it one that an asset can be of. */
const AT_WORK = ["running", "waiting", "awaiting_operator", "replugging"];

export const mayBind = (slot) => Boolean(slot?.job) && !slot.asset && AT_WORK.includes(slot.state);

export class Binding {
  /** `done` is told what is on record then, to be said. */
  constructor({ rack, done }) {
    Object.assign(this, { rack, done });
    this.dialog = el("dialog", { id: "bind", class: "over-wall", "aria-labelledby": "bind-title", tabindex: "-1" });
    this.dialog.addEventListener("close", () => this.dialog.open || this.clear());
    this.signIn = new SignIn();
    this.body = el("div");
    this.dialog.append(this.signIn.element, this.body);
    document.body.append(this.dialog);
    onChange(() => this.isOpen && this.look());
    this.clear();
  }

  clear() {
    Object.assign(this, { name: null, other: null, before: null, asset: null, job: null, refused: null, missing: null, ready: false, asked: null, since: Infinity });
    this.body.replaceChildren();
  }

  /** Leaves nothing of it. */
  close() {
    this.dialog.close();
    this.clear();
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** The asset of this tag, null where no lot has it. */
  async find(tag) {
    const { told, error } = await lookUp(tag);
    return { asset: told?.asset ?? null, error };
  }

  /** A label was scanned: what it is, for this slot if one is open. */
  async label(tag, name = null) {
    const { asset, error } = await this.find(tag);
    if (asset === null && !this.isOpen) return false;
    if (!this.isOpen) this.name = name;
    this.asset = asset;
    this.other = null;
    this.missing = asset ? null : error ? word("refusal", error.code) : t("unknown");
    await this.look();
    return true;
  }

  /** What was scanned or typed is nothing that is asked for here: whoever goes on by a yes has scanned anew. */
  strange(why) {
    Object.assign(this, { asset: null, missing: why });
    this.look();
  }

  /** Says why a yes is none. */
  complain(why) {
    this.missing = t(why);
    this.show();
  }

  /** A slot was meant, by its code; its panel stays where it is. */
  slot(name) {
    this.before = this.name !== name ? this.name : null;
    Object.assign(this, { name, other: null, missing: null });
    return this.look();
  }

  /** A slot was meant, by its own code or by its handset's: that of another one may only lie beside this one. */
  meant(name, byItsCode) {
    if (byItsCode || this.name === null || this.name === name) {
      this.slot(name);
      return;
    }
    Object.assign(this, { other: name, missing: null, since: performance.now() });
    this.show();
  }

  /** Whether the slot of the other handset is the one; gives the word that says why that is no answer yet. */
  answer(yes, { byCard = false } = {}) {
    if (byCard && !isRead(this.since)) return "just_come";
    if (yes) this.slot(this.other);
    else {
      this.other = null;
      this.since = performance.now();
      this.show();
    }
    return null;
  }

  /** The rack tells of a slot anew: of another handset nothing is sure that was of the one before. */
  changed(slot, before) {
    const told = ({ job, state, asset } = {}) => `${job} ${AT_WORK.includes(state)} ${asset?.tag}`;
    if (this.isOpen && slot.slot === this.name && told(slot) !== told(before)) this.look();
  }

  /** Has the daemon say whether it could be, before anybody says yes. */
  async look() {
    Object.assign(this, { refused: null, ready: false });
    const asked = (this.asked = {});
    this.job = this.rack.slot(this.name)?.job ?? null;
    this.show();
    if (!this.isWhole) return;
    const { error } = await this.send({ dry_run: true });
    if (this.asked !== asked || !this.isOpen) return;
    this.refused = error ?? null;
    this.ready = !error;
    this.since = performance.now();
    this.show();
  }

  /** Its label is known and its slot isn't: a slot's name is one then, also without its code's first letters. */
  get wantsSlot() {
    return this.asset !== null && this.name === null;
  }

  get isWhole() {
    return this.name !== null && this.asset !== null;
  }

  send(how) {
    return act(`/api/v1/slots/${encodeURIComponent(this.name)}/asset`, { tag: this.asset.tag, job: this.job, ...how });
  }

  /** A card's, a key's or a button's yes; gives the word of the page that says why it is none. */
  yes({ byCard = false } = {}) {
    if (this.other !== null) return this.answer(true, { byCard });
    if (!this.ready) return "nothing_to_bind";
    if (byCard && !isRead(this.since)) return "just_come";
    this.keep({});
    return null;
  }

  async keep(how) {
    const { name, asset } = this;
    this.ready = false;
    const { told, error } = await this.send(how);
    if (error) {
      this.refused = error;
      this.show();
      return;
    }
    this.close();
    const slot = this.rack.slot(name);
    // The stream tells it too, a little later.
    if (slot) this.rack.show({ ...slot, asset: { lot: told.lot, tag: told.tag, bound_by: told.bound_by, differs: told.model_differs } });
    this.done(filled(t("done"), { slot: name, tag: asset.tag }));
  }

  press(key) {
    if (key === "y" || key === "1") this.yes();
    else if (this.other !== null && (key === "n" || key === "2")) this.answer(false);
    // A no closes nothing: the question beneath would take the next one for its own.
    else return key === "n" || key === "2" ? true : null;
    return true;
  }

  show() {
    const typed = this.body.querySelector("input");
    this.body.replaceChildren(...this.parts());
    const field = this.body.querySelector("input");
    // What is asked for is the same still: whoever types it goes on.
    if (field && typed?.dataset.wants === field.dataset.wants) field.value = typed.value;
    const isOpen = this.isOpen;
    if (!isOpen) this.dialog.showModal();
    // Whoever types their PIN goes on with that.
    if (isOpen && this.signIn.element.contains(typingIn())) return;
    typeOnIn(field ?? this.dialog);
  }

  parts() {
    return [
      el("h2", { id: "bind-title" }, t("title")),
      this.before === null ? null : el("p", { class: "moved-on", role: "status" }, el("strong", {}, filled(t("moved_on"), { before: this.before, slot: this.name }))),
      el("p", { class: "to-do", role: "status" }, this.next()),
      facts([...ofAsset(this.asset), ...ofSlot(this.rack.slot(this.name))]),
      ...(this.isWhole || this.other !== null ? [] : [this.field()]),
      whoIsHere()?.gates.includes("confirm") && this.ready ? el("p", { class: "barring" }, t("barring")) : null,
      this.refusal(),
      el(
        "div",
        { class: "answers" },
        ...this.answers(),
        el("button", { type: "button", class: "no", "data-key": "Esc", onclick: () => this.close() }, el("b", {}, page("close"))),
      ),
    ].filter(Boolean);
  }

  next() {
    if (this.other !== null) return filled(t("of_other_slot"), { other: this.other, slot: this.name });
    if (this.isWhole) return this.ready ? t("sure") : this.refused ? "" : page("comparing");
    if (this.asset === null) return t("scan_label");
    return t("scan_slot");
  }

  refusal() {
    const text = this.missing ?? (this.refused ? why(this.refused) : "");
    return el("div", { class: "refused", role: "alert", "data-state": text ? "shown" : "" }, text ? el("strong", {}, text) : "");
  }

  answers() {
    if (this.other !== null) {
      return [this.choice("yes", "Y", filled(t("take_other"), { other: this.other }), true), this.choice("no", "N", filled(t("stay"), { slot: this.name }), false)];
    }
    if (this.ready) return [el("button", { type: "button", class: "yes", "data-key": "Y", onclick: () => this.yes() }, el("b", {}, t("do")))];
    // Papers may name a model in other words: whoever looks at both may know better, and says so.
    if (this.refused?.code !== "model_differs") return [];
    return [el("button", { type: "button", class: "sign", onclick: () => this.keep({ despite_model: true }) }, el("b", {}, t("despite_model")), el("span", {}, t("despite_hint")))];
  }

  choice(name, key, text, yes) {
    return el("button", { type: "button", class: name, "data-key": key, onclick: () => this.answer(yes) }, el("b", {}, text));
  }

  /** For whoever has no scanner at hand. */
  field() {
    const wants = this.asset === null ? "tag" : "slot";
    const input = el("input", { id: "bind-code", "data-wants": wants, "data-scan": "aside", inputmode: "url", lang: "en", autocapitalize: "off", autocomplete: "off", spellcheck: "false", maxlength: 80 });
    input.addEventListener("keydown", (event) => {
      const typed = input.value.normalize("NFKC").trim();
      if (event.key !== "Enter" || event.isComposing || !typed) return;
      if (wants === "tag") this.label(typed);
      else if (this.rack.named(typed).length) this.slot(this.rack.named(typed)[0]);
      else this.strange(word("answering", "code_unknown"));
    });
    return el("div", {}, el("label", { for: "bind-code" }, wants === "tag" ? word("lots", "tag") : word("word", "slot")), input);
  }
}

function ofAsset(asset) {
  if (asset === null) return [];
  const job = asset.jobs.at(-1);
  return [
    [word("lots", "tag"), asset.tag],
    [word("nav", "lot"), link(lotPage(asset.lot), asset.lot)],
    [t("on_papers"), [asset.model, asset.colour, asset.imei, asset.serial].filter(Boolean).join(" · ")],
    [page("earlier"), job ? link(jobPage(job), job) : null],
  ];
}

function ofSlot(slot) {
  if (!slot) return [];
  const { handset, asset } = slot;
  return [
    [word("word", "slot"), slot.slot],
    [word("word", "handset"), handset ? `${handset.manufacturer} ${handset.model}` : word("act", "unknown_handset")],
    [word("act", "number"), [handset?.imei, handset?.serial].filter(Boolean).join(" · ")],
    [t("goes_by"), asset ? asset.tag : null],
  ];
}
