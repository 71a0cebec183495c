// Which keys do what, and what a scanner does; over whatever is shown.

import { el } from "./dom.js";
import { word } from "./words.js";

const KEYS = [
  ["← ↑ ↓ →", "arrows"],
  ["Enter", "enter"],
  ["1 / Y", "yes"],
  ["2 / N", "no"],
  ["O  V  X  -", "signs"],
  ["I", "note"],
  ["Esc", "escape"],
  ["N", "next"],
  ["S", "skip"],
  ["L", "bind"],
  ["P", "print"],
  ["/", "search"],
  ["F9", "lock"],
  ["?", "help"],
];

export class Help {
  constructor() {
    this.dialog = el("dialog", { id: "help", class: "over-wall", "aria-labelledby": "help-title" });
    document.body.append(this.dialog);
  }

  show() {
    this.relabel();
    if (!this.dialog.open) this.dialog.showModal();
  }

  relabel() {
    const t = (value) => word("help", value);
    const rows = KEYS.flatMap(([keys, what]) => [el("dt", {}, ...keys.split("  ").map((key) => el("kbd", {}, key))), el("dd", {}, t(what))]);
    this.dialog.replaceChildren(
      el("h2", { id: "help-title" }, t("title")),
      el("dl", {}, ...rows),
      el("h3", {}, t("scanner")),
      el("p", {}, t("scanner_told")),
      el("p", {}, el("a", { href: "/cards" }, t("cards"))),
      el("button", { type: "button", autofocus: true, onclick: () => this.dialog.close() }, word("page", "close")),
    );
  }
}
