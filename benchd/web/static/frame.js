// What every page but the wall has around it: navigation, who is signed in, the language, and
// whether this screen may see anything at all.
//
// A page has `name`, `load()`, which gives {told} or {error}, and `elements(told, frame)`. One that
// takes scans, wherever the focus is, has `hear(told)`, which says whether a code was for it, and
// `unheard(told)` for what was nobody's badge either. One whose times carry their zone has `hasOwnZone`.

import { readIndex } from "./api.js";
import { readInto } from "./badges.js";
import { mayBeBadge } from "./codes.js";
import { byId, el } from "./dom.js";
import { hearElsewhere, leadsOn } from "./scan_on_pages.js";
import { intoForm, isFilledIn } from "./forms.js";
import { warnBeforeLock } from "./idle.js";
import { showMenu } from "./menu.js";
import { showNav } from "./nav.js";
import { hearScans, left, onChange, startSession, whoIsHere } from "./session.js";
import { inWords, showBadge, SignIn } from "./sign_in.js";
import { isAsking, pressSure } from "./confirm_dialog.js";
import { zone } from "./tables.js";
import { current, loadWords, nameLanguage, page, switchLanguage, word } from "./words.js";

const RETRY_MS = 1_000;
/** Shown before the daemon has told any word of its catalogue. */
const AWAY = "benchdに接続できません / benchd can't be reached";
const PASSING = ["unreachable", "records_unavailable"];

export class Frame {
  constructor(shown) {
    this.shown = shown;
    this.index = null;
    this.told = null;
    this.error = null;
    this.leaving = false;
  }

  async start() {
    byId("language").addEventListener("click", () => {
      switchLanguage();
      this.label();
      this.build();
    });
    for (;;) {
      try {
        await loadWords();
        this.index = await readIndex();
        break;
      } catch {
        away(AWAY, "");
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
    byId("connection").hidden = true;
    this.signIn = new SignIn();
    byId("operator").replaceChildren(this.signIn.element);
    this.label();
    onChange((takeover) => this.changedHands(takeover));
    warnBeforeLock();
    const tell = (text) => this.signIn.tell(text);
    const reader = await startSession();
    reader.onKey = pressSure;
    reader.onRead = readInto;
    hearScans({
      show: showBadge,
      done: async (error, told) => {
        // What is asked for a yes is answered before anything else.
        if (!error || isAsking()) return;
        if (["not_signed_in", "code_of_asset"].includes(error.code) && intoForm(told)) return;
        // What is chosen there stays: no code leads away from it.
        const isHeard = this.shown.unheard?.(told) ?? false;
        // Somebody's badge, if nobody's here, is looked up nowhere, and stands in no address.
        if (!isHeard && told.kind !== "badge" && this.mayRead && (await leadsOn(error, told.words, tell))) return;
        if (!isHeard || error.code !== "code_of_asset") this.signIn.refuse(error, told.words[0]);
      },
      claims: (told) => {
        if (isAsking()) return !mayBeBadge(told);
        return (!mayBeBadge(told) && intoForm(told)) || (this.mayRead && this.shown.hear?.(told)) || hearElsewhere(told, tell);
      },
    });
    await this.again();
  }

  get mayRead() {
    return this.index.shown === "read";
  }

  /** Who locks a screen leaves nothing on it, not even where the daemon can't be asked any more. */
  async changedHands(takeover) {
    if (whoIsHere() !== null) {
      const isTyped = [...byId("page").querySelectorAll("input, textarea")].some(isFilledIn);
      if (takeover && isTyped) this.signIn.tell(`${inWords(takeover)} ${page("typed_kept")}`, "changed");
      await this.lookAgain();
      return;
    }
    byId("page").replaceChildren();
    byId("announcer").textContent = "";
    // Nor in the address, which the page is asked for anew.
    history.replaceState(null, "", location.pathname);
    if (this.leaving) return;
    this.leaving = true;
    // The page is about to be another: what somebody typed here to sign in would be lost with this one.
    byId("operator").replaceChildren();
    await left();
    for (;;) {
      try {
        await readIndex();
        location.reload();
        return;
      } catch {
        away(page("unreachable"), word("act", "wait"));
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
  }

  /** Who may see less keeps nothing on the screen, who may see more sees it. */
  async lookAgain() {
    try {
      const before = this.mayRead;
      const now = await readIndex();
      if (before && now.shown !== "read") location.reload();
      this.index = now;
      if (!before && this.mayRead) await this.again();
    } catch {
      // The next request tells soon enough that nobody answers.
    }
  }

  /** Has all of it told anew; what somebody has typed stays. */
  async again() {
    this.label();
    if (!this.mayRead) return;
    const { told, error } = await this.shown.load(this.index);
    if (this.leaving) return;
    this.error = error ?? null;
    if (error && PASSING.includes(error.code)) {
      if (error.code === "unreachable") away(page("unreachable"), word("act", "wait"));
      else this.build();
      setTimeout(() => this.again(), RETRY_MS);
      return;
    }
    if (error?.code === "sign_in_needed") {
      await this.lookAgain();
      return;
    }
    byId("connection").hidden = true;
    if (!error) this.told = told;
    this.build();
  }

  label() {
    document.documentElement.lang = current();
    document.title = `${word("nav", this.shown.name)} - benchd`;
    showNav();
    nameLanguage(byId("language"));
    showMenu();
    byId("hidden").hidden = this.mayRead;
    byId("hidden-title").textContent = page("all_hidden");
    byId("hidden-to-do").textContent = page("hidden_to_do");
  }

  build() {
    if (this.error) {
      const why = word(this.error.code === "not_found" ? "act" : "refusal", this.error.code);
      byId("page").replaceChildren(el("p", { class: "nothing", role: "alert" }, why));
    } else if (this.told !== null) {
      const foot = this.shown.hasOwnZone ? [] : [el("p", { class: "zone upto" }, `${word("act", "zone")} ${zone()}`)];
      replaceKeeping(byId("page"), [...this.shown.elements(this.told, this), ...foot]);
    }
  }
}

function away(title, toDo) {
  byId("connection").hidden = false;
  byId("connection-title").textContent = title;
  byId("connection-to-do").textContent = toDo;
}

/** Puts new elements in place of old ones of the same ids: what was typed, ticked or opened stays. */
function replaceKeeping(main, elements) {
  const before = [...main.querySelectorAll("input[id], textarea[id], details[id]")];
  const focus = document.activeElement?.id;
  main.replaceChildren(...elements);
  for (const old of before) {
    const now = byId(old.id);
    if (!now) continue;
    if (old.tagName === "DETAILS") now.open = old.open;
    else if (old.type === "file") now.files = old.files;
    else if (old.type === "checkbox" || old.type === "radio") now.checked = old.checked;
    else now.value = old.value;
  }
  for (const form of main.querySelectorAll("[data-form]")) form.dispatchEvent(new Event("change"));
  if (focus) byId(focus)?.focus({ preventScroll: true });
}
