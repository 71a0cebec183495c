// One slot of the rack on the wall.

import { secondsUntil } from "./clock.js";
import { el, write } from "./dom.js";
import { icon } from "./icons.js";
import { answerable, handsetLeft, look, needsPerson } from "./status.js";
import { calledOf, duration, inMinutes, page, percent, said, timeLeft, word } from "./words.js";

/** Changed in place: what a finger is on, or the keyboard, must not be replaced under it. */
export class Tile {
  constructor(name, open) {
    this.name = el("h2", {}, name);
    this.number = el("span", { class: "tail" });
    this.recipe = el("p", { class: "recipe" });
    this.top = el("div", { class: "top" }, this.name, this.recipe, this.number);
    this.state = el("p", { class: "state" });
    this.short = el("p", { class: "short" });
    this.main = el("p", { class: "main" });
    this.bar = el("progress", { max: 1 });
    this.percent = el("span", { class: "percent" });
    this.leftOf = el("span", { class: "left-of" });
    this.left = el("span", { class: "left" });
    this.minutes = el("span", { class: "minutes" });
    this.numbers = el("p", { class: "numbers" }, this.percent, el("span", { class: "time" }, this.leftOf, " ", this.left, this.minutes));
    this.toDo = el("p", { class: "to-do" });
    this.model = el("b");
    this.called = el("span", { class: "called" });
    this.tag = el("span", { class: "tag" });
    this.serial = el("span", { class: "serial" });
    this.imei = el("span", { class: "imei" });
    this.earlier = el("p", { class: "earlier" });
    this.button = el("button", { type: "button", class: "open", onclick: () => open(name) });
    const handset = el("p", { class: "handset" }, this.model, " ", this.called, " ", this.tag, " ", this.serial, " ", this.imei);
    const foot = el("div", { class: "foot" }, handset, this.button);
    this.element = el("li", { class: "tile", "data-slot": name });
    this.name.style.setProperty("--letters", name.length);
    this.element.append(this.top, this.state, this.short, this.main, this.bar, this.numbers, this.toDo, this.earlier, foot);
  }

  /** `cut` gives the serials and IMEIs of the rack as they are shown beside each other, and the recipes that few of its slots run. */
  show(slot, proof, cut = null) {
    const seen = look(slot, proof);
    mark(this.element, "state", slot.state);
    this.element.classList.toggle("person", needsPerson(slot));
    if (this.element.dataset.kind !== seen.kind) {
      this.element.dataset.kind = seen.kind;
      this.top.replaceChildren(this.name, this.recipe, this.number, icon(seen.icon));
    }
    write(this.recipe, slot.recipe ? word("recipe", slot.recipe) : "");
    this.element.classList.toggle("rare", cut?.rare.has(slot.recipe) ?? false);
    write(this.state, seen.title);
    if (this.short.textContent !== seen.short) this.short.style.setProperty("--ems", ems(seen.short));
    write(this.short, seen.short);
    write(this.main, seen.main);
    write(this.toDo, seen.to_do);
    write(this.model, slot.handset?.model ?? "");
    write(this.called, calledOf(slot.handset));
    const { serial = "", imei = "" } = slot.handset ?? {};
    write(this.tag, slot.asset?.tag ?? "");
    this.element.classList.toggle("tagged", Boolean(slot.asset));
    write(this.serial, cut?.serials.get(serial) ?? serial);
    write(this.imei, imei ? `${"IMEI"} ${cut?.imeis.get(imei) ?? imei}` : "");
    write(this.number, (serial ? this.serial.textContent : (cut?.imeis.get(imei) ?? "")).replace(/^…/, ""));
    write(this.earlier, slot.earlier ? said(slot.earlier) : "");
    this.earlier.classList.toggle("doomed", slot.earlier?.doomed ?? false);
    this.deadline = seen.deadline ?? null;
    this.until = slot.question?.until ?? null;
    this.pace(slot);
    write(this.button, answerable(slot) ? page("answer") : page("open"));
    const label = `${slot.slot} ${seen.title} ${this.button.textContent}`;
    if (this.button.getAttribute("aria-label") !== label) this.button.setAttribute("aria-label", label);
  }

  /**
   * How far the stage is, and how long it still takes: the handset where that is known, else its stage.
   * Where only people are waited for, machines need no time; how long the question waits is told instead.
   */
  pace(slot) {
    const known = typeof slot.progress === "number" && slot.state === "running";
    this.whole = handsetLeft(slot) >= 1 && !this.until ? slot : null;
    const { whole } = this;
    const stage = known ? duration(slot.eta_s) : "";
    this.element.classList.toggle("paced", known && !slot.absence);
    this.bar.hidden = !known;
    if (known) {
      this.bar.value = slot.progress;
      this.bar.setAttribute("aria-label", word("word", "progress"));
    }
    write(this.percent, known ? percent(slot.progress) : "");
    mark(this.numbers, "of", whole || this.deadline || this.until ? "handset" : "stage");
    if (this.deadline || this.until || whole) this.tick();
    else write(this.left, stage);
    if (!whole || this.deadline) write(this.minutes, "");
    write(this.leftOf, this.deadline || this.left.hidden ? "" : this.until ? word("wall", "until_answer") : whole ? word("word", "remaining") : word("wall", "stage_left"));
    this.numbers.hidden = this.percent.hidden && this.left.hidden;
  }

  /** Once a second: what is left until it is too late, or until its handset is done. */
  tick() {
    if (this.deadline) write(this.left, duration(Math.max(0, secondsUntil(this.deadline) ?? 0)));
    else if (this.until) write(this.left, timeLeft(this.until));
    else if (this.whole) {
      const left = handsetLeft(this.whole);
      write(this.left, duration(left));
      write(this.minutes, inMinutes(left));
    }
  }
}

/** About how wide a word is, by the height of its letters. */
const ems = (text) => [...text].reduce((wide, letter) => wide + (letter > "\u2000" ? 1 : 0.64), 0);

function mark(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** Lines for the configuration are there to be copied, letter by letter. */
function portLine(line) {
  return /^[\x20-\x7e]*$/.test(line) && /^\[|=/.test(line) ? el("code", {}, line) : el("p", { class: "to-do" }, line);
}

export function portTile(port) {
  return el(
    "li",
    { class: "tile port person", "data-kind": "waiting" },
    el("div", { class: "top" }, el("h2", {}, said(port.problem)), icon("waiting")),
    ...said(port.problem.what_to_do).split("\n").map(portLine),
  );
}
