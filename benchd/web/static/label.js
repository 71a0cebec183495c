// The label of a handset: which it is, where it goes and why, to be printed and stuck to it.

import { read } from "./api.js";
import { el } from "./dom.js";
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

  load() {
    return read(`/api/v1/handsets/${encodeURIComponent(this.job)}`);
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

/** No label says of a handset what it was once. */
const older = (newest) => [
  el("h2", { class: "back" }, word("find", "label")),
  el("p", { class: "caution", role: "alert" }, word("find", "label_of_older")),
  el("p", { class: "back doing" }, link(`/handsets?${new URLSearchParams({ label: newest.job })}`, word("find", "label_of_newest"))),
];
