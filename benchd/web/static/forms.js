// Fields, and the button that sends them. Enter in a field presses that button where what it does is no
// more than another line of a list, and where a person has pressed it: a reader ends a code with it too,
// and whoever takes over must not send what somebody else has filled in.

import { emptyOfBadges, LEADS, lookedUp } from "./badges.js";
import { imeisIn } from "./codes.js";
import { el, byId } from "./dom.js";
import { isField, isOfReader } from "./scans.js";
import { whoIsHere } from "./session.js";
import { sure } from "./confirm_dialog.js";
import { causeOf } from "./technical.js";
import { current, knows, said as inWords, word } from "./words.js";

/** The daemon's word for a badge in what was sent. */
export const BADGE = "badge_in_text";
const LONGEST_LINES = 20_000;

/** Says of a field that it can't stay blank. */
export const mark = () => el("span", { class: "needed" }, word("act", "needed"));

/** A line to be typed or scanned. */
export function line(id, label, { hint = "", type = "text", value = "", longest = 200, needed = false, isImei = false, isLabel = false } = {}) {
  const input = el("input", { id, type, autocomplete: "off", spellcheck: "false", maxlength: longest });
  if (isImei) input.dataset.holds = "imei";
  if (isLabel) input.dataset.holds = "label";
  if (value) input.value = value;
  const small = hint ? el("small", { id: `${id}-hint` }, hint) : null;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  if (needed) input.setAttribute("aria-required", "true");
  const element = el("div", { class: "line" }, el("label", { for: id }, label, needed ? mark() : null), input, small);
  return { element, input, needed, isImei, get value() { return input.value.trim(); } };
}

/** Labels, each on a line of its own: every scan ends one. */
export function lines(id, label, { hint = "", needed = false } = {}) {
  const input = el("textarea", { id, rows: 4, autocomplete: "off", spellcheck: "false", maxlength: LONGEST_LINES });
  const small = hint ? el("small", { id: `${id}-hint` }, hint) : null;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  if (needed) input.setAttribute("aria-required", "true");
  const element = el("div", { class: "line" }, el("label", { for: id }, label, needed ? mark() : null), input, small);
  return { element, input, needed, get value() { return input.value.trim(); }, get values() { return words(input.value); } };
}

/** What is read into a field for an IMEI is one, or the field is as it was; `refuse` tells why. */
function takeImeis(input, refuse) {
  let before = input.value;
  input.addEventListener("keydown", (event) => {
    const read = input.value.trim();
    if (event.key !== "Enter" || event.isComposing || !read) return;
    const [imei = null] = imeisIn(read);
    input.value = before = imei ?? before;
    if (imei !== null) return;
    event.preventDefault();
    refuse();
  });
}

/** Boxes to tick, or with `one` a single choice among them. */
export function choices(id, label, options, { one = false, hint = "", needed = false } = {}) {
  const inputs = options.map(([value]) => el("input", { id: `${id}-${value}`, type: one ? "radio" : "checkbox", name: id, value }));
  const element = el(
    "fieldset",
    { class: "choices" },
    el("legend", {}, label, needed ? mark() : null),
    ...inputs.map((input, place) => el("label", {}, input, options[place][1])),
    hint ? el("small", {}, hint) : null,
  );
  const chosen = () => inputs.filter((input) => input.checked).map((input) => input.value);
  return { element, inputs, needed, input: inputs[0], get values() { return chosen(); }, get value() { return chosen()[0] ?? null; } };
}

export function file(id, label, hint = "") {
  const input = el("input", { id, type: "file", accept: ".csv,.tsv,.txt,text/csv" });
  const element = el("div", { class: "line" }, el("label", { for: id }, label), input, hint ? el("small", {}, hint) : null);
  return { element, input, get value() { return input.files[0] ?? null; } };
}

/** A field that leads somewhere, by its button or by Enter: it sends nothing. */
export function leading(id, label, button, to, attributes = {}) {
  const input = el("input", { id, autocomplete: "off", spellcheck: "false", maxlength: 200, ...LEADS, ...attributes });
  const told = el("small", { class: "told", role: "status" });
  const go = async () => {
    const text = input.value.trim();
    if (!text) return;
    const { isBadge, isStrange } = await lookedUp(input);
    if (!isBadge && !isStrange) location.assign(to(text));
    else told.textContent = isBadge ? "" : word("act", "code_nowhere");
  };
  input.addEventListener("input", () => told.replaceChildren());
  input.addEventListener("keydown", (event) => event.key === "Enter" && go());
  return el("div", { class: "asking", role: "search" }, el("label", { for: id }, label), input, el("button", { type: "button", onclick: go }, button), told);
}

/** What a person typed or scanned with spaces, commas or one below the other. */
const words = (text) => text.split(/[\s,、]+/).filter(Boolean);

/** What is said of whoever asks is said in the same words everywhere. */
const OF_WHO_ASKS = ["not_signed_in", "not_allowed", "more_to_show", "tried_too_often"];
const isKnown = (error) => Boolean(inWords(error.cause)) && !OF_WHO_ASKS.includes(error.code);

/** Why something wasn't taken: the cause, where the daemon tells it. */
export function why(error) {
  if (isKnown(error)) return inWords(error.cause).replace(/(?<![。.?？])$/, current() === "ja" ? "。" : ".");
  return knows("act", error.code) ? word("act", error.code) : word("refusal", error.code);
}

/** What of it isn't said by its cause; null for nothing. */
export const restOf = (error) => (isKnown(error) ? null : causeOf(error));

/** Who has begun to fill in which form since it was sent last, also where the page is built anew meanwhile. */
const begunBy = new Map();

const formOf = (id) => document.querySelector(`[data-form="${id}"]`);
const holder = (form, what) => form?.querySelector(`[data-holds="${what}"]`) ?? null;
export const isFilledIn = (input) => (["checkbox", "radio"].includes(input.type) ? input.checked : input.value.trim() !== "");

/** Whether somebody has filled in a form of this page and not sent it: leaving would lose that. */
export const isBegun = () =>
  [...begunBy.keys()].some((id) => [...(formOf(id)?.querySelectorAll("input, textarea") ?? [])].some(isFilledIn));

/**
 * A code that was read beside the fields of the form that has the focus, on one of its choices perhaps, is its
 * handset's: the label, or after that the IMEI. Gives whether it was for such a form.
 */
export function intoForm({ kind, words: [code] }) {
  const form = document.activeElement.closest("details[open], [data-form]")?.querySelector("[data-holds]")?.closest("[data-form]");
  const label = holder(form, "label");
  if (!label || code === undefined || !["text", "imei"].includes(kind)) return false;
  const field = (kind === "imei" && label.value && holder(form, "imei")) || label;
  const others = [...form.querySelectorAll("input, textarea")].filter((each) => each !== field);
  // What was chosen for one handset is never said of the next.
  if (field === label && label.value && label.value !== code && others.some(isFilledIn)) {
    say(form.querySelector(".said"), word("act", "send_first"));
    return true;
  }
  field.value = code;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  after(form, field)?.focus();
  return true;
}

/**
 * Fields with a button. `send` gives {told} or {error}; `done` is called with what was told. `asks` gives
 * what has to be said yes to before it is sent, as confirm_dialog.js asks it, or null. With `byEnter` Enter sends it too.
 */
export function form(id, { fields, button, send, done, asks = () => null, byEnter = false }) {
  const said = el("p", { class: "said", role: "alert" });
  const sender = el("button", { type: "button", class: "do" }, button);
  sender.addEventListener("click", async () => {
    const missing = fields.find((field) => field.needed && !field.element.hidden && !field.value);
    if (missing) {
      say(said, word("act", "fill_in"));
      missing.input.focus();
      return;
    }
    const asked = asks();
    if (asked && !(await sure(asked))) {
      sender.focus();
      return;
    }
    sender.disabled = true;
    say(said, word("act", "sending"), null, "busy");
    const { told, error } = await send();
    sender.disabled = false;
    if (error?.code === BADGE) await emptyOfBadges(fields.map(({ input }) => input));
    if (error) {
      say(said, why(error), restOf(error));
      return;
    }
    say(said, "");
    byId("announcer").textContent = word("act", "recorded");
    for (const field of element.querySelectorAll("input, textarea")) empty(field);
    begunBy.delete(id);
    const isHere = () => document.activeElement === document.body || formOf(id)?.contains(document.activeElement);
    const wasHere = isHere();
    await done(told);
    // The next handset's label is what is read next.
    if (wasHere && isHere()) holder(formOf(id), "label")?.focus({ preventScroll: true });
  });
  const element = el(
    "div",
    { class: "form", role: "group", "data-form": id },
    ...fields.map((field) => field.element),
    el("div", { class: "doing" }, sender, said),
  );
  element.addEventListener("input", () => {
    begun();
    begunBy.set(id, whoIsHere()?.person);
  });
  element.addEventListener("keydown", (event) => {
    // What is read next is of the next field, not more of this one.
    if (event.key === "Enter" && isOfReader(event) && !event.defaultPrevented) after(element, event.target)?.focus();
    if (!byEnter || event.key !== "Enter" || event.isComposing || event.repeat) return;
    if (event.defaultPrevented || event.target instanceof HTMLTextAreaElement || isOfReader(event) || !(isField(event.target) || event.target.type === "radio")) return;
    event.preventDefault();
    // One Enter too many, after what was sent: nothing new is begun.
    if (!begunBy.has(id)) return;
    // The number that tells it from others is left out by the button alone.
    if (event.target.dataset.holds === "imei" && !event.target.value.trim()) say(said, word("lots", "imei_empty"));
    else if (begunBy.get(id) !== whoIsHere()?.person) say(said, word("act", "filled_in_by_another"));
    else if (!sender.disabled) sender.click();
  });
  for (const { input } of fields.filter((field) => field.isImei)) takeImeis(input, () => say(said, word("lots", "no_imei")));
  return element;
}

/** The place of the newest answer, and how it is taken back: beside it stands no older one. */
let newest = { place: null, forget: () => {} };

/** Something is said at a place of the page; whatever was said at another isn't so any more. */
export function isNewest(place, forget) {
  if (newest.place !== place) newest.forget();
  newest = { place, forget };
}

/** Something new is begun: what was said of what was done before isn't said of this. */
export function begun() {
  newest.forget();
  newest = { place: null, forget: () => {} };
}

/** `detail` is the small print, made by technical.js. */
export function say(place, text, detail = null, state = "refused") {
  if (text) isNewest(place, () => say(place, ""));
  place.dataset.state = text ? state : "";
  place.replaceChildren(...[text, detail].filter(Boolean));
}

/** What was done, above all else of a page; `what` says it in the language of now. */
export class Done {
  element = el("p", { class: "good", role: "status" });
  what = () => "";

  say(what) {
    isNewest(this.element, () => this.say(() => ""));
    this.what = what;
    this.show();
  }

  /** To be put onto the page, which may be in another language now. */
  show() {
    this.element.textContent = this.what();
    return this.element;
  }
}

function empty(input) {
  if (input.type === "checkbox" || input.type === "radio") input.checked = false;
  else input.value = "";
}

/** The field or choice after a field that has something in it; of several lines each is for a code of its own. */
function after(form, field) {
  if (!(field instanceof HTMLInputElement) || field.type === "radio" || field.value === "") return null;
  const fields = [...form.querySelectorAll("input, textarea, select")].filter((each) => each === field || ((isField(each) || each.type === "radio") && !each.disabled));
  const next = fields[fields.indexOf(field) + 1] ?? null;
  return fields.find((each) => each.type === "radio" && each.name === next?.name && each.checked) ?? next;
}

/** A form behind its heading, opened when somebody wants it. */
export const folded = (id, heading, open, ...inside) => el("details", { id, class: "folded", open }, el("summary", { onclick: begun }, heading), ...inside);
