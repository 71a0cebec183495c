// What was done to a handset, step by step, as the ledger has it.

import { certificateUrl, jobUrl } from "./api.js";
import { el } from "./dom.js";
import { inBrackets } from "./status.js";
import { join } from "./tables.js";
import { technical } from "./technical.js";
import { current, knows, page, said, tenths, word } from "./words.js";

export function story(job) {
  return el(
    "div",
    { class: "story" },
    facts(job),
    chips(job),
    el("ol", { class: "stages" }, ...job.stages.map(stage)),
    job.decisions.length ? el("h4", {}, word("find", "people")) : null,
    el("ul", { class: "decisions" }, ...job.decisions.map(decision)),
    technical(job.detail_text, job.detail, "p"),
    el(
      "p",
      { class: "links" },
      job.certificate ? el("a", { href: certificateUrl(job.job), target: "_blank", rel: "noopener", class: "certificate" }, word("word", "certificate")) : null,
      el("a", { href: jobUrl(job.job), target: "_blank", rel: "noopener" }, page("record")),
    ),
  );
}

function facts(job) {
  const rows = [[word("word", "job"), job.job], [word("word", "recipe"), word("recipe", job.recipe)]];
  if (job.bytes_written !== null) rows.push([page("written"), bytes(job.bytes_written)]);
  if (job.coverage !== null) rows.push([page("coverage"), tenths(job.coverage)]);
  return el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function stage(told) {
  const because = told.because ? [" ", el("span", { class: "because" }, reason(told.because))] : [];
  return el(
    "li",
    { "data-outcome": told.outcome },
    el("time", {}, clock(told.ended_at)),
    el("span", { class: "name" }, word("stage", told.stage)),
    el("span", {}, el("b", {}, word("outcome", told.outcome)), ...because, inBrackets(told.owners), ...found(told)),
  );
}

/** What it has found, in words with its figures. */
function found({ found: told, chip }) {
  const lines = [chip, ...(told ?? [])].filter(Boolean).map(said);
  return lines.length ? [el("small", { class: "found" }, join(lines))] : [];
}

/** The chip before and after, by the names of its services; nothing where nobody has looked at one. */
function chips({ stages }) {
  const looks = stages.filter((stage) => stage.chip);
  if (looks.length === 0) return null;
  const [before, after] = [looks[0], looks.length > 1 ? looks.at(-1) : null];
  const seen = (look) => (look ? `${said(look.chip)}${inBrackets(look.owners)}` : word("find", "chip_not_seen"));
  return el("dl", { class: "chips-seen" }, ...[["chip_before", before], ["chip_after", after]].flatMap(([name, look]) => [el("dt", {}, word("find", name)), el("dd", {}, seen(look))]));
}

function reason(code) {
  return knows("because", code) ? word("because", code) : word("reason", code);
}

function decision(told) {
  const answer = word("word", told.approved ? "yes" : "no");
  return el(
    "li",
    {},
    el("time", {}, clock(told.at)),
    el("span", { class: "name" }, word("gate", told.gate)),
    el("span", {}, el("b", {}, answer), ` ${told.operator}`, shown(told) ?? "", told.note ? ` — ${told.note}` : ""),
  );
}

/** How somebody has shown that they are it. */
const shown = ({ shown_by: by }) => (by ? el("small", { class: "shown" }, ` ${word("find", "shown_by")}: ${word("shown_by", by)}`) : null);

function clock(at) {
  const date = new Date(at);
  const locale = current() === "ja" ? "ja-JP" : "en-GB";
  return Number.isNaN(date.valueOf()) ? "" : date.toLocaleTimeString(locale, { hour12: false });
}

function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit ? 1 : 0)} ${units[unit]}`;
}
