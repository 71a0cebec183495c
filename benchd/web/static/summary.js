// The line above the rack: how many things wait for somebody, how many slots work, are done, are free.

import { byId, el, write } from "./dom.js";
import { group } from "./status.js";
import { duration, page, word } from "./words.js";

const COUNTS = ["needs_person", "busy", "finished", "free"];

export class Summary {
  constructor() {
    this.counts = new Map();
    this.left = el("b");
    this.leftName = el("span");
    const line = (name) => {
      const parts = [el("b"), el("span")];
      this.counts.set(name, parts);
      return el("li", { class: `count ${name}` }, ...parts);
    };
    this.leftLine = el("li", { class: "count rack-left" }, this.left, this.leftName);
    byId("summary").replaceChildren(...COUNTS.map(line), this.leftLine);
  }

  /** `errands` is null until the daemon has told the queue. */
  show(slots, ports, errands, left) {
    const counts = { needs_person: ports.length, busy: 0, finished: 0, free: 0 };
    for (const slot of slots) counts[group(slot)] += 1;
    // What is done and only has to be carried away calls nobody.
    if (errands !== null) counts.needs_person = errands.filter(({ kind }) => kind !== "carry").length;
    for (const [name, [number, label]] of this.counts) {
      const line = number.parentElement;
      if (line.dataset.count !== String(counts[name])) line.dataset.count = counts[name];
      write(number, String(counts[name]));
      write(label, page(name));
    }
    const time = duration(left);
    this.leftLine.hidden = time === "";
    write(this.left, time);
    write(this.leftName, word("wall", "rack_left"));
    const title = `${counts.needs_person ? `(${counts.needs_person}) ` : ""}benchd ${page("title")}`;
    if (document.title !== title) document.title = title;
  }
}
