// Grades: what people say of how a handset looks and works, beside its certificate and never in it.

import { act } from "./api.js";
import { choices, form, line } from "./forms.js";
import { join, moment, table } from "./tables.js";
import { bracketed, current, word } from "./words.js";

const t = (value) => word("grades", value);

const named = (grade) => `${grade.code}${bracketed(grade[current()])}`;

/** A grade as it is told of a handset; nothing where nobody has given one. */
export const gradeOf = (given) => (given ? named(given) : "");

/**
 * A choice of the dealer's list and its button; `path` gives the address that it is sent to.
 * `before` are fields that say which handset it is.
 */
export function gradeForm(scale, { path, done, before = [] }) {
  const grade = choices("grade", t("grade"), scale.grades.map((one) => [one.code, named(one)]), { one: true, needed: true });
  const note = line("grade-note", word("word", "note"));
  return form("grade", {
    fields: [...before, grade, note],
    button: t("give"),
    byEnter: true,
    send: () => act(path(), { grade: grade.value, note: note.value }),
    done,
  });
}

/** All that it was given, the newest first, which counts. */
export function gradesGiven(given) {
  if (given.length === 0) return [];
  const rows = [...given].reverse().map((one) => [moment(one.at), named(one), one.operator, word("shown_by", one.shown_by ?? ""), one.tag ?? one.job ?? "", one.note]);
  const headings = [word("word", "at"), t("grade"), word("word", "operator"), word("find", "shown_by"), word("lots", "tag"), word("word", "note")];
  return [table(t("given"), headings, rows, { id: "grades" })];
}

/** How worn a battery is: each number with what has told it, and unknown where nothing has. */
export function batteryOf(battery) {
  const health = battery.health_percent === null ? t("unknown") : `${battery.health_percent}%${bracketed(word("battery_method", battery.health_method))}`;
  const cycles = battery.cycles === null ? t("unknown") : `${battery.cycles}${bracketed(word("battery_method", battery.cycles_method))}`;
  return join([`${t("health")} ${health}`, `${t("cycles")} ${cycles}`]);
}
