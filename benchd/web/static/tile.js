// One slot of the rack on the wall.

import { el } from "./dom.js";
import { icon } from "./icons.js";
import { answerable, look, needsPerson } from "./status.js";
import { calledOf, duration, page, percent, said, word } from "./words.js";

/** Changed in place: what a finger is on, or the keyboard, must not be replaced under it. */
export class Tile {
  constructor(name, open) {
    this.name = el("h2", {}, name);
    this.top = el("div", { class: "top" }, this.name);
    this.state = el("p", { class: "state" });
    this.main = el("p", { class: "main" });
    this.bar = el("progress", { max: 1 });
    this.percent = el("span", { class: "percent" });
    this.left = el("span", { class: "left" });
    this.numbers = el("p", { class: "numbers" }, this.percent, this.left);
    this.toDo = el("p", { class: "to-do" });
    this.model = el("b");
    this.called = el("span", { class: "called" });
    this.serial = el("span");
    this.earlier = el("p", { class: "earlier" });
    this.button = el("button", { type: "button", class: "open", onclick: () => open(name) });
    const handset = el("p", { class: "handset" }, this.model, " ", this.called, " ", this.serial);
    const foot = el("div", { class: "foot" }, handset, this.button);
    this.element = el("li", { class: "tile", "data-slot": name });
    this.element.append(this.top, this.state, this.main, this.bar, this.numbers, this.toDo, this.earlier, foot);
  }

  show(slot, proof) {
    const seen = look(slot, proof);
    this.element.dataset.state = slot.state;
    this.element.classList.toggle("person", needsPerson(slot));
    if (this.element.dataset.kind !== seen.kind) {
      this.element.dataset.kind = seen.kind;
      this.top.replaceChildren(this.name, icon(seen.icon));
    }
    write(this.state, seen.title);
    write(this.main, seen.main);
    write(this.toDo, seen.to_do);
    write(this.model, slot.handset?.model ?? "");
    write(this.called, calledOf(slot.handset));
    write(this.serial, slot.handset?.serial ?? "");
    write(this.earlier, slot.earlier ? said(slot.earlier) : "");
    this.earlier.classList.toggle("doomed", slot.earlier?.doomed ?? false);
    this.progress(slot);
    write(this.button, answerable(slot) ? page("answer") : page("open"));
    this.button.setAttribute("aria-label", `${slot.slot} ${seen.title} ${this.button.textContent}`);
  }

  progress(slot) {
    const known = typeof slot.progress === "number" && slot.state === "running";
    this.bar.hidden = this.numbers.hidden = !known;
    if (!known) return;
    const left = duration(slot.eta_s);
    this.bar.value = slot.progress;
    this.bar.setAttribute("aria-label", word("word", "progress"));
    write(this.percent, percent(slot.progress));
    write(this.left, left ? `${word("word", "remaining")} ${left}` : "");
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
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
