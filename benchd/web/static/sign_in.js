// Who is signed in, large, with the way to lock; or the way to sign in. Stands in the head and in
// each question, since a dialog closes off all that is behind it.

import { el } from "./dom.js";
import { isLockable, lock, onChange, signIn, whoIsHere } from "./session.js";
import { current, page, word } from "./words.js";

export class SignIn {
  constructor() {
    this.element = el("div", { class: "sign-in" });
    onChange(() => this.show());
    this.show();
  }

  show() {
    const here = whoIsHere();
    // What somebody has begun to type stays, as long as it is the same form.
    const shown = [current(), here?.person, here?.strong].join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.dataset.here = here ? (here.strong ? "strong" : "badge") : "nobody";
    this.told = el("span", { class: "told", role: "alert" });
    const parts = here ? this.someone(here) : this.nobody();
    this.element.replaceChildren(...parts, this.told);
  }

  someone(here) {
    const name = el("strong", { class: "who" }, here.name);
    const out = el("button", { type: "button", class: "lock", onclick: lock }, page("lock"));
    if (!isLockable()) return [name];
    if (here.strong) return [name, out];
    const pin = field("pin", page("pin"), "password");
    const form = el("form", {}, pin, el("button", { type: "submit" }, page("add_pin")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send({ pin: pin.value }, pin);
    });
    return [name, form, out];
  }

  nobody() {
    const id = field("person", page("badge_or_id"), "text");
    const pin = field("pin", page("pin"), "password");
    const form = el("form", {}, id, pin, el("button", { type: "submit" }, page("sign_in")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = id.value.trim();
      this.send(pin.value ? { person: typed, pin: pin.value } : { badge: typed }, pin);
    });
    return [form];
  }

  async send(shown, pin) {
    this.refuse(await signIn(shown));
    pin.value = "";
  }

  refuse(error) {
    if (error) this.told.textContent = word("refusal", error.code);
  }

  /** Whoever has shown a badge goes on with the PIN. */
  askPin() {
    if (whoIsHere()?.strong === false) this.element.querySelector('input[name="pin"]')?.focus();
  }

  focus() {
    this.element.querySelector("input")?.focus();
  }
}

/** A badge's code is no Japanese: keyboards on screens and IMEs are told so. */
const field = (name, label, type) =>
  el("input", {
    name,
    type,
    placeholder: label,
    "aria-label": label,
    "data-scan": "aside",
    inputmode: name === "pin" ? "numeric" : "url",
    autocapitalize: "off",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 128,
  });
