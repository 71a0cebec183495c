// The racks: how far each has come, what it yields, and who waits there.

import { el } from "/static/dom.js";
import { moment, nothing, table, tight } from "/static/tables.js";
import { word } from "/static/words.js";
import { ask, share, token } from "./centre.js";

const LINES = ["first", "fork", "restored"];
const YIELDS_AGAIN_MS = 60_000;
const t = (value) => word("fleet", value);

export class RacksPage {
  name = "racks";
  yields = null;
  yieldsAt = -Infinity;

  async load() {
    if (!token()) return { error: "not_signed_in" };
    const answer = await ask("/v1/fleet");
    // Thirty days of jobs are counted once a minute: the rest is new each time.
    if (answer.told && performance.now() - this.yieldsAt > YIELDS_AGAIN_MS) {
      this.yieldsAt = performance.now();
      this.yields = (await ask("/v1/yields")).told ?? this.yields;
    }
    return answer;
  }

  elements({ racks }) {
    if (racks.length === 0) return [el("h2", {}, t("racks")), nothing(t("no_racks"))];
    const headings = ["rack", "line", "records", "heard", "lag", "waits", "yield_today", "yield_month", "version"].map(t);
    return [el("h2", {}, t("racks")), this.forks(racks), table("", headings, racks.map((rack) => this.cells(rack))), nothing(t("waits_known"))];
  }

  cells(rack) {
    const yields = rack.is_newest ? this.yields?.racks.find((each) => each.name === rack.name) : null;
    return [
      rack.name,
      rack.why === "fork" ? el("span", { class: "alarm" }, t("fork")) : t(LINES.find((line) => line === rack.why) ?? "restored"),
      el("span", { class: "number" }, String(rack.sequence)),
      tight(rack.heard_at ? moment(rack.heard_at) : t("silent")),
      tight(lag(rack.lag_s)),
      rack.is_newest ? waiting(rack) : "",
      rack.is_newest ? yielded(yields?.today) : "",
      rack.is_newest ? yielded(yields?.month) : "",
      rack.version ?? "",
    ];
  }

  forks(racks) {
    const forked = racks.filter((rack) => rack.why === "fork");
    return forked.length ? el("p", { class: "caution", role: "alert" }, `${t("forked")} ${forked.map((rack) => rack.name).join(", ")}`) : null;
  }
}

/** How many questions wait for somebody, and since when the oldest does. */
function waiting(rack) {
  const count = el("span", { class: rack.waiting ? "number waits" : "number" }, String(rack.waiting));
  return rack.waiting ? el("div", {}, count, el("small", { class: "tight" }, moment(rack.waiting_since))) : count;
}

/** The share of the jobs that have ended which have passed. */
function yielded(jobs) {
  if (!jobs?.ended) return "–";
  return el("div", {}, el("span", { class: "number" }, share(jobs.passed, jobs.ended)), el("small", { class: "tight" }, `${jobs.passed} / ${jobs.ended}`));
}

function lag(seconds) {
  if (seconds === null) return "";
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
