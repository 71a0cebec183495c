// The small print: why exactly, in the reader's language, or labelled as technical where it has none.

import { el } from "./dom.js";
import { page, said } from "./words.js";

/** `told` is the cause in both languages or null, `raw` the daemon's own English; null for nothing. */
export function technical(told, raw, tag = "small") {
  if (said(told)) return el(tag, { class: "detail" }, said(told));
  if (!raw) return null;
  return el(tag, { class: "detail technical" }, `${page("technical")}: `, el("span", { lang: "en" }, raw));
}

/** What is missing at the screen, and so the same everywhere: its headline says all of it. */
const IS_ALL = ["not_signed_in", "more_to_show"];

/** The same of the API's error object; null where that would be said twice. */
export const causeOf = (error) => (IS_ALL.includes(error?.code) ? null : technical(error?.cause, error?.message));
