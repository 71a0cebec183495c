// The report over racks, lots and consignors: a rack's own figures, of all of them together.

import { el } from "/static/dom.js";
import { byRackClock, link, nothing, table, zone } from "/static/tables.js";
import { said, word } from "/static/words.js";
import { ask, share, token } from "./centre.js";

const ONLY = ["rack", "lot", "consignor"];
const SUMMED = ["came_in", "certified", "returned", "destroyed", "waiting", "running", "not_erasable"];
const t = (value) => word("fleet", value);
const r = (value) => word("report", value);
const HEADINGS = {
  came_in: () => t("came_in"),
  certified: () => word("became", "sold"),
  returned: () => word("disposal_state", "returned"),
  destroyed: () => word("disposal_state", "destroyed"),
  waiting: () => t("waiting"),
  running: () => word("became", "running"),
  not_erasable: () => r("sum_not_erasable"),
};

export class ReportPage {
  name = "report";
  none = null;

  constructor() {
    const asked = new URLSearchParams(location.search);
    this.from = asked.get("from") ?? "";
    this.to = asked.get("to") ?? "";
    // A blank one asks for what is of none.
    this.only = Object.fromEntries(ONLY.filter((name) => asked.has(name)).map((name) => [name, asked.get(name)]));
  }

  query(more = {}) {
    const days = Object.entries({ from: this.from, to: this.to }).filter(([, day]) => day);
    return new URLSearchParams({ ...Object.fromEntries(days), ...this.only, ...more });
  }

  async load() {
    if (!token()) return { error: "not_signed_in" };
    const report = await ask(`/v1/report?${this.query()}`);
    if (!report.told) return report;
    byRackClock(report.told.end);
    this.from = report.told.from;
    this.to = report.told.to;
    return report;
  }

  elements(report) {
    const title = el("h2", {}, r("title"));
    if (!report) return [title, this.asking()];
    const scope = Object.entries(this.only).map(([name, value]) => `${nameOf(name)}: ${value || r("of_none")}`);
    const span = el("p", { class: "span" }, [`${report.from} – ${report.to} ${zone()}`, ...scope].join(" · "));
    if (report.summary.came_in === 0) return [title, this.asking(), span, ...notes(report), nothing(t("none_came_in"))];
    return [title, this.asking(), span, ...notes(report), this.whole(report), ...this.shares(report), this.figures(report), nothing(t("report_means"))];
  }

  asking() {
    const field = (id, label, type, value) => [el("label", { for: id }, label), el("input", { id, name: id, type, autocomplete: "off", maxlength: 200, value })];
    const submit = (event) => {
      event.preventDefault();
      const typed = [...new FormData(event.target)].map(([name, value]) => [name, value.trim()]);
      location.assign(`/report?${new URLSearchParams(typed.filter(([, value]) => value))}`);
    };
    return el(
      "form",
      { class: "asking", onsubmit: submit },
      ...field("from", r("from"), "date", this.from),
      ...field("to", r("to"), "date", this.to),
      ...ONLY.flatMap((name) => field(name, nameOf(name), "text", this.only[name] ?? "")),
      el("button", { class: "do" }, word("act", "show")),
      ...[0, 1].map((back) => link(`/report?${new URLSearchParams({ ...month(back), ...this.only })}`, t(back ? "last_month" : "this_month"))),
    );
  }

  whole(report) {
    return table(t("in_all"), headings(), [cells(report.summary)]);
  }

  /** One line for each rack, consignor and lot. */
  shares(report) {
    return ["rack", "consignor", "lot"].flatMap((name) => {
      const shares = report[`${name}s`];
      if (shares.length === 0 || name in this.only) return [];
      const rows = shares.map((one) => [link(`/report?${this.query({ [name]: one[name] ?? "" })}`, one[name] || r("of_none")), ...cells(one.summary)]);
      return [table(t(`by_${name}`), [nameOf(name), ...headings()], rows)];
    });
  }

  /** All that a rack's own report tells, too. */
  figures({ figures }) {
    const tables = figures
      .filter((figure) => figure.values.length)
      .map((figure) => table(said(figure.text), [r("value"), word("word", "count")], figure.values.map((value) => [said(value.text) || (value.value === "all" ? t("in_all") : value.value), number(value.handsets)])));
    return el("div", { class: "figures" }, ...tables);
  }
}

const number = (count) => el("span", { class: "number" }, String(count));

const nameOf = (name) => (name === "rack" ? t("rack") : r(name));

const headings = () => [...SUMMED.map((name) => HEADINGS[name]()), t("yield")];

const cells = (summary) => [...SUMMED.map((name) => number(summary[name])), number(share(summary.certified, summary.came_in - summary.running))];

/** What keeps these figures from being all there is to say. */
function notes(report) {
  const told = [
    report.uncounted ? `${t("uncounted")} ${report.uncounted}` : null,
    report.forked.length ? `${t("forked")} ${report.forked.join(", ")}` : null,
    report.restored.length ? `${t("lost_counts")} ${report.restored.join(", ")}` : null,
    report.more ? t("more_shares") : null,
  ];
  return told.filter(Boolean).map((text) => el("p", { class: "caution", role: "status" }, text));
}

/** The days of this month, or of the one before it. */
function month(back) {
  const now = new Date();
  const of = (year, index, at) => new Date(Date.UTC(year, index, at)).toISOString().slice(0, 10);
  const index = now.getMonth() - back;
  return { from: of(now.getFullYear(), index, 1), to: of(now.getFullYear(), index + 1, 0) };
}
