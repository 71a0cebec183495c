// Handsets by a part of any of their numbers.

import { read } from "./api.js";
import { assetsTable, jobsOf } from "./assets.js";
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
    const find = this.wanted.slice(0, 80);
    if (!find) return { told: { handsets: null, more: false, assets: [] } };
    const labels = await read(`/api/v1/assets?${new URLSearchParams({ find })}`);
    if (labels.error) return labels;
    const { assets } = labels.told;
    const known = { assets, jobs: await jobsOf(assets) };
    // A whole tag may be short; a part of anything else isn't.
    if (find.replace(/[^\p{L}\p{N}]/gu, "").length < SHORTEST) return { told: { handsets: null, more: false, ...known } };
    const { told, error } = await read(`/api/v1/handsets?${new URLSearchParams({ find })}`);
    return error ? { error } : { told: { ...told, ...known } };
  }

  elements(told) {
    return [
      el("h2", {}, t("title")),
      leading("q", t("ask"), t("find"), (q) => `/handsets?${new URLSearchParams({ q })}`, { maxlength: 80, value: this.wanted }),
      this.found(told),
    ];
  }

  found({ handsets, more, assets, jobs }) {
    if (handsets === null && assets.length === 0) return el("p", { class: "nothing" }, t("hint"));
    if ((handsets ?? []).length === 0 && assets.length === 0) return el("p", { class: "nothing", role: "status" }, word("word", "nothing_found"));
    const newest = (handsets ?? []).map((handset) => handset.newest);
    return el(
      "div",
      {},
      assets.length ? assetsTable(assets, jobs) : null,
      newest.length ? jobsTable(`${t("found")}: ${newest.length}`, newest) : null,
      more ? el("p", { class: "nothing" }, word("word", "more_found")) : null,
    );
  }
}
