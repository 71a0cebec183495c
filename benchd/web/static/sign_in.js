// Who is signed in, large, with the way to lock; or the way to sign in. Stands in the head and in
// each question, since a dialog closes off all that is behind it.

import { catching, topDialog } from "./pin_type_ahead.js";
import { isProduct, parse } from "./codes.js";
import { byId, el } from "./dom.js";
import { hearCode, isLockable, lock, onChange, signIn, whoIsHere } from "./session.js";
import { current, filled, onLanguage, page, said, word } from "./words.js";

/** What a PIN may be; anything else in its field is a code that was scanned there. */
const PIN = /^\d{6,12}$/;
const OF_ASSET = "code_of_asset";
/** For how long it is told why somebody wasn't let in, unless they go on before. */
const TOLD_MS = 20_000;

export class SignIn {
  constructor() {
    this.element = el("div", { class: "sign-in" });
    this.told = el("p", { class: "told", role: "alert" });
    this.busy = false;
    this.element.addEventListener("input", () => this.busy || this.tell(""));
    onChange((takeover) => {
      this.show();
      if (takeover) this.tell(inWords(takeover), "changed");
    });
    // In whichever dialog it stands, open or not.
    onLanguage(() => this.show());
    this.show();
  }

  show() {
    const here = whoIsHere();
    // What somebody has begun to type stays, as long as it is the same form.
    const shown = [current(), here?.person, here?.strong, here?.shown_by].join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.dataset.here = here ? (here.strong ? "strong" : "badge") : "nobody";
    this.tell("");
    const parts = here ? this.someone(here) : this.nobody();
    this.element.replaceChildren(...parts, this.told);
  }

  someone(here) {
    const name = el("strong", { class: "who" }, here.name);
    const out = el("button", { type: "button", class: "lock", onclick: lock }, page("lock"));
    if (!isLockable()) return [name];
    if (here.strong) return [name, out];
    // A PIN alone can be watched: whoever has a badge begins with that.
    if (here.shown_by === "pin") return [withStar(name, page("badge_missing")), out];
    const pin = field("pin", page("pin"), "password");
    const form = el("form", {}, pin, el("button", { type: "submit" }, page("add_pin")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send((typed) => ({ pin: typed }), pin);
    });
    return [withStar(name, page("pin_missing")), form, out];
  }

  nobody() {
    const id = field("person", page("badge_or_id"), "text");
    const pin = field("pin", page("pin"), "password");
    const form = el("form", {}, id, pin, el("button", { type: "submit" }, page("sign_in")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const person = id.value.trim();
      if (pin.value) {
        this.send((typed) => ({ person, pin: typed }), pin);
      } else if (person) {
        this.sendBadge(person, id, pin);
      }
    });
    return [form];
  }

  /** `shown` makes of the PIN what is shown. One try at a time, however often Enter is pressed. */
  async send(shown, pin) {
    const typed = pin.value.normalize("NFKC").trim();
    pin.value = "";
    if (this.busy) return;
    if (!PIN.test(typed)) {
      if (/\D/.test(typed)) hearCode(typed);
      else this.tell(page("pin_form"));
      return;
    }
    const asked = { ...shown(typed), perhaps_badge: pin.dataset.read ?? null };
    delete pin.dataset.read;
    const by = whoIsHere()?.person;
    this.working(true);
    const error = await signIn(asked);
    this.working(false);
    if (error?.code === OF_ASSET) {
      hearCode(typed);
      return;
    }
    const now = whoIsHere()?.person;
    // Whoever has taken over meanwhile has typed nothing; and where nobody is here any more it isn't the PIN.
    if (!error || (now !== undefined && now !== by)) return;
    this.tell(whyNot(error, asked.person === undefined && now !== undefined ? page("pin_wrong") : ""));
  }

  /** A badge that was typed, which doesn't stay to be read; or an id, which stays and wants its PIN. */
  async sendBadge(typed, id, pin) {
    if (this.busy) return;
    id.value = "";
    this.working(true);
    // An id wants its PIN, which may be there by now.
    const isId = (error) => error && error.code !== OF_ASSET && id.isConnected && parse(typed).kind !== "badge";
    const error = await showBadge(typed, (refused) => (isId(refused) ? pin : null));
    this.working(false);
    if (error?.code === OF_ASSET) {
      hearCode(typed);
    } else if (error) {
      this.refuse(error, typed);
      if (isId(error) && !id.value) id.value = typed;
    }
  }

  /** It takes its time to compare a PIN. */
  working(busy) {
    this.busy = busy;
    this.element.setAttribute("aria-busy", String(busy));
    this.tell(busy ? page("comparing") : "", "busy");
  }

  /** This code has let nobody in; it isn't shown, since it may be a badge. */
  refuse(error, code) {
    this.tell(whyNot(error, isProduct(code) ? page("product_code") : page("badge_unknown")));
  }

  /** What was told of a code isn't so of the next one. */
  forget() {
    if (!this.busy) this.tell("");
  }

  tell(text, state = "refused") {
    clearTimeout(this.telling);
    this.told.dataset.state = text ? state : "";
    this.told.textContent = text;
    if (text && state !== "busy") this.telling = setTimeout(() => this.tell(""), TOLD_MS);
  }

  focus() {
    this.element.querySelector("input")?.focus();
  }
}

/**
 * Shows a badge. Whoever it lets in goes on with the PIN, wherever the focus was, and what they type before
 * the daemon has answered is the PIN's already. Gives the error of the API, null for none; `otherwise` gives
 * the field of a PIN that is wanted all the same.
 */
export function showBadge(code, otherwise = () => null) {
  return catching(() => signIn({ scanned: code }), {
    label: page("pin"),
    pinFor: (error) => (error ? otherwise(error) : pinWanted()),
    isLost: (error) => error !== null && parse(code).kind === "badge",
  });
}

/** The field of the PIN that whoever is here has still to give: in what lies over the page, if anything does. */
function pinWanted() {
  if (whoIsHere()?.strong !== false) return null;
  const dialog = topDialog();
  const pinIn = (place) => place.querySelector('.sign-in input[name="pin"]');
  if (!dialog) return pinIn(byId("operator"));
  return pinIn(dialog) ?? pinIn(guestIn(dialog));
}

/** Stands in a dialog that has none of its own, for as long as a PIN is wanted there. */
let guest = null;

function guestIn(dialog) {
  guest ??= new Guest();
  dialog.prepend(guest.element);
  return guest.element;
}

class Guest extends SignIn {
  constructor() {
    super();
    this.element.classList.add("guest");
    // A dialog tells of its end to nobody but itself.
    document.addEventListener("close", ({ target }) => target.contains(this.element) && this.element.remove(), true);
  }

  show() {
    super.show();
    if (whoIsHere()?.strong !== false) this.element.remove();
  }
}

/** What is missing stands below the name, so that the head has room for both. */
const withStar = (name, missing) => el("span", { class: "here" }, name, el("small", { class: "star" }, missing));

/** Who was here, and in whose name it goes on. */
export const inWords = ({ onAnother, ...names }) => filled(page(onAnother ? "taken_over_elsewhere" : "taken_over"), names);

/** `unknown` is told where the daemon says no more than that nobody is known by what was shown. */
function whyNot(error, unknown) {
  if (error.code === "unreachable") return page("unreachable");
  if (error.code === "not_signed_in" && unknown) return unknown;
  return said(error.cause) || word("refusal", error.code);
}

/** A badge's code is no Japanese: keyboards on screens and IMEs are told so. */
const field = (name, label, type) =>
  el("input", {
    oninput: (event) => delete event.target.dataset.read,
    name,
    type,
    placeholder: label,
    "aria-label": label,
    "data-scan": name === "pin" ? "pin" : "id",
    inputmode: name === "pin" ? "numeric" : "url",
    autocapitalize: "off",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 128,
  });
