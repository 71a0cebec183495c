// What a reader types, wherever the focus is: faster or more evenly than any person, and ended with
// Enter or Tab. None of it reaches what has the focus, so that no scan ever presses a button or stays in
// a field that isn't for it. A single key that nothing follows is no scan, and is told as a key.

import { isOfIme, isSeparator, keyOf, SEPARATOR } from "./key_chars.js";

/** Between two keys of a reader, where nobody types. */
const PAUSE_MS = 150;
/** In a field people type too, and faster than they know: a reader is faster still, */
const FAST_MS = 50;
const SHORTEST_FAST = 5;
/** or slow, and as even as nobody's fingers, up to its last key. USB tells of keys every 10 ms. */
const SLOW_MS = 300;
const SHORTEST_EVEN = 6;
const EVEN_MS = 20;
/** After this a code with the prefix is whole, where the reader ends it with nothing. */
const WHOLE_MS = 400;
const SHORTEST = 2;
/** The same code again within this is one scan that was read twice. */
const TWICE_MS = 2_000;
/** A reader stutters: a letter so soon after others that nothing has ended is theirs, and no key. */
const LATE_MS = 2_000;
/** A letter so soon before others is theirs too. */
const EARLY_MS = 500;
/** A code waits no longer for its page: whoever has scanned it has scanned again, or gone. */
const WAITS_MS = 10_000;
/** Nobody presses Enter so soon after a key or a scan for its own sake; some readers end a code with two. */
const ENTER_AFTER_MS = 300;
const ENDS = ["Enter", "Tab"];
/** What would press a button or begin a search of the browser's own. */
const KEPT = ["/", "'", SEPARATOR];

/** Where somebody types; a box to tick or a button to choose a file is no such place. */
export const isField = (target) =>
  target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !["checkbox", "radio", "file"].includes(target.type));

const ofReaders = new WeakSet();

/** Whether an Enter has ended what a reader has typed into a field, perhaps once more: nobody has pressed it. */
export const isOfReader = (event) => ofReaders.has(event);

/** Whether what is scanned into a field is given to the page; else it keeps all but badges. */
const isAside = (field) => field.dataset.scan !== undefined;

/**
 * What some of those fields are for, by its form. A machine may have typed it, or somebody as evenly as
 * one: it stays, and `data-read` says what of it came so, since it may be somebody's badge all the same.
 */
const isPin = (text) => /^\d{6,12}$/.test(text);
const isId = (text) => /^(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(text);
const isFor = (field, read) => {
  const whole = field.value.normalize("NFKC").trim();
  // A number behind the letters that somebody has typed is no part of their id.
  return field.dataset.scan === "pin" ? isPin(whole) : field.dataset.scan === "id" && isId(read) && isId(whole);
};

/** What nobody types by hand, so that no speed is needed to know it: the code of a badge that benchd has made, or another of its own. */
const BADGE = /(\][a-z][0-9a-z])?BD:P:.+$/i;
const OWN = /(\][a-z][0-9a-z])?BD:[SJAP]:.+$/i;

export class Reader {
  constructor() {
    /** Is given each code; null while the page isn't ready for one. */
    this.heard = null;
    this.early = [];
    this.prefix = "";
    /** Is given a single key: gives how it is undone, or true, or null where it did nothing. */
    this.onKey = null;
    /** Is told what was read into a field that keeps it, and what stood there before. */
    this.onRead = null;
    /** Is called where Enter may be a reader's, and is kept from doing anything. */
    this.onEnterKept = null;
    this.lettersAt = this.pressedAt = this.takenAt = this.stayedAt = -Infinity;
    this.undo = null;
    this.last = { code: "", at: -Infinity };
    this.lastAt = -Infinity;
    this.clear();
    document.addEventListener("keydown", (event) => this.down(event), true);
  }

  /** The page is ready: `heard` is given what was read before, then each code as it is read. */
  async begin(heard) {
    while (this.early.length) {
      const { code, at } = this.early.shift();
      if (performance.now() - at > WAITS_MS) continue;
      try {
        await heard(this.bare(code));
      } catch (error) {
        reportError(error);
      }
    }
    this.heard = heard;
  }

  clear() {
    clearTimeout(this.waiting);
    clearTimeout(this.ending);
    this.keys = [];
    this.field = null;
    this.told = this.late = false;
  }

  get typed() {
    return this.textFrom(0);
  }

  textFrom(place) {
    return this.keys.slice(place).map(({ key }) => key).join("");
  }

  down(event) {
    const field = isField(event.target) ? event.target : null;
    const separator = isSeparator(event);
    if (!separator && (event.ctrlKey || event.altKey || event.metaKey)) return;
    const pause = field ? SLOW_MS : PAUSE_MS;
    if (event.timeStamp - this.lastAt > pause) {
      this.over();
      this.clear();
    }
    if (this.keys.length && this.field !== field) this.clear();
    const key = separator ? SEPARATOR : keyOf(event);
    if (ENDS.includes(key) && this.endsTwice(event, field)) this.keep(event, key);
    else if (ENDS.includes(key)) this.end(event, key);
    else if (key.length === 1 && !event.repeat) this.add(event, key, field);
    else if (key !== "Shift") this.other(key);
  }

  /** Whether it is one more end of the code that was just read, and presses nothing. */
  endsTwice(event, field) {
    return !field && !this.keys.length && event.timeStamp - this.takenAt < ENTER_AFTER_MS;
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
    if (key === " " && !field && !this.keys.length && !late) return;
    this.lastAt = event.timeStamp;
    if (!this.keys.length) {
      this.late = late;
      this.field = field;
    }
    this.keys.push({ key, at: event.timeStamp, before: field?.value ?? "" });
    if (this.keys.length > 1) this.unpress(event);
    if (this.prefix && this.typed.includes(this.prefix) && (!field || isAside(field))) {
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
    if (!this.keys.length || this.field || this.told) return;
    const alone = this.keys.length === 1 && !this.late;
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
    const place = this.field ? this.readFrom(null) : 0;
    const typed = place === null ? "" : this.textFrom(place);
    if (typed.startsWith(this.prefix) && typed.length > this.prefix.length) this.take(place);
  }

  /** What was taken for a single key was the beginning of a code. */
  unpress(event) {
    if (event.timeStamp - this.pressedAt < EARLY_MS) this.undo?.();
    this.undo = null;
    this.told = false;
  }

  end(event, key) {
    const place = this.field ? this.readFrom(event.timeStamp) : this.keys.length < SHORTEST ? null : 0;
    if (place !== null && this.field && isFor(this.field, this.textFrom(place))) {
      this.field.dataset.read = this.textFrom(place);
    } else if (place !== null) {
      swallow(event);
      this.take(place);
      return;
    }
    if (this.isReaders(event)) ofReaders.add(event);
    if (this.field && !isAside(this.field)) {
      const read = this.readIn(event.timeStamp);
      if (read !== null) this.readInto(event, key, read);
    }
    // A key just before Enter still counts as that key, but Enter isn't pressed for anything else.
    this.over();
    const at = event.timeStamp;
    const reader = at - this.lettersAt < LATE_MS || at - this.pressedAt < ENTER_AFTER_MS;
    if (reader && !isField(event.target)) this.keep(event, key);
    this.finish();
    this.clear();
  }

  /** A field that keeps it has what was read; of several labels each ends its line, whatever the reader ends with. */
  readInto(event, key, place) {
    const { field } = this;
    this.onRead?.(field, this.bare(this.textFrom(place)), this.keys[place].before);
    if (key !== "Tab" || !(field instanceof HTMLTextAreaElement)) return;
    swallow(event);
    field.setRangeText("\n", field.selectionStart, field.selectionEnd, "end");
  }

  /** Whether this ends what a reader has typed, and stays in its field, or does so once more. */
  isReaders({ timeStamp }) {
    if (this.field && this.keys.length && this.readIn(timeStamp) !== null) this.stayedAt = timeStamp;
    return timeStamp - Math.max(this.stayedAt, this.takenAt) < ENTER_AFTER_MS;
  }

  /** Has a reader's end press nothing. */
  keep(event, key) {
    swallow(event);
    if (key === "Enter") this.onEnterKept?.();
  }

  /** At which of the keys in a field a reader has begun, perhaps after a person's; null where none has. */
  readFrom(endedAt) {
    const { field, prefix, typed } = this;
    const own = (isAside(field) ? OWN : BADGE).exec(typed);
    // Each key is one character, so that places in the text are those of the keys.
    if (own) return own.index - (typed.slice(0, own.index).endsWith(prefix) ? prefix.length : 0);
    return isAside(field) ? this.readIn(endedAt) : null;
  }

  /** The same by the times of the keys alone. */
  readIn(endedAt) {
    const { keys } = this;
    const times = keys.map(({ at }) => at);
    if (endedAt !== null) times.push(endedAt);
    const fast = beganAt(times, keys.length, (pauses) => pauses.at(-1) <= FAST_MS);
    const even = beganAt(times, keys.length, (pauses) => Math.max(...pauses) - Math.min(...pauses) <= EVEN_MS);
    const places = [];
    if (keys.length - fast >= SHORTEST_FAST) places.push(fast);
    if (keys.length - even >= SHORTEST_EVEN) places.push(even);
    return places.length ? Math.min(...places) : null;
  }

  take(place) {
    const { field, lastAt: at } = this;
    const code = this.bare(this.textFrom(place));
    this.takenAt = performance.now();
    if (field) restore(field, this.keys[place].before);
    this.finish();
    this.clear();
    const twice = code === this.last.code && at - this.last.at < TWICE_MS;
    this.last = { code, at };
    if (!twice) this.hear(code);
  }

  /** Has a code heard, once the page is ready for it. */
  hear(code) {
    if (this.heard) this.heard(code);
    else if (!this.early.some((one) => one.code === code)) this.early.push({ code, at: performance.now() });
  }

  bare(typed) {
    return this.prefix && typed.startsWith(this.prefix) ? typed.slice(this.prefix.length) : typed;
  }
}

/** The first of so many keys from which on, back from the last one, all `pauses` are a reader's. */
function beganAt(times, count, areReaders) {
  const pauses = [];
  let began = times.length === count ? count - 1 : count;
  for (let key = times.length - 2; key >= 0; key -= 1) {
    pauses.push(times[key + 1] - times[key]);
    if (!areReaders(pauses)) break;
    began = key;
  }
  return began;
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
