// Takes what is typed while nobody knows yet where it belongs: after a badge comes a PIN, also before the
// daemon has said whose badge it is, and in no field that everybody can read.

import { el } from "./dom.js";
import { isField } from "./scans.js";

let open = null;

/** What is over everything else; what lies behind it can't be reached. */
export const topDialog = () => [...document.querySelectorAll("dialog[open]")].at(-1) ?? null;

/** Where somebody is typing, or was, and will be again. */
export const typingIn = () => open?.before ?? document.activeElement;

/** Has somebody type on in a field, now or as soon as it's known that it is meant. */
export function typeOnIn(field) {
  if (open) open.before = field;
  else field.focus();
}

class Catcher {
  constructor(label) {
    this.waiting = 0;
    this.before = document.activeElement;
    this.input = el("input", { type: "password", class: "unseen", "data-scan": "pin", "aria-label": label, inputmode: "numeric", autocomplete: "off", maxlength: 128 });
    this.input.addEventListener("input", () => {
      this.entered = false;
      delete this.input.dataset.read;
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) this.entered = this.input.value !== "";
    });
    (topDialog() ?? document.body).append(this.input);
    this.input.focus({ preventScroll: true });
  }

  /** What was typed before this belonged to another badge. */
  begin() {
    this.waiting += 1;
    this.entered = false;
    this.input.value = "";
  }

  /** A PIN that is complete goes where the one would have gone that was typed there. */
  toPin(pin) {
    const { value, dataset } = this.input;
    if (value) pin.value = value;
    if (value && dataset.read !== undefined) pin.dataset.read = dataset.read;
    pin.focus();
    if (this.entered) setTimeout(() => pin.form?.requestSubmit());
  }

  /** Whoever was typing goes on where they were. */
  back({ lost }) {
    const now = this.before.isConnected ? this.before : document.getElementById(this.before.id);
    if (!now || now === document.body) return;
    now.focus({ preventScroll: true });
    if (lost || !isField(now) || !this.input.value) return;
    now.setRangeText(this.input.value, now.selectionStart ?? now.value.length, now.selectionEnd ?? now.value.length, "end");
    now.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/**
 * Keeps what is typed until `asked` is told; gives what that was told. `pinFor` gives for it the field of the
 * PIN that is wanted then, or null; `isLost` whether what was typed is somebody's PIN all the same.
 */
export async function catching(asked, { label, pinFor, isLost }) {
  open ??= new Catcher(label);
  const mine = open;
  mine.begin();
  const told = await asked();
  mine.waiting -= 1;
  if (mine.waiting > 0) return told;
  open = null;
  const pin = pinFor(told);
  mine.input.remove();
  if (pin) mine.toPin(pin);
  else mine.back({ lost: isLost(told) });
  return told;
}
