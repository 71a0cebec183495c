// What is the matter with the rack as a whole, and ports that no slot claims: above the slots.

import { byId, el } from "./dom.js";
import { portTile } from "./tile.js";
import { current, page } from "./words.js";

export class Notices {
  constructor() {
    this.ports = [];
    this.notices = [];
  }

  showPorts(told) {
    this.ports = told;
    byId("unknown").hidden = told.length === 0;
    byId("unknown-ports").replaceChildren(...told.map(portTile));
  }

  show(told) {
    this.notices = told;
    byId("notices").hidden = told.length === 0;
    const line = (notice) =>
      el("li", {}, el("strong", {}, notice[current()]), el("span", {}, notice.what_to_do[current()]));
    byId("notices").replaceChildren(el("ul", {}, ...told.map(line)));
  }

  relabel() {
    byId("unknown").setAttribute("aria-label", page("unknown_ports"));
    this.showPorts(this.ports);
    this.show(this.notices);
  }
}
