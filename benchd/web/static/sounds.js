// Sounds by what has happened, made here so that none is loaded. Off until somebody switches them on.

const KEPT = "benchd.sounds";
/** Each as tones: hertz, from when on and for how long in seconds. They differ in number, way and length. */
const TONES = {
  question: [[880, 0, 0.14], [1175, 0.18, 0.2]],
  finished: [[523, 0, 0.12], [659, 0.14, 0.12], [784, 0.28, 0.24]],
  fault: [[330, 0, 0.3], [247, 0.36, 0.42]],
  cable_out: [[988, 0, 0.09], [988, 0.14, 0.09], [988, 0.28, 0.09], [988, 0.42, 0.09]],
  find: [[1319, 0, 0.08], [1568, 0.1, 0.08], [1319, 0.2, 0.08], [1568, 0.3, 0.08]],
};
const VOLUME = 0.25;

export const SOUNDS = Object.keys(TONES);

/** Which sound an errand's kind has, from the most urgent on. */
const OF_KIND = {
  replug: "cable_out",
  tray: "fault",
  broken: "fault",
  put_right: "fault",
  port: "fault",
  rack: "fault",
  question: "question",
  confirm: "question",
  carry: "finished",
};
const ORDER = ["cable_out", "fault", "question", "finished"];

let on = kept();
let context = null;

function kept() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEPT) ?? "[]").filter((name) => name in TONES));
  } catch {
    return new Set();
  }
}

export const isOn = (name) => on.has(name);

export function switchSound(name, wanted) {
  if (wanted) on.add(name);
  else on.delete(name);
  try {
    localStorage.setItem(KEPT, JSON.stringify([...on]));
  } catch {
    // A browser without storage forgets; the switch still works.
  }
  if (wanted) play(name);
}

/** Plays a sound if it is switched on. */
export function play(name) {
  if (!on.has(name)) return;
  context ??= new AudioContext();
  // A browser lets nothing sound before somebody has touched the page.
  if (context.state === "suspended") context.resume();
  for (const [hertz, from, long] of TONES[name]) tone(hertz, context.currentTime + from, long);
}

function tone(hertz, at, long) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(VOLUME, at + 0.01);
  gain.gain.setValueAtTime(VOLUME, at + long - 0.02);
  gain.gain.linearRampToValueAtTime(0, at + long);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + long);
}

const keysOf = (told) => new Set(told.errands.map((errand) => [errand.kind, errand.slot, errand.occupancy, errand.gate].join(" ")));

/** The most urgent sound for what is new in the queue; what is there when a page is opened isn't new. */
export function soundFor(told, before) {
  if (before === null) return;
  const known = keysOf(before);
  const fresh = told.errands.filter((errand) => !known.has([errand.kind, errand.slot, errand.occupancy, errand.gate].join(" ")));
  const heard = new Set(fresh.map((errand) => OF_KIND[errand.kind]));
  const first = ORDER.find((name) => heard.has(name));
  if (first) play(first);
}
