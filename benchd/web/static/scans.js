// What a reader types, wherever the focus is: faster than any person, and ended with Enter or Tab. None
// of it reaches what has the focus, so that no scan ever presses a button or stays in a field that
// isn't for it. A single key that nothing follows is no scan, and is told as a key.

import { isOfIme, isSeparator, keyOf, SEPARATOR } from "./key_chars.js";

/** Between two keys of a reader. In a field people type too, and faster than they know. */
const PAUSE_MS = 150;
const PAUSE_IN_FIELD_MS = 50;
/** After this a code with the prefix is whole, where the reader ends it with nothing. */
const WHOLE_MS = 400;
const SHORTEST = 2;
const SHORTEST_IN_FIELD = 5;
/** The same code again within this is one scan that was read twice. */
const TWICE_MS = 2_000;
/** A reader stutters: a letter so soon after others that nothing has ended is theirs, and no key. */
const LATE_MS = 2_000;
/** A letter so soon before others is theirs too. */
const EARLY_MS = 500;
/** Nobody presses Enter so soon after a key for its own sake. */
const ENTER_AFTER_MS = 300;
const ENDS = ["Enter", "Tab"];
/** What would press a button or begin a search of the browser's own. */
const KEPT = ["/", "'", SEPARATOR];

/** Where somebody types; a box to tick or a button to choose a file is no such place. */
export const isField = (target) =>
  target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !["checkbox", "radio", "file"].includes(target.type));

/**
 * What is scanned into a field, by its attribute `data-scan`: "aside" gives all of it to the page,
 * "number" keeps numbers and gives benchd's own codes to the page, and without it the field keeps all.
 */
const scanOf = (target) => target.dataset?.scan ?? null;

const OWN = /^BD:/i;

export class Reader {
  constructor(heard, { prefix = "" } = {}) {
    this.heard = heard;
    this.prefix = prefix;
    /** Is given a single key: gives how it is undone, or true, or null where it did nothing. */
    this.onKey = null;
    /** Is called where Enter may be a reader's, and is kept from doing anything. */
    this.onEnterKept = null;
    this.lettersAt = this.pressedAt = -Infinity;
    this.undo = null;
    this.last = { code: "", at: -Infinity };
    this.lastAt = -Infinity;
    this.clear();
    document.addEventListener("keydown", (event) => this.down(event), true);
  }

  clear() {
    clearTimeout(this.waiting);
    clearTimeout(this.ending);
    this.typed = "";
    this.field = null;
    this.told = this.late = false;
  }

  down(event) {
    const field = isField(event.target) ? event.target : null;
    if (field && scanOf(field) === null) {
      this.clear();
      return;
    }
    const separator = isSeparator(event);
    if (!separator && (event.ctrlKey || event.altKey || event.metaKey)) return;
    const pause = field ? PAUSE_IN_FIELD_MS : PAUSE_MS;
    if (event.timeStamp - this.lastAt > pause) {
      this.over();
      this.clear();
    }
    if (this.typed && this.field !== field) this.clear();
    const key = separator ? SEPARATOR : keyOf(event);
    if (ENDS.includes(key)) this.end(event, key);
    else if (key.length === 1 && !event.repeat) this.add(event, key, field);
    else if (key !== "Shift") this.other(key);
  }

  /** A key that writes nothing ends whatever was begun. */
  other(key) {
    if (key.length > 1) this.finish();
    this.clear();
  }

  /** What was typed is over and done with. */
  finish() {
    this.lettersAt = -Infinity;
    this.undo = null;
  }

  add(event, key, field) {
    const late = event.timeStamp - this.lettersAt < LATE_MS;
    // By itself it presses what has the focus.
    if (key === " " && !field && !this.typed && !late) return;
    this.lastAt = event.timeStamp;
    if (!this.typed) {
      this.late = late;
      this.field = field;
      this.before = field?.value ?? "";
    }
    this.typed += key;
    if (this.typed.length > 1) this.unpress(event);
    if (this.prefix && this.typed.startsWith(this.prefix)) {
      clearTimeout(this.ending);
      this.ending = setTimeout(() => this.whole(), WHOLE_MS);
    }
    if (field) return;
    if (key === " " || KEPT.includes(key) || isOfIme(event)) event.preventDefault();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.over(), PAUSE_MS);
  }

  /** The pause of a reader is over: a single key is told. The rest of a code may only be late. */
  over() {
    clearTimeout(this.waiting);
    if (!this.typed || this.field || this.told) return;
    const alone = this.typed.length === 1 && !this.late;
    const done = alone ? this.onKey?.(this.typed) : null;
    this.told = alone;
    if (done) {
      this.pressedAt = this.lastAt;
      this.undo = done === true ? null : done;
      this.lettersAt = -Infinity;
    } else {
      this.lettersAt = this.lastAt;
    }
  }

  /** A code that begins with the prefix needs no key at its end. */
  whole() {
    clearTimeout(this.ending);
    if (this.typed.length > this.prefix.length) this.take(this.typed, this.field);
  }

  /** What was taken for a single key was the beginning of a code. */
  unpress(event) {
    if (event.timeStamp - this.pressedAt < EARLY_MS) this.undo?.();
    this.undo = null;
    this.told = false;
  }

  end(event, key) {
    const { typed, field } = this;
    const shortest = field ? SHORTEST_IN_FIELD : SHORTEST;
    const kept = field && scanOf(field) === "number" && !OWN.test(this.bare(typed));
    if (typed.length < shortest) {
      // A key just before Enter still counts as that key, but Enter isn't pressed for anything else.
      this.over();
      const at = event.timeStamp;
      const reader = at - this.lettersAt < LATE_MS || at - this.pressedAt < ENTER_AFTER_MS;
      if (reader && !isField(event.target)) {
        swallow(event);
        if (key === "Enter") this.onEnterKept?.();
      }
      this.finish();
      this.clear();
      return;
    }
    swallow(event);
    if (kept) {
      field.value = this.bare(typed);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      this.clear();
    } else {
      this.take(typed, field);
    }
  }

  take(typed, field) {
    const at = this.lastAt;
    if (field) restore(field, this.before);
    this.finish();
    this.clear();
    const code = this.bare(typed);
    const twice = code === this.last.code && at - this.last.at < TWICE_MS;
    this.last = { code, at };
    if (!twice) this.heard(code);
  }

  bare(typed) {
    return this.prefix && typed.startsWith(this.prefix) ? typed.slice(this.prefix.length) : typed;
  }
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Takes out of a field what a reader has typed into it, also what an IME is still composing. */
function restore(field, value) {
  const focused = document.activeElement === field;
  if (focused) field.blur();
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  if (focused) field.focus();
}
