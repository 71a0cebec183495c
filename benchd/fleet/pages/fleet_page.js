// The centre's pages: the racks, one handset over all of them, the report, and a certificate for strangers.

import { byId, el } from "/static/dom.js";
import { showMenu } from "/static/menu.js";
import { facts, handsetOf, link, moment, nothing, numberOf, table, tight, zone } from "/static/tables.js";
import { ask, forget, keep, token } from "./centre.js";
import { RacksPage } from "./racks_page.js";
import { ReportPage } from "./report_page.js";
import { current, loadWords, nameLanguage, switchLanguage, word } from "/static/words.js";

const AGAIN_MS = 5_000;
const CODE = /^BENCHD:([^:]+):([0-9A-F]{64})/i;
const STANDINGS = ["valid", "withdrawn", "invalid"];
const REFUSALS = ["not_signed_in", "too_short", "no_such_days", "too_many_requests", "unreachable"];
const t = (value) => word("fleet", value);

/** A form with one field; `sent` hears what was typed. */
function asking(id, label, button, sent, attributes = {}) {
  const input = el("input", { id, autocomplete: "off", spellcheck: "false", maxlength: 400, ...attributes });
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) sent(input.value.trim());
  };
  return el("form", { class: "asking", onsubmit: submit }, el("label", { for: id }, label), input, el("button", { class: "do" }, button));
}

const refused = (error) => el("p", { class: "nothing", role: "alert" }, t(REFUSALS.includes(error) ? error : "unreachable"));

const signIn = (then, wasRefused) => [
  el("h2", {}, t("token_title")),
  wasRefused ? refused("not_signed_in") : null,
  asking("token", t("token"), t("open"), (typed) => { keep(typed); then(); }, { type: "password" }),
  nothing(t("token_hint")),
];

class HandsetsPage {
  name = "handsets";
  none = { handsets: null };
  wanted = "";

  async load() {
    if (!token()) return { error: "not_signed_in" };
    if (!this.wanted) return { told: this.none };
    return ask(`/v1/handsets?${new URLSearchParams({ number: this.wanted })}`);
  }

  elements({ handsets, more }, frame) {
    const find = (typed) => { this.wanted = typed; frame.again(); };
    return [
      el("h2", {}, word("find", "title")),
      asking("q", t("find_ask"), word("find", "find"), find, { value: this.wanted, type: "search" }),
      handsets === null ? nothing(t("find_hint")) : null,
      handsets?.length === 0 ? nothing(t("none_found")) : null,
      ...(handsets ?? []).map((handset) => this.handset(handset)),
      more ? nothing(word("word", "more_found")) : null,
    ];
  }

  handset({ jobs, perhaps }) {
    const newest = jobs.at(-1);
    return el(
      "section",
      {},
      el("h3", {}, `${handsetOf(newest)} ${numberOf(newest)}`),
      table("", [t("rack"), word("word", "opened"), word("lots", "tag"), t("ended"), t("certificate"), word("word", "job")], jobs.map((job) => this.job(job))),
      perhaps.length ? table(t("perhaps"), [t("rack"), word("word", "opened"), word("lots", "tag"), t("ended"), t("certificate"), word("word", "job")], perhaps.map((job) => this.job(job))) : null,
    );
  }

  job(job) {
    return [job.rack, tight(moment(job.opened_at)), job.tag ?? "", endOf(job), job.certificate ? tight(job.certificate.slice(0, 16)) : "", tight(job.job)];
  }
}

/** Where its job has sent it, or what has become of it since; never "sellable" without a certificate. */
function endOf(job) {
  if (job.held_by) return word("disposition", "hold");
  if (job.state) return word("disposal_state", job.state);
  if (!job.ended_at) return word("became", "running");
  return word("disposition", job.disposition === "sellable" && !job.certificate ? "hold" : job.disposition);
}

class VerifyPage {
  name = "verify";
  isPublic = true;
  none = null;
  asked = fromAddress();

  async load() {
    if (!this.asked) return { told: null };
    const [number, digest] = this.asked;
    // What isn't of the form of a code is no certificate's.
    if (!digest) return { told: { standing: "invalid", model: null } };
    return ask(`/v1/certificates/${encodeURIComponent(number)}/${encodeURIComponent(digest)}`);
  }

  elements(told, frame) {
    const check = (typed) => { this.asked = typed.match(CODE)?.slice(1, 3) ?? [typed, ""]; frame.again(); };
    return [
      el("h2", {}, t("verify_title")),
      asking("code", t("code"), t("check"), check),
      told === null ? nothing(t("verify_hint")) : this.standing(told),
    ];
  }

  standing(told) {
    // What this page doesn't know is nothing to rely on.
    const standing = STANDINGS.includes(told.standing) ? told.standing : "invalid";
    return el(
      "div",
      { class: "standing", "data-standing": standing, role: "status" },
      el("strong", {}, t(standing)),
      el("p", {}, t(`${standing}_means`)),
      facts([[t("number"), this.asked[0]], [word("word", "handset"), told.model]]),
    );
  }
}

function fromAddress() {
  const told = new URLSearchParams(location.search);
  return told.get("number") && told.get("digest") ? [told.get("number"), told.get("digest")] : null;
}

const PLACES = { "/": RacksPage, "/handsets": HandsetsPage, "/report": ReportPage, "/verify": VerifyPage };

class Frame {
  constructor(shown) {
    this.shown = shown;
    this.result = null;
  }

  async start() {
    await loadWords();
    byId("language").addEventListener("click", () => { switchLanguage(); this.build(); });
    await this.again();
    if (this.shown.name === "racks") setInterval(() => this.result.told && this.again(), AGAIN_MS);
  }

  async again() {
    this.result = await this.shown.load();
    this.build();
  }

  build() {
    const { told, error, wasRefused } = this.result;
    document.documentElement.lang = current();
    document.title = `${t(this.shown.name)} - benchd`;
    nameLanguage(byId("language"));
    showMenu();
    this.nav();
    const parts = error === "not_signed_in" ? signIn(() => this.again(), wasRefused) : [...(error && this.shown.name === "racks" ? [] : this.shown.elements(told ?? this.shown.none, this)), error ? refused(error) : null];
    const foot = told && !this.shown.isPublic ? [el("p", { class: "zone upto" }, `${word("act", "zone")} ${zone()}`)] : [];
    byId("page").replaceChildren(...[...parts, ...foot].filter(Boolean));
  }

  nav() {
    const nav = byId("nav");
    nav.setAttribute("aria-label", word("nav", "label"));
    const places = this.shown.isPublic ? {} : PLACES;
    nav.replaceChildren(...Object.keys(places).map((href) => {
      const place = link(href, t(new PLACES[href]().name));
      if (location.pathname === href) place.setAttribute("aria-current", "page");
      return place;
    }));
    const leave = () => { forget(); this.again(); };
    byId("operator").replaceChildren(...(token() && !this.shown.isPublic ? [el("button", { type: "button", onclick: leave }, t("leave"))] : []));
  }
}

const Place = PLACES[location.pathname.toLowerCase()] ?? RacksPage;
await new Frame(new Place()).start();
