// All words of the page, from the daemon's catalogue, in the language of this browser.

import { secondsUntil } from "./clock.js";

const KEPT = "benchd.language";
const NEAR_S = 600;

let labels = {};
let language = chosen();

function chosen() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked === "ja" || asked === "en") {
    keep(asked);
    return asked;
  }
  try {
    return localStorage.getItem(KEPT) === "en" ? "en" : "ja";
  } catch {
    return "ja";
  }
}

function keep(wanted) {
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    // A browser without storage forgets; the switch still works.
  }
}

export const current = () => language;

const followers = [];

/** Called after the language of this browser has been switched. */
export function onLanguage(told) {
  followers.push(told);
}

export function switchLanguage() {
  language = language === "ja" ? "en" : "ja";
  keep(language);
  for (const told of followers) told();
}

export async function loadWords() {
  const answer = await fetch("/api/v1/texts");
  if (!answer.ok) throw new Error(`texts: ${answer.status}`);
  labels = (await answer.json()).labels;
}

/** A text of the catalogue; a value that only another version knows is shown as it is. */
export const word = (section, value) => said(labels[section]?.[value]) || String(value ?? "");

export const knows = (section, value) => Boolean(labels[section]?.[value]);

/** A text with its places filled in. */
export const filled = (text, parts) => text.replace(/\{(\w+)\}/g, (place, part) => parts[part] ?? place);

export const page = (value) => word("page", value);

export const said = (texts) => texts?.[language] ?? "";

/** The text in the brackets of the language; full-width ones need no space before them. */
export const bracketed = (text) => (language === "ja" ? `（${text}）` : ` (${text})`);

/** Its job has proven it, and another system says that it isn't to be sold. */
export const heldBackBy = (system) => word("wall", "held_back") + bracketed(system);

/** Names the other language on the button that switches to it. */
export function nameLanguage(button) {
  button.textContent = page("other_language").replace(/ ?[(（].*$/, "");
  button.lang = language === "ja" ? "en" : "ja";
}

/** What a handset's model is sold as, or that nobody has told of it; empty where nobody has looked. */
export function calledOf(handset) {
  if (handset?.known_model === false) return word("word", "unknown_model");
  return handset?.name ?? "";
}

/** 3:12 or 1:02:45. */
export function duration(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds) || seconds < 0) return "";
  const whole = Math.round(seconds);
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

export const spaced = () => (language === "ja" ? "" : " ");

/** 12分 or 1時間5分; nothing within the first minute. */
export function inHours(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "";
  if (minutes < 60) return `${minutes}${spaced()}${word("wall", "minutes")}`;
  return `${Math.floor(minutes / 60)}${spaced()}${word("wall", "hours")}${spaced()}${minutes % 60}${spaced()}${word("wall", "minutes")}`;
}

/** 11台 */
export const manyHandsets = (count) => `${count}${spaced()}${word("wall", "many")}`;

/** How long there is until a moment of the rack's: by the second once it is near; empty where there is none. */
export function timeLeft(iso) {
  const left = secondsUntil(iso);
  if (left === null) return "";
  return left < NEAR_S ? duration(Math.max(0, left)) : inHours(left);
}

/** 84分, never less than what is left. */
export const inMinutes = (seconds) => `${Math.ceil(seconds / 60)}${word("wall", "minutes")}`;

/** Cut to tenths, not rounded up, as on paper: 94.96 % isn't 95 %. */
export const tenths = (share) => `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)}%`;

/** Never 100 before all is done. */
export const percent = (share) => `${Math.floor(Math.min(Math.max(share, 0), 1) * 100)}%`;
