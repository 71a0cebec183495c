// Handsets by a part of any of their numbers.

import { read } from "./api.js";
import { el } from "./dom.js";
import { leading } from "./forms.js";
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
    return [
      el("h2", {}, t("title")),
      leading("q", t("ask"), t("find"), (q) => `/handsets?${new URLSearchParams({ q })}`, { maxlength: 80, value: this.wanted }),
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
