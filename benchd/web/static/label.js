// The label of a handset: which it is, where it goes and why, to be printed and stuck to it.

import { jobUrl, read } from "./api.js";
import { byId, el } from "./dom.js";
import { printersHere, printLabel } from "./printing.js";
import { endOf, handsetOf, jobPage, link, reasonOf } from "./tables.js";
import { current, word } from "./words.js";

export class LabelPage {
  name = "handsets";
  hasOwnZone = true;

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
    return [
      el("h2", { class: "back" }, word("find", "label")),
      el(
        "p",
        { class: "back doing" },
        link(jobPage(job.job), word("find", "title")),
        el("button", { id: "print", type: "button", onclick: printDrawn }, word("act", "print")),
      ),
      ...file.printers.map((printer) => atPrinter(job, printer)),
      drawn(job),
    ];
  }
}

/** A picture that is still on its way would be missing on the paper. */
async function printDrawn() {
  await document.querySelector("img.label")?.decode();
  print();
}

/** The daemon's own picture of the label, with its code and its date, as every printer has it. */
function drawn(job) {
  const asked = new URLSearchParams({ lang: current() });
  const said = [endOf(job), handsetOf(job), reasonOf(job), job.tag ?? job.job].filter(Boolean).join(" · ");
  const image = el("img", { class: "label", src: `${jobUrl(job.job)}/label.svg?${asked}`, alt: said });
  // Without its picture there is nothing to be printed.
  image.addEventListener("error", () => {
    byId("print")?.remove();
    image.replaceWith(el("p", { class: "nothing", role: "alert" }, word("find", "no_label")));
  });
  return image;
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
