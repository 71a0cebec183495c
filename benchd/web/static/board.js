// The shift board: what was done, how much of it may be sold, where it fails, and what is open now.

import { read } from "./api.js";
import { el } from "./dom.js";
import { attendedTable, mostAttended } from "./attended.js";
import { binsTable, openHandsets, queueShort } from "./open_now.js";
import { pictured } from "./plots.js";
import { askedShift, clockOf, dayFrom, dayOf, keepHours, readShift, shiftQuery, spanOf } from "./shift.js";
import { jobsTable, link, named, nothing, table } from "./tables.js";
import { said, tenths, word } from "./words.js";

const t = (value) => word("board", value);
const EACH_MS = 60_000;
const SHOWN_JOBS = 100;

export class BoardPage {
  name = "board";

  constructor(asked) {
    this.asked = askedShift(asked);
    this.behind = asked.has("figure") ? { figure: asked.get("figure"), value: asked.get("value") ?? "" } : null;
    this.skip = Math.max(0, Math.floor(Number(asked.get("skip")) || 0));
  }

  async load() {
    const told = await readShift(this.asked);
    if (told.error || !this.behind) return told;
    const numbers = this.jobsOf(told.told.shift).slice(this.skip, this.skip + SHOWN_JOBS);
    if (numbers.length === 0) return { told: { ...told.told, jobs: [] } };
    const jobs = await read(`/api/v1/records/jobs?${new URLSearchParams(numbers.map((job) => ["job", job]))}`);
    return jobs.error ? jobs : { told: { ...told.told, jobs: jobs.told.jobs } };
  }

  elements(told, frame) {
    this.lookAgain(frame);
    const { shift } = told;
    this.shown = { ...this.asked, day: dayOf(shift.begin) };
    const title = el("h2", {}, `${t("title")} ${spanOf(shift)}`);
    if (this.behind) return [title, ...this.handsets(told)];
    return [
      title,
      this.choosing(shift),
      this.sums(shift),
      shift.ended === 0 ? nothing(t("nothing"), t("nothing_step")) : null,
      ...this.columns(told),
      openHandsets(told.rack),
      el("p", { class: "upto" }, `${t("as_of")} ${dayOf(shift.now)} ${clockOf(shift.now)} · ${word("act", "upto")} ${shift.upto.sequence}`),
    ].filter(Boolean);
  }

  /** By itself, once a minute: not while nobody sees it, nor under somebody's hand. */
  lookAgain(frame) {
    clearTimeout(this.next);
    this.next = setTimeout(() => {
      const busy = document.hidden || document.activeElement?.tagName === "INPUT" || document.querySelector("#page :active");
      if (busy) this.lookAgain(frame);
      else frame.again();
    }, EACH_MS);
  }

  choosing(shift) {
    const day = dayOf(shift.begin);
    const field = (id, label, type, value) => {
      const input = el("input", { id, type, value, autocomplete: "off" });
      input.addEventListener("keydown", (event) => event.key === "Enter" && show());
      return [el("label", { for: id }, label), input];
    };
    const on = field("day", t("day"), "date", day);
    const from = field("from", t("from"), "time", this.asked.from);
    const to = field("to", t("to"), "time", this.asked.to);
    const show = () => {
      const hours = { from: from[1].value || "00:00", to: to[1].value || "00:00" };
      keepHours(hours);
      // Today's shift goes on being today's, also tomorrow.
      const chosen = on[1].value === day && !this.asked.day ? "" : on[1].value;
      location.assign(`/board?${shiftQuery({ day: chosen, ...hours })}`);
    };
    const other = (days, text) => named(`day${days}`, link(`/board?${shiftQuery({ ...this.asked, day: dayFrom(day, days) })}`, text));
    return el(
      "div",
      { class: "choice", role: "search" },
      ...on,
      ...from,
      ...to,
      el("button", { id: "show-shift", type: "button", onclick: show }, word("act", "show")),
      other(-1, t("day_before")),
      other(1, t("day_after")),
      el("a", { id: "handover", class: "button", href: `/board?${shiftQuery(this.asked, { sheet: "handover" })}` }, t("handover")),
    );
  }

  sums(shift) {
    const sold = shift.went.filter((one) => ["sold", "rechecked"].includes(one.value)).flatMap((one) => one.jobs).length;
    const share = shift.share_sold === null ? "–" : tenths(shift.share_sold);
    const rate = shift.per_hour === null ? "–" : shift.per_hour.toFixed(1);
    const all = shift.went.flatMap((one) => one.jobs).length;
    const box = (name, value, small = "") => el("div", {}, el("dt", {}, t(name)), el("dd", { "data-sum": name }, value, small ? el("small", {}, ` ${small}`) : null));
    return el(
      "dl",
      { class: "sums" },
      box("done", this.number("done", "", all, t("done"))),
      box("share_sold", share, `${sold} / ${shift.handsets}`),
      box("per_hour", rate),
      box("failed", this.number("failed", "", shift.failed.length, t("failed")), `/ ${shift.ended}`),
    );
  }

  /** What a person has to do and where handsets went stand first; what is blank isn't there. */
  columns({ shift, queue }) {
    const some = shift.ended > 0;
    const by = Object.fromEntries(shift.failures.map((one) => [one.by, one.values.length ? this.failures(one, shift.plots) : null]));
    const people = shift.attended.length ? this.people(shift) : null;
    const left = [some ? this.hours(shift) : null, people, by.model, by.slot];
    const right = [queueShort(queue), some ? this.went(shift) : null, binsTable(shift.bins), by.reason];
    const stack = (parts) => el("div", { class: "stack" }, ...parts.filter(Boolean));
    return [el("div", { class: "beside" }, ...[left, right].filter((parts) => parts.some(Boolean)).map(stack))];
  }

  went(shift) {
    const rows = shift.went.map((one) => [said(one), this.number("went", one.value, one.jobs.length, said(one))]);
    return table(t("went"), [word("word", "disposition"), word("word", "count")], rows);
  }

  hours(shift) {
    const rows = shift.hours
      .filter((hour) => hour.jobs.length)
      .map((hour) => {
        const at = clockOf(hour.begin);
        return [at, this.number("hour", hour.begin, hour.jobs.length, `${at} ${t("done")}`), this.number("sold", hour.begin, hour.sold.length, `${at} ${t("sold")}`)];
      });
    return pictured("hours", t("hours"), shift.plots, [t("sold"), t("not_sold")], table(null, [t("hour"), t("done"), t("sold")], rows));
  }

  /** Where people's time goes; the step that takes most is said in words. */
  people({ attended, plots }) {
    return pictured("attended", word("attended", "title"), plots, null, attendedTable(attended), {
      most: mostAttended(attended),
      asTable: word("attended", "as_table"),
    });
  }

  failures({ by, text, values }, plots) {
    // Each reason is one of all jobs: only models and slots have a whole of their own.
    const whole = by !== "reason";
    const rows = values.map((one) => [said(one), this.number(by, one.value, one.jobs.length, said(one)), ...(whole ? [el("span", { class: "number" }, String(one.ended))] : [])]);
    const heading = { model: t("model"), slot: word("word", "slot"), reason: word("word", "reason") }[by];
    const headings = [heading, t("failed"), ...(whole ? [t("ended")] : [])];
    return pictured(by, said(text), plots, whole ? [t("failed"), t("ended")] : null, table(null, headings, rows));
  }

  /** A count that leads to the jobs in it. */
  number(figure, value, count, label) {
    const text = String(count);
    if (count === 0) return el("span", { class: "number" }, text);
    const made = named(`count-${figure}-${value}`, link(`/board?${shiftQuery(this.shown, { figure, value })}`, text));
    made.setAttribute("aria-label", `${label}: ${text}`);
    made.classList.add("number");
    return made;
  }

  /** The jobs behind a figure. */
  jobsOf(shift) {
    const { figure, value } = this.behind;
    const hour = shift.hours.find((one) => one.begin === value);
    switch (figure) {
      case "done":
        return shift.went.flatMap((one) => one.jobs).sort();
      case "went":
        return shift.went.find((one) => one.value === value)?.jobs ?? [];
      case "hour":
        return hour?.jobs ?? [];
      case "sold":
        return hour?.sold ?? [];
      case "failed":
        return shift.failed;
      default:
        return shift.failures.find((one) => one.by === figure)?.values.find((one) => one.value === value)?.jobs ?? [];
    }
  }

  nameOf(shift) {
    const { figure, value } = this.behind;
    switch (figure) {
      case "went":
        return said(shift.went.find((one) => one.value === value));
      case "hour":
        return `${clockOf(value)} ${t("done")}`;
      case "sold":
        return `${clockOf(value)} ${t("sold")}`;
      case "done":
      case "failed":
        return t(figure);
      default: {
        const of = shift.failures.find((one) => one.by === figure);
        return `${said(of?.text)} — ${said(of?.values.find((one) => one.value === value))}`;
      }
    }
  }

  handsets({ shift, jobs }) {
    const all = this.jobsOf(shift);
    const back = el("p", { class: "back" }, link(`/board?${shiftQuery(this.asked)}`, t("back")));
    if (all.length === 0) return [back, el("p", { class: "nothing" }, t("nothing"))];
    const leaf = (skip, text) => link(`/board?${shiftQuery(this.asked, { ...this.behind, skip })}`, text);
    return [
      back,
      jobsTable(`${this.nameOf(shift)}: ${all.length}`, jobs ?? []),
      el(
        "p",
        { class: "leaf" },
        this.skip > 0 ? leaf(Math.max(0, this.skip - SHOWN_JOBS), word("act", "before")) : null,
        all.length > this.skip + SHOWN_JOBS ? leaf(this.skip + SHOWN_JOBS, word("act", "after")) : null,
      ),
    ];
  }
}
