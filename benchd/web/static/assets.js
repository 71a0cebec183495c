// Assets in words: where each is, by the last job that a handset was taken in for it.

import { readJobs } from "./api.js";
import { el } from "./dom.js";
import { becameOf, jobPage, link, lotPage, reasonOf, table } from "./tables.js";
import { bracketed, word } from "./words.js";

const t = (value) => word("lots", value);

/** The last job of each of these, by its number. */
export const jobsOf = (assets) => readJobs(assets.map((asset) => asset.jobs.at(-1)).filter(Boolean));

/** What has become of an asset, or why it never was on the rack; leads to the handset's file. */
export function stateOf(asset, jobs) {
  if (asset.unerasable) {
    const why = `${word("unerasable", asset.unerasable)}${bracketed(word("disposition", asset.disposition))}`;
    return asset.case ? link(jobPage(asset.case), why) : why;
  }
  const number = asset.jobs.at(-1);
  if (!number) return asset.assessed ? `${t("assessed")}${bracketed(word("seen", asset.assessed.seen))}` : t("not_yet");
  const job = jobs.get(number);
  // The read model may be a moment behind.
  if (!job) return link(jobPage(number), number);
  const where = job.ended_at ? reasonOf(job) : `${word("word", "slot")} ${job.slot}`;
  return el("div", {}, link(jobPage(number), becameOf(job)), where ? el("small", {}, where) : null);
}

/** Assets of any lot, as they were looked for. */
export function assetsTable(assets, jobs) {
  const headings = [t("tag"), word("nav", "lot"), ...["imei", "serial", "model"].map(t), word("word", "state")];
  const rows = assets.map((asset) => [asset.tag, link(lotPage(asset.lot), asset.lot), asset.imei, asset.serial, asset.model, stateOf(asset, jobs)]);
  return table(`${word("find", "assets")}: ${assets.length}`, headings, rows);
}
