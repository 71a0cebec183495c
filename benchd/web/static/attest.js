// What was made sure of at intake: stated once for a lot or some of it, and withdrawn where it was wrong.

import { act } from "./api.js";
import { el } from "./dom.js";
import { choices, folded, form, line, words } from "./forms.js";
import { ATTESTED } from "./lots.js";
import { join, moment, row, table } from "./tables.js";
import { bracketed, word } from "./words.js";

const t = (value) => word("lots", value);
const kindsOf = (kinds) => join(kinds.map((kind) => word("attestation", kind)));

/** The attestations of a lot, and the form for another one; `done` is told what was recorded, in the language of its time. */
export function attestations(lot, path, done) {
  const rows = lot.attestations.map((told) =>
    row([kindsOf(told.kinds), covered(told, lot.assets), `${moment(told.at)} ${told.operator}`, withdrawing(told, path, done)], {
      "data-withdrawn": told.withdrawn,
    }),
  );
  const headings = [t("attested"), t("covers"), word("word", "operator"), t("withdrawn")];
  return [
    rows.length ? table(t("attestations"), headings, rows) : el("p", { class: "nothing" }, t("no_attestations")),
    folded("attest", t("attest"), false, attesting(lot, path, done)),
  ];
}

function covered(told, assets) {
  if (told.tags !== null) return join(told.tags);
  const count = `${told.assets} / ${assets}`;
  const whole = told.excepted.length ? `${count} · ${t("whole_but")} ${join(told.excepted)}` : `${count} · ${t("whole")}`;
  if (!told.late) return whole;
  const more = told.late > told.late_tags.length ? " …" : "";
  return `${whole} · ${t("whole_late")} ${told.late} (${join(told.late_tags)}${more})`;
}

function attesting(lot, path, done) {
  const kinds = choices("kinds", t("attested"), ATTESTED.map((kind) => [kind, word("attestation", kind)]), { needed: true });
  const which = choices("which", t("covers"), [["whole", t("whole")], ["some", t("some")]], { one: true, needed: true });
  const excepted = line("excepted", t("excepted"), { hint: t("excepted_hint"), longest: 5000 });
  const tags = line("tags", t("tag"), { hint: t("tags_hint"), longest: 5000, needed: true });
  const note = line("attest-note", word("word", "note"), { hint: t("attest_note_hint") });
  let stated = [];
  const element = form("attest", {
    fields: [kinds, which, excepted, tags, note],
    button: t("attest_do"),
    send: () => {
      const some = which.value === "some";
      stated = kinds.values;
      return act(`${path}/attestations`, {
        kinds: kinds.values,
        tags: some ? words(tags.value) : null,
        excepted: some ? [] : words(excepted.value),
        note: note.value,
        // A whole lot is what stands on this page: nobody has seen what has come in since.
        seen: some ? null : lot.assets,
      });
    },
    done: () => done(() => `${word("act", "recorded")}: ${kindsOf(stated)}`),
  });
  const show = () => {
    excepted.element.hidden = which.value !== "whole";
    tags.element.hidden = which.value !== "some";
  };
  element.addEventListener("change", show);
  show();
  return element;
}

/** What was withdrawn already, and the form to withdraw (more of) it. */
function withdrawing(told, path, done) {
  const id = `withdraw-${told.sequence}`;
  const gone = told.withdrawals.map((each) =>
    el("p", {}, [kindsOf(each.kinds) || t("all_of_it"), join(each.tags), each.operator, each.note].filter(Boolean).join(" · ")),
  );
  if (told.withdrawals.some((each) => each.kinds.length === 0 && each.tags.length === 0)) return el("div", {}, ...gone);
  const kinds = choices(`${id}-kinds`, t("withdraw_kinds"), told.kinds.map((kind) => [kind, word("attestation", kind)]));
  const tags = line(`${id}-tags`, t("withdraw_tags"), { hint: t("tags_hint"), longest: 5000 });
  const note = line(`${id}-note`, word("word", "note"));
  const sending = form(id, {
    fields: [kinds, tags, note],
    button: t("withdraw_do"),
    send: () =>
      act(`${path}/withdrawals`, {
        attestation: told.sequence,
        kinds: kinds.values,
        tags: words(tags.value),
        note: note.value,
      }),
    done: () => done(() => `${word("act", "recorded")}: ${t("withdraw")}${bracketed(kindsOf(told.kinds))}`),
  });
  return el("div", {}, ...gone, folded(id, t("withdraw"), false, sending));
}
