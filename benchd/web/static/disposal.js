// What waits for somebody: tray, HOLD, RETURN, DESTROY, the oldest first; and what has become of it.

import { read } from "./api.js";
import { mayBeBadge } from "./codes.js";
import { el } from "./dom.js";
import { leading } from "./forms.js";
import { SHORTEST_BADGE } from "./session.js";
import { Settling } from "./settling.js";
import { becameOf, handsetCell, handsetOf, jobPage, link, lotCell, lotHeading, moment, nothing, numberOf, reasonOf, row, table, tight } from "./tables.js";
import { bracketed, said, word } from "./words.js";

const OPEN = ["tray", "held", "rerun_due", "to_return", "to_destroy"];
const MOST_SHOWN = 500;
const LOOK_AGAIN_MS = 1_000;

const t = (value) => word("disposal", value);

export class DisposalPage {
  name = "disposal";

  constructor(asked) {
    this.batch = asked.get("batch");
    this.state = OPEN.includes(asked.get("state")) ? asked.get("state") : null;
    this.settling = new Settling(this);
  }

  load() {
    return read(this.batch ? `/api/v1/disposal?${new URLSearchParams({ batch: this.batch })}` : "/api/v1/disposal");
  }

  elements({ items, upto }, frame) {
    if (this.batch) return batchList(this.batch, items, upto);
    this.frame = frame;
    // The list follows what was recorded: until it has, an item isn't offered as it was.
    const behind = items.filter((item) => this.settling.isBehind(item));
    if (behind.length) setTimeout(() => frame.again(), LOOK_AGAIN_MS);
    this.open = items.filter((item) => !behind.includes(item));
    const wanted = this.open.filter((item) => this.state === null || item.job.state === this.state);
    return [
      el("h2", {}, t("title")),
      this.states(),
      // Also where the list has only others: what is scanned may be of any state.
      this.open.length ? this.settling.element(this.open) : null,
      wanted.length ? null : nothing(t(this.open.length ? "none_in_state" : "none_open"), link("/", word("nav", "rack"))),
      this.settling.outcome(),
      ...(wanted.length ? [this.list(wanted)] : []),
      leading("show-batch", t("show_batch"), word("act", "show"), (batch) => `/disposal?${new URLSearchParams({ batch })}`),
    ].filter(Boolean);
  }

  /** A scan chooses its handset and never leads away from what is chosen already; a text may be a badge. */
  hear(told) {
    if (!this.open?.length || told.kind === "answer") return false;
    if (this.settling.scan(told.words)) return true;
    const isPerhapsBadge = mayBeBadge(told) && told.words.some((one) => one.length >= SHORTEST_BADGE);
    if (isPerhapsBadge) this.settling.tell("");
    else this.settling.tell("scan_none");
    return !isPerhapsBadge;
  }

  /** It was nobody's badge either; gives whether that was for this page to say. */
  unheard() {
    if (!this.open?.length) return false;
    this.settling.tell("scan_none");
    return true;
  }

  /** How many wait in each state; each leads to those alone. */
  states() {
    const count = (state) => this.open.filter((item) => state === null || item.job.state === state).length;
    const tab = (state) =>
      link(
        state ? `/disposal?state=${state}` : "/disposal",
        el("span", {}, el("b", {}, String(count(state))), ` ${state ? word("disposal_state", state) : t("all")}`),
      );
    const tabs = [null, ...OPEN].map((state) => {
      const made = tab(state);
      if (state === this.state) made.setAttribute("aria-current", "true");
      return el("li", {}, made);
    });
    return el("ul", { class: "tabs" }, ...tabs);
  }

  list(items) {
    const shown = items.slice(0, MOST_SHOWN);
    const caption = items.length > shown.length ? `${t("oldest_first")}${bracketed(`${shown.length} / ${items.length}`)}` : t("oldest_first");
    const headings = [t("choose"), word("word", "state"), word("word", "since"), word("word", "handset"), lotHeading(), word("word", "reason"), word("word", "job")];
    return table(caption, headings, shown.map((item) => this.line(item)), { id: "open" });
  }

  line(item) {
    const { job } = item;
    const box = el("input", {
      type: "checkbox",
      class: "pick",
      "aria-label": `${t("choose")} ${handsetOf(job)} ${numberOf(job)} ${job.job}`,
      onchange: (event) => this.settling.choose(item, event.target.checked),
    });
    box.checked = this.settling.has(item);
    const reason = el("div", {}, reasonOf(job) || word("disposal_state", job.state), el("small", {}, said(job.reason_text?.what_to_do)));
    return row(
      [
        box,
        tight(word("disposal_state", job.state)),
        tight(moment(job.since)),
        handsetCell(job),
        lotCell(job),
        reason,
        tight(link(jobPage(job.job), job.job)),
      ],
      { "data-job": job.job, "data-state": job.state },
    );
  }

  /** Shows in the list what was chosen by a scan. */
  mark() {
    for (const line of document.querySelectorAll("#open tr[data-job]")) {
      line.querySelector("input").checked = this.settling.chosen.has(line.dataset.job);
    }
  }
}

/** What goes to the recycler with the handsets, on paper. */
function batchList(batch, items, upto) {
  const rows = items.map((item, place) => [
    String(place + 1),
    handsetOf(item.job),
    tight(numberOf(item.job)),
    item.job.tag ?? "",
    becameOf(item.job),
    [item.settled?.recycler, item.settled?.number].filter(Boolean).join(" "),
    tight(item.settled?.done_on ?? moment(item.settled?.at).slice(0, 10)),
    link(jobPage(item.job.job), item.job.job),
  ]);
  const headings = [t("row"), word("word", "handset"), word("act", "number"), word("lots", "tag"), word("word", "became"), word("word", "papers"), t("done_on"), word("word", "job")];
  return [
    el("p", { class: "back" }, link("/disposal", t("title"))),
    el("h2", {}, `${t("batch")} ${batch}`),
    items.length ? table(`${t("handsets")}: ${items.length}`, headings, rows) : el("p", { class: "nothing" }, word("word", "nothing_found")),
    el("p", { class: "doing" }, el("button", { type: "button", class: "do", onclick: () => print() }, word("act", "print"))),
    el("p", { class: "upto" }, `${word("act", "upto")} ${upto.sequence}`),
  ];
}
