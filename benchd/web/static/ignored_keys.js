// Whether a key that comes is meant for what is on the screen now. What has come by itself is only
// read until the keys rest; and where a field went away under somebody's fingers, keys do nothing
// until that somebody goes on by purpose.

/** The keys rest once none has come for so long. */
const QUIET_MS = 1_000;

let last = -Infinity;
let pause = Infinity;
let astray = false;

addEventListener(
  "keydown",
  () => {
    const now = performance.now();
    pause = now - last;
    last = now;
  },
  true,
);
addEventListener("pointerdown", () => goOn(), true);

/** Calls once no key has come for a second, and what it is about has been seen for one. */
export function onceQuiet(done, isSeen) {
  let from = performance.now();
  const look = () => {
    if (!isSeen()) from = performance.now();
    const left = Math.max(from, last) + QUIET_MS - performance.now();
    if (left <= 0) done();
    else setTimeout(look, left);
  };
  look();
}

/** Whether something is on the screen since `at` for long enough to have been read. */
export const isRead = (at) => performance.now() - at >= QUIET_MS;

/** A field is gone in which somebody was typing: what they type on isn't meant for the page. */
export const goAstray = () => {
  astray = true;
};

export const isAstray = () => astray;

/** By a click, a scan, or a key that nobody types a word with. */
export const goOn = () => {
  astray = false;
};

/** Whether the key that is just coming came after a pause. */
export const cameAfterPause = () => pause >= QUIET_MS;
