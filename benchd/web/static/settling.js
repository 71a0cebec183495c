// Handsets are chosen, by hand or by a scan, and somebody says what has become of all of them. Each
// is a record of its own: one that is refused stops none of the others, and is told.

import { act } from "./api.js";
import { parse } from "./codes.js";
import { byId, el } from "./dom.js";
import { emptyOfBadges } from "./badges.js";
import { BADGE, begun, choices, isNewest, line, mark, restOf, say, why } from "./forms.js";
import { whoIsHere } from "./session.js";
import { sure } from "./confirm_dialog.js";
import { handsetOf, numberOf } from "./tables.js";
import { bracketed, word } from "./words.js";

const t = (value) => word("disposal", value);
/** What each needs to be said with it; the daemon refuses what lacks it. */
const NEEDS = {
  destroyed: ["recycler", "number", "batch", "done_on", "note"],
  returned: ["note", "done_on"],
  run_again: ["later_job", "note"],
  on_sale: ["certificate"],
};
const ELSE = ["note"];
const MOST_NAMED = 6;
const OPTIONAL = { destroyed: ["batch", "done_on", "note"], returned: ["done_on"], run_again: ["note"] };
/** Of one handset alone. */
const SINGLE = ["run_again", "on_sale"];
/** From these a handset may still be put to the rack again. */
const HAS_WAY_BACK = ["rerun_due", "to_return"];

export class Settling {
  constructor(page) {
    this.page = page;
    this.chosen = new Map();
    /** By job: since when it was what it no longer is. */
    this.recorded = new Map();
    this.told = [];
    this.open = [];
  }

  has = (item) => this.chosen.has(item.job.job);

  /** Whether the list still shows a handset as it was before it was settled here. */
  isBehind({ job }) {
    return this.recorded.get(job.job) === job.since;
  }

  choose(item, wanted) {
    begun();
    if (wanted) this.chosen.set(item.job.job, item);
    else this.chosen.delete(item.job.job);
    this.show();
  }

  element(open) {
    this.open = open;
    const known = new Map(open.map((item) => [item.job.job, item]));
    for (const job of [...this.chosen.keys()]) {
      if (known.has(job)) this.chosen.set(job, known.get(job));
      else this.chosen.delete(job);
    }
    this.scanned = el("p", { class: "said", role: "status" });
    this.count = el("p", { class: "chosen", role: "status" });
    this.form = el("div", { class: "form", role: "group", oninput: begun });
    this.shown = null;
    // A reader's code goes to the page, which takes it wherever the focus is; this is for who types.
    const scan = el("input", { id: "scan", "data-scan": "aside", autocomplete: "off", spellcheck: "false", maxlength: 200 });
    scan.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      const { words } = parse(scan.value);
      scan.value = "";
      if (words.length && !this.scan(words)) this.tell("scan_none");
    });
    const element = el(
      "section",
      { class: "settling", "aria-label": t("settle") },
      el("div", { class: "asking" }, el("label", { for: "scan" }, t("scan")), scan, this.scanned),
      this.count,
      this.form,
    );
    this.show();
    return element;
  }

  /**
   * Chooses the handset whose tag, number or job was read, by the first of these words that any has;
   * two of them are told, never guessed. Gives whether a word was of a handset here.
   */
  scan(words) {
    const numbers = ({ job }) => [job.tag, job.serial, job.usb_serial, job.job, job.certificate, ...job.imeis];
    for (const text of words) {
      const found = this.open.filter((item) => numbers(item).includes(text));
      if (found.length === 0) continue;
      if (found.length > 1) {
        this.tell("scan_several");
        return true;
      }
      this.chosen.set(found[0].job.job, found[0]);
      say(this.scanned, `${text}: ${handsetOf(found[0].job)}`, "", "busy");
      this.show();
      this.page.mark();
      return true;
    }
    return false;
  }

  /** Says what came of a scan; what was read isn't shown: it may have been a badge. */
  tell(what) {
    say(this.scanned, what && t(what));
  }

  /** How many are chosen, and what may become of every one of them. */
  show() {
    const items = [...this.chosen.values()];
    this.count.textContent = items.length ? `${t("chosen")}: ${this.named()}` : t("choose_first");
    const moves = items.length ? items[0].moves.filter((move) => items.every((item) => item.moves.includes(move))) : [];
    const offered = items.length > 1 ? moves.filter((move) => !SINGLE.includes(move)) : moves;
    const key = items.length ? offered.join() : "";
    if (key === this.shown) return;
    this.shown = key;
    if (items.length === 0) this.form.replaceChildren();
    else if (offered.length === 0) this.form.replaceChildren(el("p", { class: "said" }, t("no_common")));
    else this.offer(offered);
  }

  /** How many are chosen, and which. */
  named() {
    const items = [...this.chosen.values()];
    const names = items.slice(0, MOST_NAMED).map(({ job }) => job.tag ?? numberOf(job) ?? job.job);
    const more = items.length > names.length ? ` …${bracketed(items.length)}` : "";
    return `${items.length}${bracketed(`${names.join(", ")}${more}`)}`;
  }

  /** What would become of which handsets. */
  asks(to) {
    return {
      title: t("asks"),
      told: [
        [t("to"), word("settle_as", to)],
        [t("chosen"), this.named()],
      ],
      yes: t("settle"),
    };
  }

  offer(moves) {
    const to = choices("to", t("to"), moves.map((move) => [move, word("settle_as", move)]), { one: true, needed: true });
    const fields = {
      recycler: line("recycler", t("recycler")),
      number: line("number", t("number")),
      batch: line("batch", t("batch")),
      done_on: line("done_on", t("done_on"), { type: "date", hint: t("done_on_hint") }),
      later_job: line("later_job", t("later_job")),
      certificate: line("certificate", t("certificate")),
      note: line("note", word("word", "note"), { longest: 500 }),
    };
    const said = el("p", { class: "said", role: "alert" });
    const button = el("button", { type: "button", class: "do" }, t("settle"));
    const show = () => {
      const wanted = to.value ? (NEEDS[to.value] ?? ELSE) : [];
      for (const [name, field] of Object.entries(fields)) {
        field.element.hidden = !wanted.includes(name);
        const optional = (OPTIONAL[to.value] ?? []).includes(name);
        field.must = wanted.includes(name) && !optional;
        const label = field.element.querySelector("label");
        label.replaceChildren(name === "note" ? noteLabel(to.value) : t(name), field.must ? mark() : "");
      }
    };
    to.element.dataset.form = "settle";
    to.element.addEventListener("change", show);
    show();
    button.addEventListener("click", () => this.send(to, fields, button, said));
    this.form.replaceChildren(to.element, ...Object.values(fields).map((field) => field.element), el("div", { class: "doing" }, button, said));
  }

  async send(to, fields, button, said) {
    const missing = to.value ? Object.values(fields).find((field) => field.must && !field.value) : { input: to.inputs[0] };
    if (missing) {
      say(said, word("act", "fill_in"));
      missing.input.focus();
      return;
    }
    if (!HAS_WAY_BACK.includes(to.value) && !(await sure(this.asks(to.value)))) {
      button.focus();
      return;
    }
    button.disabled = true;
    const body = bodyOf(to.value, fields);
    this.told = [];
    const items = [...this.chosen.values()];
    const by = whoIsHere()?.person;
    for (const [place, item] of items.entries()) {
      // Whoever takes over hasn't said anything of the rest.
      if (whoIsHere()?.person !== by) break;
      say(said, `${word("act", "sending")} ${place + 1}/${items.length}`, null, "busy");
      const { told, error } = await act(`/api/v1/disposal/${encodeURIComponent(item.job.job)}`, body);
      this.told.push({ item, state: told?.state, error });
      if (told) {
        this.recorded.set(item.job.job, item.job.since);
        this.chosen.delete(item.job.job);
      }
      // Whoever isn't signed in, or may not, isn't told so a hundred times.
      if (error && !["settling_refused", "not_found"].includes(error.code)) break;
    }
    button.disabled = false;
    if (this.told.some(({ error }) => error?.code === BADGE)) await emptyOfBadges(Object.values(fields).map(({ input }) => input));
    if (this.told.every((each) => each.error)) {
      say(said, why(this.told[0].error), restOf(this.told[0].error));
      this.told = [];
      return;
    }
    byId("announcer").textContent = word("act", "recorded");
    await this.page.frame.again();
  }

  /** What has become of those that were sent last. */
  outcome() {
    const lines = this.told.map(({ item, state, error }) =>
      el(
        "li",
        { "data-state": error ? "refused" : "recorded" },
        `${handsetOf(item.job)} ${item.job.tag ?? numberOf(item.job)}: `,
        error ? why(error) : `${word("act", "recorded")}${bracketed(word("disposal_state", state))}`,
        error ? restOf(error) : null,
      ),
    );
    const element = el("div", { class: "outcomes", role: "status" }, lines.length ? el("ul", {}, ...lines) : null);
    const forget = () => {
      this.told = [];
      element.replaceChildren();
    };
    if (lines.length) isNewest(element, forget);
    return element;
  }
}

function noteLabel(to) {
  if (to === "returned") return t("to_whom");
  return NEEDS[to] ? word("word", "note") : t("release_reason");
}

/** What was typed where it was asked; a certificate's number stands in the note. */
function bodyOf(to, fields) {
  const body = { state: to };
  for (const name of NEEDS[to] ?? ELSE) {
    if (fields[name].value) body[name === "certificate" ? "note" : name] = fields[name].value;
  }
  return body;
}
