// The sheet that one shift leaves to the next: one page of A4, to be signed by both.

import { isProven } from "./api.js";
import { el } from "./dom.js";
import { binsTable, doing, hasHandset, leftOf } from "./open_now.js";
import { askedShift, clockOf, dayOf, readShift, shiftQuery, spanOf } from "./shift.js";
import { mayBeSold, needsPerson } from "./status.js";
import { handsetOf, join, link, moment, row, table } from "./tables.js";
import { cut } from "./short_numbers.js";
import { filled, said, word } from "./words.js";

const t = (value) => word("handover", value);
/** The column that takes the room that the others leave. */
const WAITS_FOR = 6;

export class HandoverPage {
  name = "board";

  constructor(asked) {
    this.asked = askedShift(asked);
  }

  async load() {
    const told = await readShift(this.asked);
    if (told.error || told.told.rack === null) return told;
    return { told: { ...told.told, proofs: await proofsOf(told.told.rack.slots) } };
  }

  elements({ shift, rack, proofs }) {
    const leading = el(
      "p",
      { class: "back doing" },
      link(`/board?${shiftQuery(this.asked)}`, word("board", "back")),
      el("button", { id: "print", type: "button", onclick: () => print() }, word("act", "print")),
    );
    // A sheet that says nothing of the rack would read as one of an empty rack.
    if (rack === null) return [leading, el("p", { class: "nothing", role: "alert" }, t("unknown_rack"))];
    return [
      leading,
      el(
        "article",
        { class: "sheet", tabindex: "0", "aria-label": t("title") },
        el("h2", {}, t("title"), el("small", {}, `${spanOf(shift)} · ${word("board", "as_of")} ${dayOf(shift.now)} ${clockOf(shift.now)}`)),
        signing(),
        slots(rack.slots, proofs),
        el("div", { class: "halves" }, done(shift), binsTable(shift.bins, { linked: false })),
        outOfOrder(rack),
        el("div", { class: "signing" }, el("div", { class: "wide-line" }, t("remarks"))),
      ),
    ];
  }
}

const signing = () => el("div", { class: "signing" }, ...["from", "to"].map((who) => el("div", {}, t(who))));

/** The plugs whose certificates are on record: nothing else is called sellable. */
async function proofsOf(all) {
  const claimed = all.filter(mayBeSold);
  const proven = await Promise.all(claimed.map((slot) => isProven(slot).catch(() => false)));
  return new Map(claimed.filter((_, place) => proven[place]).map((slot) => [slot.slot, slot.occupancy]));
}

/** Slot by slot what is in it; free ones in one line. */
function slots(all, proofs) {
  const taken = all.filter(hasHandset);
  const free = all.filter((slot) => slot.state === "empty").map((slot) => slot.slot);
  const numbers = Object.fromEntries(["serial", "imei"].map((name) => [name, cut(taken.map((slot) => slot.handset?.[name]).filter(Boolean))]));
  const shown = (slot, name) => numbers[name].get(slot.handset?.[name]) ?? "";
  const rows = taken.map((slot) => {
    const cells = [
      slot.slot,
      slot.handset ? handsetOf(slot.handset) : word("act", "unknown_handset"),
      slot.asset?.tag ?? "",
      shown(slot, "serial"),
      shown(slot, "imei"),
      word("slot_state", slot.state),
      doing(slot, proofs.get(slot.slot) ?? null),
      needsPerson(slot) ? waiting(slot) : leftOf(slot),
    ];
    const made = row(cells, { "data-off": needsPerson(slot) ? "true" : null });
    made.cells[WAITS_FOR].className = "free";
    return made;
  });
  const headings = [word("word", "slot"), word("word", "handset"), word("lots", "tag"), t("serial"), t("imei"), word("word", "state"), t("waits_for"), t("left")];
  return el(
    "div",
    {},
    table(`${t("rack")}: ${taken.length}`, headings, rows, { class: "wide" }),
    free.length ? el("p", {}, `${t("free_slots")}: ${join(free)}`) : null,
  );
}

/** Until when somebody has to come, or since when nobody has. */
function waiting({ question, away, since }) {
  const until = away?.deadline ?? question?.until;
  const at = until ?? since;
  return at ? filled(t(until ? "until" : "since"), { at: moment(at).slice(-5) }) : "";
}

function done(shift) {
  const rows = shift.went.map((one) => [said(one), String(one.jobs.length)]);
  return table(`${t("done")}: ${shift.handsets}`, [word("board", "went"), word("word", "count")], rows);
}

function outOfOrder({ slots: all, notices, unknown_ports: ports }) {
  const off = all.filter((slot) => slot.state === "quarantined").map((slot) => [slot.slot, said(slot.problem)].filter(Boolean).join(" "));
  const told = [...notices.map(said), ...ports.map((port) => said(port.problem))];
  return el(
    "div",
    { class: "halves" },
    listed(t("out_of_order"), off, t("none_out_of_order")),
    listed(t("notices"), told, t("no_notices")),
  );
}

const listed = (heading, lines, none) => el("section", {}, el("h3", {}, heading), lines.length ? el("ul", {}, ...lines.map((line) => el("li", {}, line))) : el("p", {}, none));
