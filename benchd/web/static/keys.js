// The wall by keyboard alone. A single key counts only once no other follows it, so that no scan is
// ever taken for one; and never where somebody types.

import { mayBind } from "./binding.js";
import { cameAfterPause, goOn, isAstray } from "./ignored_keys.js";
import { byId } from "./dom.js";
import { Find } from "./search.js";
import { isField } from "./scans.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ANSWERS = { 1: "YES", y: "YES", 2: "NO", n: "NO", o: "CIRCLE", v: "TRIANGLE", x: "CROSS", "-": "DASH" };
/** What nobody types a word with. */
const DELIBERATE = ["Enter", "Escape", "Tab", ...Object.keys(ARROWS)];
/** What means nothing by itself, and the keys that are for the whole screen. */
const PASSING = /^(Shift|Control|Alt|Meta|CapsLock|F\d+)$/;
/** Enter so soon after Enter is one press for whoever pressed it. */
const DOUBLE_MS = 250;
/** Where a tile is much rather below than beside. */
const ASIDE = 3;

export class Keys {
  constructor({ reader, rack, panel, answering, binding, help, open }) {
    Object.assign(this, { rack, panel, answering, binding, help, open });
    this.find = new Find({ rack, open });
    this.enteredAt = -Infinity;
    reader.onKey = (key) => this.press(key);
    reader.onEnterKept = () => answering.enterIgnored();
    document.addEventListener("keydown", (event) => this.down(event), true);
    byId("rack").addEventListener("focusin", () => this.rove());
    new MutationObserver(() => this.rove()).observe(byId("rack"), { childList: true });
    this.rove();
  }

  /** A single key outside of any field; gives how to undo it, or true, or null where it does nothing. */
  press(key) {
    const dialog = document.querySelector("dialog[open]:not(#panel)");
    if (isAstray()) return null;
    if (key === "?") this.help.show();
    else if (dialog) return dialog === this.binding.dialog ? this.binding.press(key.toLowerCase()) : null;
    else if (this.panel.name !== null) return this.pressInPanel(key.toLowerCase());
    else if (key.toLowerCase() === "n") this.answering.next();
    else if (key === "/") this.find.show();
    else if (key.toLowerCase() === "p" && this.answering.prints) this.answering.print();
    else return null;
    return true;
  }

  /** With a question on the screen N is its no; else it is the way to the next one. */
  pressInPanel(key) {
    if (this.answering.slotShown() && ANSWERS[key]) return this.answering.key(ANSWERS[key]);
    if (key === "i") this.panel.toNote();
    else if (key === "p" && this.answering.prints) this.answering.print();
    else if (key === "s") this.answering.skip();
    // No B: each of benchd's own codes begins with it.
    else if (key === "l" && mayBind(this.rack.slot(this.panel.name))) this.binding.slot(this.panel.name);
    else if (key === "n") this.answering.next(this.panel.form?.question ?? null);
    else return null;
    return true;
  }

  down(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const field = isField(event.target);
    if (isAstray() && !field) {
      this.astray(event);
      return;
    }
    const other = document.querySelector("dialog[open]:not(#panel)");
    // A button that has the focus does what it says.
    const elsewhere = field || other || event.target.closest?.("button, a");
    if (event.key === "Escape" && !other && this.answering.back.takeBack()) this.used(event);
    else if (event.key === "Enter" && !field) this.enter(event, elsewhere);
    else if (ARROWS[event.key] && !field && !document.querySelector("dialog[open]")) this.move(event, ARROWS[event.key]);
  }

  /**
   * Enter sends at once what waits. Held down or pressed twice it would go on to send what was given by the
   * first press, or what comes after: that is told, and does nothing.
   */
  enter(event, elsewhere) {
    const twice = event.repeat || event.timeStamp - this.enteredAt < DOUBLE_MS;
    this.enteredAt = event.timeStamp;
    if (twice) {
      this.used(event);
      this.answering.enterIgnored();
    } else if (!elsewhere && this.answering.sendHeld()) this.used(event);
  }

  /** Somebody types on for a field that went away: until they go on by purpose, keys do nothing. */
  astray(event) {
    if (PASSING.test(event.key)) return;
    if (DELIBERATE.includes(event.key) && cameAfterPause()) goOn();
    this.used(event);
  }

  used(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** The tiles' buttons, of which Tab reaches one and arrows the others. */
  buttons() {
    return [...byId("rack").querySelectorAll("[data-slot] button.open")];
  }

  rove() {
    const buttons = this.buttons();
    const focused = buttons.find((button) => button === document.activeElement);
    if (focused) this.slot = focused.closest("[data-slot]").dataset.slot;
    const current = buttons.find((button) => button.closest("[data-slot]").dataset.slot === this.slot) ?? buttons[0];
    for (const button of buttons) {
      const index = button === current ? 0 : -1;
      if (button.tabIndex !== index) button.tabIndex = index;
    }
  }

  /** To the next tile in this direction, as they lie on the screen. */
  move(event, [right, down]) {
    const buttons = this.buttons().filter((button) => button.offsetParent !== null);
    const from = buttons.find((button) => button === document.activeElement);
    this.used(event);
    if (!from) {
      buttons.find((button) => button.tabIndex === 0)?.focus();
      return;
    }
    const here = middle(from);
    const far = (button) => {
      const there = middle(button);
      const along = (there.x - here.x) * right + (there.y - here.y) * down;
      const aside = Math.abs((there.x - here.x) * down) + Math.abs((there.y - here.y) * right);
      return along > 1 ? along + ASIDE * aside : Infinity;
    };
    const nearest = buttons.reduce((best, button) => (far(button) < far(best) ? button : best), from);
    nearest.focus();
  }
}

function middle(button) {
  const box = button.closest("[data-slot]").getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}
