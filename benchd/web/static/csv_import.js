// A file is checked first, every mistake shown with its line; only what was clean can be taken in.

import { sendFile } from "./api.js";
import { byId, el } from "./dom.js";
import { emptyOfBadges } from "./badges.js";
import { BADGE, file, restOf, say, why } from "./forms.js";
import { table } from "./tables.js";
import { bracketed, said, word } from "./words.js";

const t = (value) => word("lots", value);
const SHOWN_MISTAKES = 200;

/** `query` gives what is asked beside the file, `fields` stand before it, `sample` is where a file of this form is. */
export function importer(id, { path, hint, sample, fields = [], query, done }) {
  const chosen = file(`${id}-file`, t("file"), hint);
  const check = el("button", { type: "button", class: "do" }, t("check"));
  const take = el("button", { type: "button", class: "do", hidden: true }, t("take_in"));
  const told = el("div", { class: "checked", role: "status" });
  const refused = el("p", { class: "said", role: "alert" });
  let clean = null;

  /** Another file, or other words with it, have to be checked anew. */
  const forget = () => {
    clean = null;
    take.hidden = true;
    told.replaceChildren();
    say(refused, "");
  };

  const send = async (dry) => {
    const data = chosen.value;
    const missing = fields.find((field) => field.needed && !field.value);
    if (missing || !data) {
      say(refused, word("act", data ? "fill_in" : "choose_file"));
      (missing ?? chosen).input.focus();
      return;
    }
    if (!dry && data !== clean) return;
    for (const button of [check, take]) button.disabled = true;
    say(refused, word("act", "sending"), null, "busy");
    const { told: answer, error } = await sendFile(path, { ...query(), dry_run: dry }, data);
    for (const button of [check, take]) button.disabled = false;
    if (error?.code === BADGE) await emptyOfBadges(fields.map(({ input }) => input));
    if (error) {
      say(refused, why(error), restOf(error));
      return;
    }
    say(refused, "");
    clean = answer.mistakes.length || answer.taken ? null : data;
    take.hidden = clean === null;
    told.replaceChildren(outcome(answer));
    if (clean) take.focus();
    if (!answer.taken) return;
    chosen.input.value = "";
    byId("announcer").textContent = word("act", "recorded");
    await done(answer);
  };

  check.addEventListener("click", () => send(true));
  take.addEventListener("click", () => send(false));
  const every = [...fields, chosen];
  for (const field of every) field.element.addEventListener("input", forget);
  return el(
    "div",
    { class: "form", role: "group" },
    ...every.map((field) => field.element),
    el("p", { class: "sample" }, el("a", { href: sample, download: sample.split("/").at(-1) }, t("sample"))),
    el("div", { class: "doing" }, check, take, refused),
    told,
  );
}

function outcome(answer) {
  if (answer.taken) return el("p", { class: "good" }, `${t("taken")}: ${answer.rows}`);
  if (answer.mistakes.length === 0) return el("p", { class: "good" }, `${t("clean")}: ${answer.rows}`);
  const shown = answer.mistakes.slice(0, SHOWN_MISTAKES);
  const rows = shown.map((mistake) => [String(mistake.line), mistake.column, said(mistake)]);
  const all = `${t("mistakes")}: ${answer.mistakes.length}${answer.mistakes.length > shown.length ? bracketed(`${t("first")} ${shown.length}`) : ""}`;
  return el("div", { class: "bad" }, el("p", {}, t("not_taken")), table(all, [t("line"), t("column"), t("mistake")], rows));
}
