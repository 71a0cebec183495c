// One lot: its papers, its file of handsets, what was made sure of, and the handsets themselves.

import { act, read } from "./api.js";
import { jobsOf, stateOf } from "./assets.js";
import { attestations, uncovered } from "./attest.js";
import { isImei } from "./codes.js";
import { importer } from "./csv_import.js";
import { el } from "./dom.js";
import { choices, Done, folded, form, line, lines } from "./forms.js";
import { gradeForm, gradeOf } from "./grades.js";
import { facts, join, link, moment, table } from "./tables.js";
import { bracketed, said, word } from "./words.js";

const REASONS = ["collected", "no_power", "broken_screen", "broken_port", "water_damage"];
const SEEN = ["welcome", "owner_asked", "lock_screen", "home_screen", "no_picture"];
const PAGE = 200;
const PARTS = ["imei", "serial", "model", "colour", "grade"];

const t = (value) => word("lots", value);
/** What is on record now, and of which handset. */
const recorded = (tag, ...what) => `${word("act", "recorded")}: ${tag}${what.length ? bracketed(what.join(" → ")) : ""}`;

export class LotPage {
  name = "lots";

  constructor(lot, asked) {
    this.lot = lot;
    this.path = `/api/v1/lots/${encodeURIComponent(lot)}`;
    this.skip = Math.max(0, Math.floor(Number(asked.get("skip")) || 0));
    this.recorded = new Done();
  }

  async load() {
    const lot = await read(this.path);
    if (lot.error) return lot;
    const query = new URLSearchParams({ lot: this.lot, limit: PAGE, skip: this.skip });
    const assets = await read(`/api/v1/assets?${query}`);
    const scale = await read("/api/v1/grades");
    const failed = [assets, scale].find((answer) => answer.error);
    if (failed) return failed;
    return { told: { ...lot.told, handsets: assets.told, scale: scale.told, jobs: await jobsOf(assets.told.assets) } };
  }

  elements(told, frame) {
    this.frame = frame;
    const path = `${this.path}/assets`;
    const again = choices("again", t("again"), [["again", t("again_hint")]]);
    return [
      el("p", { class: "back" }, link("/lots", t("title"))),
      el("h2", {}, `${t("lot")} ${told.lot}`),
      facts([
        [t("kind"), word("lot_kind", told.kind)],
        [t("consignor"), told.consignor],
        [t("paper"), told.paper],
        [t("identity"), told.identity_check],
        [t("taken_in"), `${moment(told.taken_in_at)} ${told.operator}`],
      ]),
      counts(told),
      ...uncovered(told),
      ...(told.assets > 0 ? [papers(told.lot)] : []),
      this.recorded.show(),
      folded(
        "import",
        t("import"),
        told.assets === 0,
        importer("assets", {
          path: `${path}.csv`,
          hint: t("import_hint"),
          sample: "/static/assets.csv",
          fields: [again],
          query: () => ({ again: again.value !== null }),
          done: ({ rows, late }) => this.done(() => `${t("taken")}: ${rows}${late ? ` · ${t("whole_late")} ${late}` : ""}`),
        }),
      ),
      folded("one", t("add_one"), false, this.one(path, told.handsets)),
      ...(told.assets > 0 ? [folded("strike", t("strike"), false, this.striking(told.handsets))] : []),
      folded("grading", word("grades", "give"), false, this.grading(told)),
      folded("shipping", t("shipping"), false, this.checking()),
      folded("assess", t("assess"), false, this.assess()),
      folded("dead", t("dead"), false, this.dead()),
      ...attestations(told, this.path, (what) => this.done(what)),
      ...this.assets(told),
      ...struck(told),
    ];
  }

  done(what) {
    this.recorded.say(what);
    return this.frame.again();
  }

  one(path, { assets }) {
    const tag = line("one-tag", t("tag"), { longest: 64, needed: true, isLabel: true });
    const parts = PARTS.map((part) => line(`one-${part}`, t(part), { isImei: part === "imei" }));
    const imei = parts[PARTS.indexOf("imei")];
    // Where one of its tags is an IMEI somebody has meant it, and where both fields say the same.
    const isStrange = () => isImei(tag.value) && imei.value !== tag.value && !assets.some((asset) => isImei(asset.tag));
    return form("one", {
      fields: [tag, ...parts],
      button: t("add_one"),
      byEnter: true,
      asks: () =>
        isStrange() ? { title: t("imei_as_tag"), told: [[t("tag"), tag.value]], says: t("imei_as_tag_why"), yes: t("imei_as_tag_do") } : null,
      send: () => {
        const told = parts.map((field, place) => [PARTS[place], field.value || null]);
        return act(path, { tag: tag.value, ...Object.fromEntries(told) });
      },
      done: (asset) => this.done(() => recorded(asset.tag)),
    });
  }

  /** A line that was entered by mistake: what it says is shown once more before it goes. */
  striking({ assets }) {
    const tag = line("strike-tag", t("tag"), { hint: t("strike_hint"), longest: 64, needed: true, isLabel: true });
    const why = line("strike-why", t("strike_why"), { needed: true });
    const parts = () => assets.find((asset) => asset.tag === tag.value) ?? {};
    return form("strike", {
      fields: [tag, why],
      button: t("strike_do"),
      asks: () => ({ title: t("strike_asks"), told: [[t("tag"), tag.value], ...PARTS.map((part) => [t(part), parts()[part]])], yes: t("strike_do") }),
      send: () => act(`/api/v1/assets/${encodeURIComponent(tag.value)}/strike`, { lot: this.lot, note: why.value }),
      done: (lot) => this.done(() => recorded(lot.struck.at(-1).tag, t("struck"))),
    });
  }

  grading({ scale }) {
    const tag = line("grade-tag", t("tag"), { hint: word("grades", "tag_hint"), longest: 64, needed: true, isLabel: true });
    const path = () => `/api/v1/assets/${encodeURIComponent(tag.value)}/grade`;
    return gradeForm(scale, { path, before: [tag], done: (given) => this.done(() => recorded(given.tag, gradeOf(given))) });
  }

  /** Whether its handsets may go out: all of the lot, or the labels of a pallet. What may is recorded as it was checked. */
  checking() {
    const tags = lines("check-tags", t("pallet"), { hint: t("pallet_hint") });
    const shown = el("div", { id: "may-go", role: "status" });
    const shipped = el("div");
    let checked = null;
    // Another pallet is another question.
    tags.input.addEventListener("input", () => shipped.replaceChildren());
    const asking = form("check", {
      fields: [tags],
      button: t("check_shipping"),
      send: () => act("/api/v1/shipping", (checked = this.toShip(tags.values))),
      done: (told) => {
        shown.replaceChildren(...keptBack(told));
        shipped.replaceChildren(...(told.ready ? [this.shipping(checked, told.handsets.length)] : []));
      },
    });
    asking.append(shown);
    return el("div", {}, asking, shipped);
  }

  shipping(checked, handsets) {
    const name = line("ship-name", t("delivery"), { longest: 64, needed: true });
    return form("ship", {
      fields: [name],
      button: t("ship"),
      asks: () => ({
        title: t("ship_asks"),
        told: [
          [t("delivery"), name.value],
          [word("word", "count"), String(handsets)],
        ],
        yes: t("ship"),
      }),
      send: () => act("/api/v1/shipments", { name: name.value, ...checked }),
      done: (told) => this.done(() => `${t("shipped")}: ${told.handsets.length}`),
    });
  }

  toShip(tags) {
    return tags.length ? { tags } : { lot: this.lot };
  }

  dead() {
    const reason = choices("dead-reason", word("word", "reason"), REASONS.map((one) => [one, word("unerasable", one)]), { one: true, needed: true });
    return this.inHand("dead", {
      asked: reason,
      hint: t("dead_hint"),
      button: t("dead_do"),
      asks: (tag) => ({
        title: t("dead_asks"),
        told: [
          [t("tag"), tag],
          [word("word", "reason"), word("unerasable", reason.value)],
        ],
        yes: t("dead_do"),
      }),
      send: (path, told) => act(`${path}/unerasable`, { reason: reason.value, ...told }),
      done: (asset) => this.done(() => recorded(asset.tag, word("unerasable", asset.unerasable), word("disposition", asset.disposition))),
    });
  }

  /** What somebody sees of a handset without adb: nothing of it is changed. */
  assess() {
    const seen = choices("assess-seen", t("seen"), SEEN.map((one) => [one, word("seen", one)]), { one: true, needed: true });
    return this.inHand("assess", {
      asked: seen,
      hint: t("assess_hint"),
      button: t("assess_do"),
      byEnter: true,
      send: (path, told) => act(`${path}/assessments`, { seen: seen.value, ...told }),
      done: (asset) => this.done(() => tellSeller(asset)),
    });
  }

  /** A handset in somebody's hand, by its label, and held to a reader where there is one. */
  inHand(id, { asked, hint, button, send, done, byEnter = false, asks = () => null }) {
    const tag = line(`${id}-tag`, t("tag"), { hint, longest: 64, needed: true, isLabel: true });
    const slot = line(`${id}-slot`, t("held_to"), { hint: t("held_to_hint"), longest: 64 });
    const imei = line(`${id}-imei`, t("imei"), { hint: t("imei_in_hand"), isImei: true });
    const note = line(`${id}-note`, word("word", "note"));
    return form(id, {
      fields: [tag, asked, slot, imei, note],
      button,
      byEnter,
      asks: () => asks(tag.value),
      send: () => send(`/api/v1/assets/${encodeURIComponent(tag.value)}`, { slot: slot.value || null, imei: imei.value || null, note: note.value }),
      done,
    });
  }

  assets({ assets, handsets, jobs }) {
    if (handsets.assets.length === 0) return [el("p", { class: "nothing" }, t("no_assets"))];
    const rows = handsets.assets.map((asset) => [asset.tag, ...PARTS.map((part) => asset[part]), asset.graded?.code, stateOf(asset, jobs)]);
    const headings = [t("tag"), ...PARTS.map(t), word("grades", "grade"), word("word", "state")];
    const from = this.skip + 1;
    const last = this.skip + handsets.assets.length;
    const to = (skip) => `/lots?lot=${encodeURIComponent(this.lot)}&skip=${skip}`;
    return [
      table(`${word("word", "count")}: ${from}-${last} / ${assets}`, headings, rows),
      el(
        "p",
        { class: "leaf" },
        this.skip > 0 ? link(to(Math.max(0, this.skip - PAGE)), word("act", "before")) : null,
        handsets.more ? link(to(this.skip + PAGE), word("act", "after")) : null,
      ),
    ];
  }
}

function counts(told) {
  const count = (number, name) => el("li", {}, el("b", {}, String(number)), ` ${t(name)}`);
  return el("ul", { class: "counts" }, count(told.assets, "assets"), count(told.in_jobs, "in_jobs"), count(told.unerasable, "unerasable"));
}

/** All that leaves the house with this lot. */
function papers(lot) {
  return el("p", {}, link(`/api/v1/papers.zip?${new URLSearchParams({ lot })}`, t("papers")), ` ${t("papers_hint")}`);
}

/** Lines that were struck: what was entered stays on record, with who has struck it and why. */
function struck(told) {
  if (told.struck.length === 0) return [];
  const rows = told.struck.map((one) => [one.tag, one.imei, one.serial, moment(one.at), one.operator, one.note]);
  const headings = [t("tag"), t("imei"), t("serial"), word("word", "at"), word("word", "operator"), t("strike_why")];
  return [table(`${t("struck")}: ${rows.length}`, headings, rows, { id: "struck" })];
}

/** Each handset that mustn't go out with why, or that all may. */
function keptBack({ ready, handsets }) {
  if (ready) return [el("p", { class: "good" }, `${t("all_may_go")}: ${handsets.length}`)];
  const rows = handsets
    .filter((each) => each.standing !== "ready")
    .map((each) => [each.tag, said(each), moment(each.rechecked_at)]);
  return [table(`${t("kept_back")}: ${rows.length} / ${handsets.length}`, [t("tag"), word("word", "what_to_do"), t("rechecked_at")], rows)];
}

/** What the seller has to hear, with what nobody could see. */
function tellSeller({ tag, assessed }) {
  const found = join(assessed.findings.map(said));
  return `${tag}${bracketed(word("seen", assessed.seen))} ${t("tell_seller")}: ${found}`;
}
