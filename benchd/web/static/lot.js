// One lot: its papers, its file of handsets, what was made sure of, and the handsets themselves.

import { act, read } from "./api.js";
import { attestations } from "./attest.js";
import { importer } from "./csv_import.js";
import { el } from "./dom.js";
import { choices, folded, form, line } from "./forms.js";
import { gradeForm } from "./grades.js";
import { facts, jobPage, link, moment, table } from "./tables.js";
import { bracketed, word } from "./words.js";

const REASONS = ["no_power", "broken_screen", "broken_port"];
const PAGE = 200;
const PARTS = ["imei", "serial", "model", "colour", "grade"];

const t = (value) => word("lots", value);

export class LotPage {
  name = "lots";

  constructor(lot, asked) {
    this.lot = lot;
    this.path = `/api/v1/lots/${encodeURIComponent(lot)}`;
    this.skip = Math.max(0, Math.floor(Number(asked.get("skip")) || 0));
    this.recorded = () => "";
  }

  async load() {
    const lot = await read(this.path);
    if (lot.error) return lot;
    const query = new URLSearchParams({ lot: this.lot, limit: PAGE, skip: this.skip });
    const assets = await read(`/api/v1/assets?${query}`);
    const scale = await read("/api/v1/grades");
    const failed = [assets, scale].find((answer) => answer.error);
    return failed ?? { told: { ...lot.told, handsets: assets.told, scale: scale.told } };
  }

  elements(told, frame) {
    this.frame = frame;
    const path = `${this.path}/assets`;
    const again = choices("again", t("again"), [["again", t("again_hint")]]);
    return [
      el("p", { class: "back" }, link("/lots", t("title"))),
      el("h2", {}, `${t("lot")} ${told.lot}`),
      facts([
        [t("kind"), word("lot_kind", told.kind)],
        [t("consignor"), told.consignor],
        [t("paper"), told.paper],
        [t("identity"), told.identity_check],
        [t("taken_in"), `${moment(told.taken_in_at)} ${told.operator}`],
      ]),
      counts(told),
      ...(told.assets > 0 ? [papers(told.lot)] : []),
      el("p", { class: "good", role: "status" }, this.recorded()),
      folded(
        "import",
        t("import"),
        told.assets === 0,
        importer("assets", {
          path: `${path}.csv`,
          hint: t("import_hint"),
          sample: "/static/assets.csv",
          fields: [again],
          query: () => ({ again: again.value !== null }),
          done: ({ rows, late }) => this.done(() => `${t("taken")}: ${rows}${late ? ` · ${t("whole_late")} ${late}` : ""}`),
        }),
      ),
      folded("one", t("add_one"), false, this.one(path)),
      folded("grading", word("grades", "give"), false, this.grading(told)),
      folded("dead", t("dead"), false, this.dead()),
      ...attestations(told, this.path, () => this.done()),
      ...this.assets(told),
    ];
  }

  done(what = () => word("act", "recorded")) {
    this.recorded = what;
    return this.frame.again();
  }

  one(path) {
    const tag = line("one-tag", t("tag"), { longest: 64, needed: true });
    const parts = PARTS.map((part) => line(`one-${part}`, t(part)));
    return form("one", {
      fields: [tag, ...parts],
      button: t("add_one"),
      cause: t("one_refused"),
      send: () => {
        const told = parts.map((field, place) => [PARTS[place], field.value || null]);
        return act(path, { tag: tag.value, ...Object.fromEntries(told) });
      },
      done: () => this.done(),
    });
  }

  grading({ scale }) {
    const tag = line("grade-tag", t("tag"), { hint: word("grades", "tag_hint"), longest: 64, needed: true });
    const path = () => `/api/v1/assets/${encodeURIComponent(tag.value)}/grade`;
    return gradeForm(scale, { path, before: [tag], done: () => this.done() });
  }

  dead() {
    const tag = line("dead-tag", t("tag"), { hint: t("dead_hint"), longest: 64, needed: true });
    const reason = choices("dead-reason", word("word", "reason"), REASONS.map((one) => [one, word("unerasable", one)]), { one: true, needed: true });
    const note = line("dead-note", word("word", "note"));
    return form("dead", {
      fields: [tag, reason, note],
      button: t("dead_do"),
      cause: t("dead_refused"),
      send: () => act(`/api/v1/assets/${encodeURIComponent(tag.value)}/unerasable`, { reason: reason.value, note: note.value }),
      done: () => this.done(),
    });
  }

  assets({ assets, handsets }) {
    if (handsets.assets.length === 0) return [el("p", { class: "nothing" }, t("no_assets"))];
    const rows = handsets.assets.map((asset) => [asset.tag, ...PARTS.map((part) => asset[part]), asset.graded?.code, state(asset)]);
    const headings = [t("tag"), ...PARTS.map(t), word("grades", "grade"), word("word", "state")];
    const from = this.skip + 1;
    const last = this.skip + handsets.assets.length;
    const to = (skip) => `/lots?lot=${encodeURIComponent(this.lot)}&skip=${skip}`;
    return [
      table(`${word("word", "count")}: ${from}-${last} / ${assets}`, headings, rows),
      el(
        "p",
        { class: "leaf" },
        this.skip > 0 ? link(to(Math.max(0, this.skip - PAGE)), word("act", "before")) : null,
        handsets.more ? link(to(this.skip + PAGE), word("act", "after")) : null,
      ),
    ];
  }
}

function counts(told) {
  const count = (number, name) => el("li", {}, el("b", {}, String(number)), ` ${t(name)}`);
  return el("ul", { class: "counts" }, count(told.assets, "assets"), count(told.in_jobs, "in_jobs"), count(told.unerasable, "unerasable"));
}

/** All that leaves the house with this lot. */
function papers(lot) {
  return el("p", {}, link(`/api/v1/papers.zip?${new URLSearchParams({ lot })}`, t("papers")), ` ${t("papers_hint")}`);
}

/** Where an asset is: in which job it was last, or why it never will be. */
function state(asset) {
  if (asset.unerasable) return `${word("unerasable", asset.unerasable)}${bracketed(word("disposition", asset.disposition))}`;
  const job = asset.jobs.at(-1);
  return job ? link(jobPage(job), job) : t("not_yet");
}
