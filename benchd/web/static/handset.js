// Everything about one handset across its jobs: the newest first, each with its story.

import { certificateUrl, read, readJob } from "./api.js";
import { el } from "./dom.js";
import { folded } from "./forms.js";
import { batteryOf, gradeForm, gradeOf, gradesGiven } from "./grades.js";
import { story } from "./story.js";
import { becameOf, endOf, facts, handsetOf, jobPage, link, lotPage, moment, reasonOf, table } from "./tables.js";
import { page, said, word } from "./words.js";

const t = (value) => word("find", value);

export class HandsetPage {
  name = "handsets";

  constructor(job) {
    this.job = job;
  }

  async load() {
    const file = await read(`/api/v1/handsets/${encodeURIComponent(this.job)}`);
    if (file.error) return file;
    const scale = await read("/api/v1/grades");
    return scale.error ? scale : { told: { ...file.told, scale: scale.told } };
  }

  elements(file, frame) {
    const jobs = [...file.jobs].reverse();
    const told = jobs.find((job) => job.serial) ?? jobs[0];
    const imeis = [...new Set(file.jobs.flatMap((job) => job.imeis))];
    const tags = [...new Set(file.jobs.map((job) => job.tag).filter(Boolean))];
    const lots = [...new Set(file.jobs.map((job) => job.lot).filter(Boolean))];
    // Only the newest job says what the handset is now; a passed look leaves that to the certified one.
    const newest = jobs.find((job) => job.job === jobs[0].sold_under) ?? jobs[0];
    const certified = newest.certificate ? newest : null;
    return [
      el("p", { class: "back" }, link("/handsets", t("title"))),
      el("h2", {}, handsetOf(told)),
      facts([
        [word("act", "imei"), imeis.join(", ")],
        [page("serial"), told.serial ?? told.usb_serial],
        [word("lots", "tag"), tags.join(", ")],
        [word("nav", "lot"), lots.length ? el("span", {}, ...lots.map((lot) => link(lotPage(lot), `${lot} `))) : null],
        [word("word", "became"), becameOf(jobs[0])],
        [word("word", "certificate"), certified ? certificate(certified) : t("no_certificate")],
        [word("grades", "grade"), gradeOf(file.graded.at(-1)) || word("grades", "none")],
        [word("grades", "battery"), batteryOf(file.battery)],
      ]),
      hasLabel(newest) ? el("p", { class: "doing" }, labelButton(newest)) : null,
      file.told_by === "imei" ? null : el("p", { class: "caution" }, t("not_by_imei")),
      ...jobs.map((job) => this.oneJob(job)),
      grading(file, jobs[0], frame),
      ...gradesGiven(file.graded),
      ...settled(file.settled),
      ...perhaps(file.perhaps),
    ].filter(Boolean);
  }

  oneJob(job) {
    const inside = el("div", { class: "inside" });
    const details = el("details", { id: `job-${job.job}`, class: "job" });
    const show = async () => {
      // What was entered by hand never lay in a slot.
      if (!details.open || inside.firstChild || job.by_hand) return;
      try {
        inside.replaceChildren(story(await readJob(job.job)));
      } catch {
        inside.replaceChildren(el("p", { class: "missing" }, page("story_missing")));
      }
    };
    details.addEventListener("toggle", show);
    details.append(
      el("summary", {}, el("time", {}, moment(job.opened_at)), el("b", {}, endOf(job)), el("span", {}, reasonOf(job))),
      facts([
        [word("word", "slot"), job.slot],
        [word("word", "ended"), moment(job.ended_at)],
        [word("word", "what_to_do"), said(job.reason_text?.what_to_do)],
        [word("nav", "lot"), job.lot ? link(lotPage(job.lot), job.lot) : null],
        [word("word", "became"), `${becameOf(job)} ${moment(job.since)}`],
        [word("word", "certificate"), job.certificate ? certificate(job) : null],
        [t("run_again_as"), job.run_again_as ? link(jobPage(job.run_again_as), job.run_again_as) : null],
      ]),
      inside,
    );
    details.open = job.job === this.job;
    return details;
  }
}

const certificate = (job) => el("a", { href: certificateUrl(job.job), target: "_blank", rel: "noopener", class: "certificate" }, `${job.certificate.slice(0, 16)}…`);

/** Where its grade is given: that of its asset, or of its newest job where no papers know it. */
function grading({ scale }, job, frame) {
  const of = job.tag ? `assets/${encodeURIComponent(job.tag)}` : `jobs/${encodeURIComponent(job.job)}`;
  return folded("grading", word("grades", "give"), false, gradeForm(scale, { path: () => `/api/v1/${of}/grade`, done: () => frame.again() }));
}

/** A label says how a job on the rack has ended; what was entered by hand has the one that it came with. */
const hasLabel = (job) => Boolean(job.ended_at) && !job.by_hand;

const labelButton = (job) => el("a", { id: "label", class: "button", href: `/handsets?${new URLSearchParams({ label: job.job })}` }, t("label"));

/** What people have said of it, each as it is on record. */
function settled(lines) {
  if (lines.length === 0) return [];
  const rows = lines.map((line) => [
    moment(line.at),
    `${word("disposal_state", line.before)} → ${word("disposal_state", line.state)}`,
    line.name,
    [line.recycler, line.number].filter(Boolean).join(" "),
    line.batch ? link(`/disposal?${new URLSearchParams({ batch: line.batch })}`, line.batch) : "",
    [line.done_on, line.note].filter(Boolean).join(" "),
  ]);
  const headings = [word("word", "at"), word("word", "state"), word("word", "operator"), word("word", "papers"), word("disposal", "batch"), word("word", "note")];
  return [table(t("settled"), headings, rows)];
}

function perhaps(keys) {
  if (keys.length === 0) return [];
  const links = keys.map((key) => el("li", {}, link(jobPage(key), key)));
  return [el("h3", {}, word("word", "perhaps_same")), el("ul", { class: "perhaps" }, ...links)];
}
