// Finds a slot or a handset by anything that is known of it: on the rack at once, else in the files.

import { el } from "./dom.js";
import { word } from "./words.js";

const MOST = 8;

export class Find {
  constructor({ rack, open }) {
    Object.assign(this, { rack, open });
    this.dialog = el("dialog", { id: "find-on-wall", class: "over-wall" });
    this.dialog.addEventListener("close", () => this.dialog.open || this.dialog.replaceChildren());
    document.body.append(this.dialog);
  }

  /** Leaves nothing of what was found. */
  clear() {
    this.dialog.close();
    this.dialog.replaceChildren();
  }

  show() {
    const input = el("input", {
      type: "search",
      id: "wall-search",
      "data-scan": "aside",
      inputmode: "url",
      lang: "en",
      autocapitalize: "off",
      autocomplete: "off",
      spellcheck: "false",
      maxlength: 80,
    });
    const found = el("ul", { role: "list" });
    const list = () => found.replaceChildren(...this.matches(input.value).map((slot) => this.line(slot)));
    input.addEventListener("input", list);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) this.go(input.value);
    });
    this.dialog.setAttribute("aria-label", word("answering", "search"));
    this.dialog.replaceChildren(
      el("label", { for: "wall-search" }, word("answering", "search")),
      input,
      found,
      el("p", {}, word("answering", "search_hint")),
    );
    this.dialog.showModal();
    input.focus();
  }

  /** Full-width letters, as an IME leaves them, are the same as others. */
  matches(text) {
    const asked = text.normalize("NFKC").trim().toLowerCase();
    if (!asked) return [];
    const told = ({ slot, job, handset, asset }) => [slot, job, handset?.imei, handset?.serial, handset?.model, handset?.name, asset?.tag];
    const hit = (slot) => told(slot).some((one) => one?.toLowerCase().includes(asked));
    return [...this.rack.slots.values()].filter(hit).sort((one, other) => exact(other, asked) - exact(one, asked)).slice(0, MOST);
  }

  line(slot) {
    const { handset, asset } = slot;
    const told = [slot.slot, asset?.tag, handset?.model, handset?.serial, handset?.imei].filter(Boolean).join("  ");
    return el("li", {}, el("button", { type: "button", onclick: () => this.toSlot(slot.slot) }, told));
  }

  go(text) {
    const [first] = this.matches(text);
    const asked = text.normalize("NFKC").trim();
    if (first) this.toSlot(first.slot);
    else if (asked) location.assign(`/handsets?${new URLSearchParams({ q: asked })}`);
  }

  toSlot(name) {
    this.dialog.close();
    this.open(name);
  }
}

const exact = (slot, asked) => Number(slot.slot.toLowerCase() === asked);
