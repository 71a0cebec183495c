// Tables, times and handsets in words, for all pages.

import { el } from "./dom.js";
import { current, heldBackBy, said, word } from "./words.js";

/** A cell is a text or an element; of a row's cells the first heads it. */
export function table(caption, headings, rows, attributes = {}) {
  const head = el("tr", {}, ...headings.map((heading) => el("th", { scope: "col" }, heading)));
  return el(
    "div",
    { class: "wide", ...attributes },
    el(
      "table",
      {},
      caption ? el("caption", {}, caption) : null,
      el("thead", {}, head),
      el("tbody", {}, ...rows.map((cells) => (cells instanceof Element ? cells : row(cells)))),
    ),
  );
}

export const row = (cells, attributes = {}) => el("tr", attributes, ...cells.map((cell) => el("td", {}, cell ?? "")));

export const facts = (rows) =>
  el("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => (value ? [el("dt", {}, name), el("dd", {}, value)] : [])));

/** What a page says that has nothing to show, with the first step where there is one. */
export const nothing = (text, step = null) => el("p", { class: "nothing" }, text, step ? " " : null, step);

const pad = (number) => String(number).padStart(2, "0");

/** How many minutes the page's clock is ahead of UTC; null for this screen's own clock. */
let rackOffset = null;

/** From here on the page's times are by the rack's clock, as this time of it is. */
export function byRackClock(iso) {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(iso) ?? [null, "+", "0", "0"];
  rackOffset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** By whose zone the page's times are: UTC+09:00, and what this screen calls it. */
export function zone() {
  const ahead = rackOffset ?? -new Date().getTimezoneOffset();
  const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
  const told = `UTC${ahead < 0 ? "-" : "+"}${pad(hours)}:${pad(minutes)}`;
  return rackOffset === null ? `${told} ${Intl.DateTimeFormat().resolvedOptions().timeZone ?? ""}`.trim() : told;
}

/** 2026-11-26 14:05, by the page's clock: the same in both languages, and it sorts. */
export function moment(at) {
  if (!at) return "";
  const date = new Date(at);
  if (Number.isNaN(date.valueOf())) return "";
  if (rackOffset !== null) return new Date(date.valueOf() + rackOffset * 60_000).toISOString().slice(0, 16).replace("T", " ");
  return `${day(date)} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

export const day = (date) => `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;

export const join = (values) => values.join(current() === "ja" ? "、" : ", ");

/** Which handset a job was of: model, then the number by which people tell it. */
export const handsetOf = (job) => [job.manufacturer, job.model].filter(Boolean).join(" ") || word("act", "unknown_handset");

export const numberOf = (job) => job.imeis[0] ?? job.serial ?? job.usb_serial ?? "";

/** How a job ended, or what has become of its handset since. */
export function becameOf(job) {
  if (!job.ended_at) return word("became", "running");
  if (job.state) return word("disposal_state", job.state);
  if (job.held_by) return word("disposition", "hold");
  if (job.sold_under) return word("word", "rechecked");
  return job.certificate ? word("became", "sold") : word("disposition", job.disposition);
}

/** Where its job has sent it; what has no certificate, or is held back, is never told as sellable. */
export function endOf(job) {
  if (!job.disposition) return word("became", "running");
  if (job.sold_under && !job.held_by) return word("word", "rechecked");
  return word("disposition", job.disposition === "sellable" && (!job.certificate || job.held_by) ? "hold" : job.disposition);
}

export const reasonOf = (job) => (job.held_by ? heldBackBy(job.held_by) : said(job.reason_text));

export const jobPage = (job) => `/handsets?job=${encodeURIComponent(job)}`;

export const lotPage = (lot) => `/lots?lot=${encodeURIComponent(lot)}`;

/** A number or a time stays on one line. */
export const tight = (text) => el("span", { class: "tight" }, text);

export const link = (href, text) => el("a", { href }, text);

/** The same element with an id, by which it keeps the focus when the page is told anew. */
export function named(id, element) {
  element.id = id;
  return element;
}

/** Model and number of a handset, one above the other. */
export const handsetCell = (job) => el("div", {}, handsetOf(job), el("small", { class: "tight" }, numberOf(job)));

/** Lot and tag, in the same way. */
export const lotCell = (job) => el("div", {}, job.lot ? link(lotPage(job.lot), job.lot) : "", job.tag ? el("small", {}, job.tag) : "");

export const lotHeading = () => `${word("nav", "lot")} / ${word("lots", "tag")}`;

/** A list of jobs in words, each leading to its handset. */
export const jobsTable = (caption, jobs) =>
  table(
    caption,
    [word("word", "opened"), word("word", "handset"), lotHeading(), word("word", "became"), word("word", "reason"), word("word", "job")],
    jobs.map((job) => [
      tight(moment(job.opened_at)),
      handsetCell(job),
      lotCell(job),
      becameOf(job),
      reasonOf(job),
      tight(link(jobPage(job.job), job.job)),
    ]),
  );
