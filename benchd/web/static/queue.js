// What people have to do next over the whole rack, in the order that the daemon gives.

import { secondsUntil, setRackTime } from "./clock.js";
import { arrange, byId, el, write } from "./dom.js";
import { icon } from "./icons.js";
import { current, duration, inHours, manyHandsets, said, timeLeft, word } from "./words.js";

const BINS = ["sellable", "return", "hold", "destroy"];
const ICONS = {
  replug: "replug",
  put_right: "waiting",
  question: "awaiting_operator",
  confirm: "awaiting_operator",
  broken: "quarantined",
  tray: "tray",
};

/** Whom they call comes before anything that waits for one person more than for another. */
const FOR_ALL = ["replug", "rack"];

/** Which row it is, whatever is said in it meanwhile: one for all handsets that are carried to one place. */
function keyOf({ kind, slot, occupancy, since, ja, bin, directed }) {
  if (kind === "carry") return [kind, bin, directed?.place, ja].join(" ");
  return [kind, slot, occupancy, kind === "tray" ? since : slot ? "" : ja].join(" ");
}

export class Queue {
  /**
   * `open` is called with the slot of an errand, `find` with the slots of several, `isMine` says whether an
   * errand is first for whoever is here, and `changed` is called with what there is now and what there was.
   */
  constructor({ open, find, isMine, changed }) {
    Object.assign(this, { open, find, isMine, changed });
    this.told = null;
    this.lines = new Map();
    this.list = byId("errands");
    setInterval(() => this.tick(), 1_000);
  }

  get errands() {
    return this.told?.errands ?? [];
  }

  /** In the daemon's order, but for what only some may do: theirs it is first. */
  get inOrder() {
    const rank = (errand) => (FOR_ALL.includes(errand.kind) ? 0 : this.isMine(errand) ? 1 : 2);
    return this.errands.toSorted((one, other) => rank(one) - rank(other));
  }

  show(told) {
    const before = this.told;
    this.told = told;
    setRackTime(told.now);
    this.paint();
    this.changed(told, before);
  }

  clear() {
    this.told = null;
    this.paint();
  }

  paint() {
    byId("queue").hidden = this.told === null;
    if (this.told === null) {
      this.lines.clear();
      this.list.replaceChildren();
      return;
    }
    write(byId("queue-title"), word("wall", "queue"));
    write(byId("bins-title"), word("wall", "in_slots"));
    byId("queue").dataset.count = this.errands.length;
    write(byId("nothing"), this.errands.length ? "" : word("wall", "nothing_to_do"));
    const kept = new Map();
    for (const [key, errands] of Map.groupBy(this.inOrder, keyOf)) {
      const line = this.lines.get(key) ?? new Line(errands[0], (all) => this.follow(all));
      line.show(errands);
      kept.set(key, line);
    }
    this.lines = kept;
    arrange(this.list, [...kept.values()].map((line) => line.element));
    this.showBins();
    this.tick();
  }

  showBins() {
    const bins = byId("bins");
    if (!bins.children.length) {
      bins.append(...BINS.map((bin) => el("li", { "data-bin": bin }, icon(bin), el("span"), el("b"))));
    }
    for (const [place, bin] of BINS.entries()) {
      const [, name, count] = bins.children[place].children;
      write(name, word("disposition", bin));
      write(count, String(this.told.bins[bin] ?? 0));
    }
  }

  /** One slot opens; where there are several, their tiles are pointed out. */
  follow(errands) {
    const [errand] = errands;
    if (errands.length > 1 && errand.slot) this.find(errands.map(({ slot }) => slot));
    else if (errand.kind === "tray" || !errand.slot) location.assign(errand.kind === "tray" ? "/disposal" : "#notices");
    else this.open(errand.slot);
  }

  tick() {
    for (const line of this.lines.values()) line.tick();
  }
}

/** One row, changed in place. */
class Line {
  constructor(errand, follow) {
    this.slot = el("b", { class: "where" });
    this.what = el("span", { class: "what" });
    this.time = el("span", { class: "time" });
    this.toDo = el("small");
    this.button = el("button", { type: "button", onclick: () => follow(this.errands) });
    this.button.append(icon(ICONS[errand.kind] ?? errand.bin ?? "waiting"), this.slot, this.what, this.time, this.toDo);
    this.element = el("li", { "data-kind": errand.kind, "data-bin": errand.bin }, this.button);
  }

  show(errands) {
    const [errand] = errands;
    const many = errands.length > 1 && errand.slot !== null;
    this.errands = errands;
    const goes = [said(errand.in_short) || said(errand), errand.directed?.place].filter(Boolean).join(" → ");
    write(this.slot, many ? "" : (errand.slot ?? ""));
    write(this.what, many ? `${goes} ${manyHandsets(errands.length)}` : goes);
    write(this.toDo, many ? errands.map(({ slot }) => slot).join(" ") : said(errand.what_to_do));
    this.element.classList.toggle("many", many);
    if (many || errand.slot === null) delete this.element.dataset.slot;
    else this.element.dataset.slot = errand.slot;
    this.button.lang = current();
  }

  /** A countdown where there is a deadline, else for how long it has been waiting. */
  tick() {
    const [{ kind, deadline, since }] = this.errands;
    const left = secondsUntil(deadline);
    const age = secondsUntil(since);
    if (kind === "replug" && left !== null) write(this.time, duration(Math.max(0, left)));
    else if (left !== null) write(this.time, `${word("word", "remaining")} ${timeLeft(deadline)}`);
    else write(this.time, age !== null ? inHours(-age) : "");
  }
}
