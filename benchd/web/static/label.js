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
    const job = file.jobs.find((one) => one.job === this.job) ?? file.jobs.at(-1);
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
