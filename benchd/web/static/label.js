// The label of a handset: which it is, where it goes and why, to be printed and stuck to it.

import { jobUrl, read } from "./api.js";
import { byId, el } from "./dom.js";
import { printersHere, printLabel } from "./printing.js";
import { endOf, handsetOf, jobPage, link, moment, numberOf, reasonOf, tight } from "./tables.js";
import { word } from "./words.js";

const SHOWN_DIGITS = 6;

export class LabelPage {
  name = "handsets";

  constructor(job) {
    this.job = job;
    // Paper of its own size, which no other page is to be printed on.
    document.head.append(el("link", { rel: "stylesheet", href: "/static/label.css" }));
  }

  async load({ prints }) {
    const [answer, printers] = await Promise.all([
      read(`/api/v1/handsets/${encodeURIComponent(this.job)}`),
      prints ? printersHere() : [],
    ]);
    return answer.told ? { told: { ...answer.told, printers } } : answer;
  }

  elements(file) {
    // Only the newest job says what the handset is now.
    const job = file.jobs.at(-1);
    if (job.job !== this.job) return older(job);
    const number = numberOf(job);
    return [
      el("h2", { class: "back" }, word("find", "label")),
      el(
        "p",
        { class: "back doing" },
        link(jobPage(job.job), word("find", "title")),
        el("button", { id: "print", type: "button", onclick: () => print() }, word("act", "print")),
      ),
      ...file.printers.map((printer) => atPrinter(job, printer)),
      el(
        "article",
        { class: "label" },
        el("p", { class: "goes" }, endOf(job)),
        el("p", { class: "name" }, handsetOf(job)),
        el("p", {}, reasonOf(job)),
        el("p", {}, number ? `…${number.slice(-SHOWN_DIGITS)}` : ""),
        el("p", { class: "foot" }, el("b", {}, job.tag ?? job.job), el("span", {}, tight(moment(job.ended_at ?? job.opened_at).slice(0, 10)))),
      ),
    ];
  }
}

/** As it comes out there, to the dot. */
const atPrinter = (job, printer) => {
  const asked = new URLSearchParams({ printer });
  const print = async () => {
    byId("announcer").textContent = await printLabel(job.job, printer);
  };
  return el(
    "section",
    { class: "back at-printer" },
    el("button", { id: `print-${printer}`, type: "button", onclick: print }, `${word("act", "print")}: ${printer}`),
    el("img", { src: `${jobUrl(job.job)}/label.png?${asked}`, alt: word("find", "label") }),
  );
};

/** No label says of a handset what it was once. */
const older = (newest) => [
  el("h2", { class: "back" }, word("find", "label")),
  el("p", { class: "caution", role: "alert" }, word("find", "label_of_older")),
  el("p", { class: "back doing" }, link(`/handsets?${new URLSearchParams({ label: newest.job })}`, word("find", "label_of_newest"))),
];
