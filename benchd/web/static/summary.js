// The line above the rack: how many slots need somebody, work, are done, are free.

import { byId, el } from "./dom.js";
import { icon } from "./icons.js";
import { group, look, needsPerson } from "./status.js";
import { current, page } from "./words.js";

export class Summary {
  constructor(open) {
    this.open = open;
    this.seen = "";
  }

  show(slots, ports) {
    const counts = { needs_person: ports.length, busy: 0, finished: 0, free: 0 };
    for (const slot of slots) counts[group(slot)] += 1;
    const seen = [current(), ...Object.values(counts), ...slots.map((slot) => slot.state)].join();
    if (seen === this.seen) return;
    this.seen = seen;
    const chips = slots.filter(needsPerson).map((slot) =>
      el("button", { type: "button", class: "chip", onclick: () => this.open(slot.slot) }, icon(look(slot, null).icon), slot.slot),
    );
    const number = (name, ...more) =>
      el("li", { class: `count ${name}`, "data-count": counts[name] }, el("b", {}, String(counts[name])), el("span", {}, page(name)), ...more);
    byId("summary").replaceChildren(
      number("needs_person", ...(chips.length ? [el("span", { class: "chips" }, ...chips)] : [])),
      number("busy"),
      number("finished"),
      number("free"),
      el("li", { class: "count all" }, el("b", {}, String(slots.length)), el("span", {}, page("slots"))),
    );
    document.title = `${counts.needs_person ? `(${counts.needs_person}) ` : ""}benchd ${page("title")}`;
  }
}
