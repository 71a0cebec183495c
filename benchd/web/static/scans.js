// What a reader types anywhere but in a field: faster than any person, and ended with Enter. None of it
// reaches what has the focus, so that no scan ever presses a button.

const READER_PAUSE_MS = 150;
const SHORTEST = 2;

/** Where somebody types; a box to tick or a button to choose a file is no such place. */
const isField = (target) =>
  target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !["checkbox", "radio", "file"].includes(target.type));

/** `heard` is called with each code that was scanned. */
export function onScan(heard) {
  let typed = "";
  let lastAt = 0;
  document.addEventListener(
    "keydown",
    (event) => {
      if (isField(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
      const now = event.timeStamp;
      if (now - lastAt > READER_PAUSE_MS) typed = "";
      lastAt = now;
      if (event.key === "Enter" && typed.length >= SHORTEST) {
        event.preventDefault();
        const code = typed;
        typed = "";
        heard(code);
      } else if (event.key.length === 1) {
        if (typed && event.key === " ") event.preventDefault();
        typed += event.key;
      }
    },
    true,
  );
}
