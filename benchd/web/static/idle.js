// Warns before a screen that nobody uses locks by itself.

import { el, write } from "./dom.js";
import { onIdle } from "./session.js";
import { placeShelf, shelve } from "./toasts.js";
import { duration, word } from "./words.js";

/** Shown while it is about to lock, in whatever dialog is open: what lies behind one isn't read. */
export function warnBeforeLock() {
  const told = el("span");
  const left = el("b", { "aria-hidden": "true" });
  const bar = el("p", { id: "idle", role: "alert" }, told, " ", left);
  onIdle((seconds) => {
    if (seconds === null) {
      bar.remove();
      return;
    }
    if (bar.isConnected) placeShelf();
    else shelve(bar);
    write(told, word("answering", "locks_soon"));
    write(left, duration(seconds));
  });
}
