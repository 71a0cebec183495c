// Where people's time goes: how long slots have waited for somebody, step by step.

import { el } from "./dom.js";
import { table } from "./tables.js";
import { bracketed, said, spaced, word } from "./words.js";

const t = (value) => word("attended", value);

const minutes = (seconds) => (seconds / 60).toFixed(1);

const number = (value) => el("span", { class: "number" }, String(value));

export const attendedTable = (attended, caption = null) =>
  table(
    caption,
    [t("step"), word("word", "count"), t("minutes"), t("each"), t("breaks")],
    attended.map((one) => [said(one), ...[one.handsets, minutes(one.seconds), minutes(one.seconds_each), one.breaks].map(number)]),
  );

/** The step that took most, in words. */
export const mostAttended = ([first]) => `${t("most")}: ${said(first)}${bracketed(`${minutes(first.seconds_each)}${spaced()}${t("per_handset")}`)}`;
