// Handsets by a part of any of their numbers.

import { read } from "./api.js";
import { el } from "./dom.js";
import { jobsTable } from "./tables.js";
import { word } from "./words.js";

const t = (value) => word("find", value);
const SHORTEST = 4;

export class FindPage {
  name = "handsets";

  constructor(wanted) {
    this.wanted = wanted.trim();
  }

  async load() {
    if (this.wanted.replace(/[^\p{L}\p{N}]/gu, "").length < SHORTEST) return { told: { handsets: null, more: false } };
    return read(`/api/v1/handsets?${new URLSearchParams({ find: this.wanted.slice(0, 80) })}`);
  }

  elements({ handsets, more }) {
    const input = el("input", { id: "q", type: "search", autocomplete: "off", spellcheck: "false", maxlength: 80, value: this.wanted });
    const find = () => location.assign(`/handsets?${new URLSearchParams({ q: input.value.trim() })}`);
    input.addEventListener("keydown", (event) => event.key === "Enter" && find());
    return [
      el("h2", {}, t("title")),
      el(
        "div",
        { class: "asking", role: "search" },
        el("label", { for: "q" }, t("ask")),
        input,
        el("button", { type: "button", onclick: find }, t("find")),
      ),
      this.found(handsets, more),
    ];
  }

  found(handsets, more) {
    if (handsets === null) return el("p", { class: "nothing" }, t("hint"));
    if (handsets.length === 0) return el("p", { class: "nothing", role: "status" }, word("word", "nothing_found"));
    const newest = handsets.map((handset) => handset.newest);
    return el(
      "div",
      {},
      jobsTable(`${t("found")}: ${handsets.length}`, newest),
      more ? el("p", { class: "nothing" }, word("word", "more_found")) : null,
    );
  }
}
