// What people have to do next over the whole rack, in the order that the daemon gives.

import { secondsUntil, setRackTime } from "./clock.js";
import { arrange, byId, el, write } from "./dom.js";
import { icon } from "./icons.js";
import { current, duration, said, word } from "./words.js";

const BINS = ["sellable", "return", "hold", "destroy"];
const ICONS = {
  replug: "replug",
  put_right: "waiting",
  question: "awaiting_operator",
  confirm: "awaiting_operator",
  broken: "quarantined",
  tray: "tray",
};

/** Which errand it is, whatever is said of it meanwhile. */
const keyOf = ({ kind, slot, occupancy, since, ja }) => [kind, slot, occupancy, kind === "tray" ? since : slot ? "" : ja].join(" ");

export class Queue {
  /** `open` is called with the slot of an errand; `changed` with what there is now and what there was. */
  constructor({ open, changed }) {
    this.open = open;
    this.changed = changed;
    this.told = null;
    this.lines = new Map();
    this.list = byId("errands");
    setInterval(() => this.tick(), 1_000);
  }

  get errands() {
    return this.told?.errands ?? [];
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
    byId("queue").dataset.count = this.errands.length;
    write(byId("nothing"), this.errands.length ? "" : word("wall", "nothing_to_do"));
    const kept = new Map();
    for (const errand of this.errands) {
      const key = keyOf(errand);
      const line = this.lines.get(key) ?? new Line(errand, (one) => this.follow(one));
      line.show(errand);
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

  follow(errand) {
    if (errand.kind === "tray" || !errand.slot) location.assign(errand.kind === "tray" ? "/disposal" : "#notices");
    else this.open(errand.slot);
  }

  tick() {
    for (const line of this.lines.values()) line.tick();
  }
}

/** One errand, changed in place. */
class Line {
  constructor(errand, follow) {
    this.slot = el("b", { class: "where" });
    this.what = el("span", { class: "what" });
    this.time = el("span", { class: "time" });
    this.toDo = el("small");
    this.button = el("button", { type: "button", onclick: () => follow(this.errand) });
    this.mark = null;
    this.icon = el("span");
    this.button.append(this.icon, this.slot, this.what, this.time, this.toDo);
    this.element = el("li", { "data-kind": errand.kind, "data-slot": errand.slot }, this.button);
  }

  show(errand) {
    this.errand = errand;
    this.goes(errand);
    write(this.slot, errand.slot ?? "");
    write(this.what, [said(errand), errand.directed?.place].filter(Boolean).join(" → "));
    write(this.toDo, said(errand.what_to_do));
    this.button.lang = current();
  }

  /** Where a handset goes can change while it lies there: another system may hold it back. */
  goes({ kind, bin }) {
    const mark = ICONS[kind] ?? bin ?? "waiting";
    if (mark === this.mark) return;
    this.mark = mark;
    const drawn = icon(mark);
    this.icon.replaceWith(drawn);
    this.icon = drawn;
    if (bin) this.element.dataset.bin = bin;
    else delete this.element.dataset.bin;
  }

  /** A countdown where there is a deadline, else for how long it has been waiting. */
  tick() {
    const { deadline, since } = this.errand;
    const left = secondsUntil(deadline);
    const age = secondsUntil(since);
    write(this.time, left !== null ? duration(Math.max(0, left)) : age !== null ? aged(-age) : "");
  }
}

/** 12分 or 1時間5分; nothing within the first minute. */
function aged(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "";
  if (minutes < 60) return `${minutes}${spaced()}${word("wall", "minutes")}`;
  return `${Math.floor(minutes / 60)}${spaced()}${word("wall", "hours")}${spaced()}${minutes % 60}${spaced()}${word("wall", "minutes")}`;
}

const spaced = () => (current() === "ja" ? "" : " ");
