// The rack as it is now, in short: handsets in it, what a person has to do next, and what waits for disposal.

import { el } from "./dom.js";
import { look, needsPerson } from "./status.js";
import { handsetOf, jobPage, link, moment, named, nothing, table, tight } from "./tables.js";
import { duration, percent, said, word } from "./words.js";

const t = (value) => word("board", value);
const SHOWN_ERRANDS = 8;
const NO_HANDSET = new Set(["empty", "quarantined"]);

export const hasHandset = (slot) => !NO_HANDSET.has(slot.state);

/** What a slot waits for, or what it does. `proof` is the plug whose certificate the ledger holds, or null. */
export function doing(slot, proof = null) {
  const seen = look(slot, proof);
  if (slot.state === "finished") return [seen.title, seen.kind === "sellable" ? "" : seen.main].filter(Boolean).join(" · ");
  const done = slot.stage && typeof slot.progress === "number" ? percent(slot.progress) : "";
  return [seen.main, done].filter(Boolean).join(" ");
}

/** Until its handset is done as far as machines go. */
export const leftOf = (slot) => duration(slot.handset_left_s ?? slot.eta_s);

export function openHandsets(rack) {
  const open = (rack?.slots ?? []).filter((slot) => hasHandset(slot) && slot.state !== "finished");
  if (open.length === 0) return nothing(t("none_open"), t("none_open_step"));
  const rows = open.map((slot) => [
    slot.slot,
    slot.handset ? handsetOf(slot.handset) : "",
    el("b", {}, word("slot_state", slot.state)),
    doing(slot),
    el("span", { class: "number tight" }, needsPerson(slot) ? "" : leftOf(slot)),
    slot.job ? named(`job-${slot.job}`, link(jobPage(slot.job), slot.job)) : "",
  ]);
  const headings = [word("word", "slot"), word("word", "handset"), word("word", "state"), word("word", "stage"), word("word", "remaining"), word("word", "job")];
  return table(`${t("open")}: ${open.length}`, headings, rows);
}

/** The first of what a person has to do; null where the daemon tells no queue. */
export function queueShort(queue) {
  if (!Array.isArray(queue?.errands)) return null;
  const { errands } = queue;
  const shown = errands.slice(0, SHOWN_ERRANDS);
  return el(
    "section",
    { "aria-labelledby": "queue-heading" },
    el("h3", { id: "queue-heading" }, `${t("queue")}: ${errands.length}`),
    errands.length === 0
      ? el("p", { class: "nothing" }, t("nothing_to_do"))
      : el(
          "ol",
          { class: "errands" },
          ...shown.map((errand) => el("li", { "data-kind": errand.kind }, el("b", {}, errand.slot ?? ""), el("span", {}, said(errand)), el("time", {}, moment(errand.since)))),
        ),
    errands.length > shown.length ? el("p", {}, `${t("others")} ${errands.length - shown.length}`) : null,
    el("p", { class: "errands-link" }, named("to-rack", link("/", t("to_rack")))),
  );
}

/** Tray and bins: how many are in each, and the one that waits longest. */
export function binsTable(bins, { linked = true } = {}) {
  const rows = bins.map((bin) => [
    linked ? named(`bin-${bin.state}`, link(`/disposal?${new URLSearchParams({ state: bin.state })}`, said(bin))) : said(bin),
    el("span", { class: "number" }, String(bin.handsets)),
    bin.oldest ? tight(moment(bin.oldest.since)) : "",
    bin.oldest ? tight(handsetOf(bin.oldest)) : "",
  ]);
  return table(t("bins"), [word("word", "state"), word("word", "count"), t("oldest"), word("word", "handset")], rows);
}
