// What the ministry asks a dealer: figures of a time, each with the handsets behind it.

import { read } from "./api.js";
import { attendedTable } from "./attended.js";
import { el } from "./dom.js";
import { dayFrom, dayOf } from "./shift.js";
import { byRackClock, jobPage, jobsTable, link, nothing, row, table, zone } from "./tables.js";
import { said, word } from "./words.js";

const t = (value) => word("report", value);
const SHOWN_JOBS = 100;
/** How a lot or a consignor is summed up in one line: figure and value; without one, all of them. */
const SUMMED = [
  ["came_in", "all"],
  ["with_data", "with"],
  ["felica", "in_use"],
  ["not_erasable", null],
  ["became", "sold"],
];

export class ReportPage {
  name = "report";
  hasOwnZone = true;

  constructor(asked) {
    // Blank until the daemon has told this month and today by its own calendar.
    this.from = asked.get("from") || "";
    this.to = asked.get("to") || "";
    // A blank one asks for what is of none.
    this.only = Object.fromEntries(["lot", "consignor"].filter((name) => asked.has(name)).map((name) => [name, asked.get(name)]));
    this.behind = asked.has("figure") ? { figure: asked.get("figure"), value: asked.get("value") ?? "" } : null;
    this.skip = Math.max(0, Math.floor(Number(asked.get("skip")) || 0));
  }

  query(more = {}) {
    const days = Object.entries({ from: this.from, to: this.to }).filter(([, day]) => day);
    return new URLSearchParams({ ...Object.fromEntries(days), ...this.only, ...more });
  }

  async load() {
    const report = await read(`/api/v1/report?${this.query()}`);
    if (report.error) return report;
    // A day begins where the rack stands, as a shift does, and every time beside it is told so.
    byRackClock(report.told.end);
    [this.from, this.to] = [dayOf(report.told.begin), dayFrom(dayOf(report.told.end), -1)];
    if (!this.behind) return report;
    const value = this.counted(report.told);
    const numbers = (value?.jobs ?? []).slice(this.skip, this.skip + SHOWN_JOBS);
    if (numbers.length === 0) return { told: { ...report.told, jobs: [] } };
    const jobs = await read(`/api/v1/records/jobs?${new URLSearchParams(numbers.map((job) => ["job", job]))}`);
    return jobs.error ? jobs : { told: { ...report.told, jobs: jobs.told.jobs } };
  }

  counted(report) {
    const figure = report.figures.find((one) => one.figure === this.behind.figure);
    return figure?.values.find((one) => one.value === this.behind.value) ?? null;
  }

  elements(report) {
    const scope = Object.entries(this.only).map(([name, value]) => `${word("report", name)}: ${value || word("word", "none")}`);
    const title = el("h2", {}, [`${t("title")} ${this.from} – ${this.to} ${zone()}`, ...scope].join(" · "));
    return this.behind ? [title, ...this.handsets(report)] : [title, this.asking(), ...this.figures(report), ...this.shares(report), ...people(report), upto(report)];
  }

  asking() {
    const field = (id, label, type, value) => {
      const input = el("input", { id, type, autocomplete: "off", maxlength: 200, value });
      input.addEventListener("keydown", (event) => event.key === "Enter" && show());
      return [el("label", { for: id }, label), input];
    };
    const from = field("from", t("from"), "date", this.from);
    const to = field("to", t("to"), "date", this.to);
    const lot = field("only-lot", t("only_lot"), "text", this.only.lot ?? "");
    const show = () => {
      const only = lot[1].value.trim() ? { lot: lot[1].value.trim() } : {};
      location.assign(`/report?${new URLSearchParams({ from: from[1].value, to: to[1].value, ...only })}`);
    };
    return el(
      "div",
      { class: "asking", role: "search" },
      ...from,
      ...to,
      ...lot,
      el("button", { type: "button", onclick: show }, word("act", "show")),
      el("a", { class: "button", href: `/api/v1/report.csv?${this.query()}`, download: `report-${this.from}-${this.to}.csv` }, t("csv")),
      el("button", { type: "button", onclick: () => print() }, word("act", "print")),
    );
  }

  figures({ figures }) {
    const all = total(figures);
    if (!all) return [nothing(t("nothing"), t("nothing_step"))];
    const tables = figures
      .filter((figure) => figure.values.length)
      .map((figure) => {
        const rows = figure.values.map((value) => row([nameOf(figure, value), this.number(figure, value)], { "data-figure": figure.figure, "data-value": value.value }));
        return table(said(figure.text), [t("value"), word("word", "count")], rows);
      });
    return [el("div", { class: "figures" }, ...tables)];
  }

  number(figure, value) {
    const href = `/report?${this.query({ figure: figure.figure, value: value.value })}`;
    const made = link(href, String(value.handsets));
    made.setAttribute("aria-label", `${said(figure.text)} ${nameOf(figure, value)}: ${value.handsets}`);
    made.classList.add("number");
    return made;
  }

  /** The same in one line for each consignor and each lot, where the daemon tells them. */
  shares(report) {
    return [
      ["consignor", report.consignors ?? []],
      ["lot", report.lots ?? []],
    ].flatMap(([name, shares]) => {
      if (shares.length === 0 || name in this.only) return [];
      const rows = shares.map((share) => {
        const own = share[name] ?? "";
        const href = `/report?${new URLSearchParams({ from: this.from, to: this.to, [name]: own })}`;
        return [link(href, own || t("of_none")), ...SUMMED.map(([figure, value]) => el("span", { class: "number" }, String(sum(share.figures, figure, value))))];
      });
      return [table(t(`by_${name}`), [t(name), ...SUMMED.map(([figure, value]) => heading(report.figures, figure, value))], rows)];
    });
  }

  /** The handsets behind one figure. */
  handsets(report) {
    const back = el("p", { class: "back" }, link(`/report?${this.query()}`, t("back")));
    const figure = report.figures.find((one) => one.figure === this.behind.figure);
    const value = this.counted(report);
    if (!value) return [back, el("p", { class: "nothing" }, t("nothing"))];
    const name = `${said(figure.text)} — ${nameOf(figure, value)}: ${value.handsets}`;
    const leaf = (skip, text) => link(`/report?${this.query({ figure: figure.figure, value: value.value, skip })}`, text);
    const known = new Set(report.jobs.map((job) => job.job));
    const other = value.jobs.slice(this.skip, this.skip + SHOWN_JOBS).filter((job) => !known.has(job));
    return [
      back,
      report.jobs.length ? jobsTable(name, report.jobs) : el("h3", {}, name),
      plain(other.map((job) => link(jobPage(job), job))),
      plain((value.assets ?? []).map((tag) => link(`/handsets?${new URLSearchParams({ q: tag })}`, `${word("lots", "tag")} ${tag}`))),
      el(
        "p",
        { class: "leaf" },
        this.skip > 0 ? leaf(Math.max(0, this.skip - SHOWN_JOBS), word("act", "before")) : null,
        value.jobs.length > this.skip + SHOWN_JOBS ? leaf(this.skip + SHOWN_JOBS, word("act", "after")) : null,
      ),
    ];
  }
}

/** Where people's time went, of all that was asked for. */
const people = ({ attended }) => (attended.length ? [attendedTable(attended, word("attended", "title"))] : []);

const plain = (links) => (links.length ? el("ul", { class: "perhaps" }, ...links.map((one) => el("li", {}, one))) : el("span"));

const total = (figures) => sum(figures, "came_in", null);

function sum(figures, figure, value) {
  const values = figures.find((one) => one.figure === figure)?.values ?? [];
  return values.filter((one) => value === null || one.value === value).reduce((count, one) => count + one.handsets, 0);
}

/** A figure that isn't divided has one value without a name. */
const nameOf = (figure, value) => said(value) || (value.value === "all" ? said(figure.text) : value.value);

function heading(figures, name, value) {
  const figure = figures.find((one) => one.figure === name);
  if (value === null) return t(`sum_${name}`);
  if (value === "all") return said(figure.text);
  return `${said(figure.text)}: ${t(`sum_${value}`)}`;
}

const upto = (report) => el("p", { class: "upto" }, `${word("act", "upto")} ${report.upto.sequence}`);
