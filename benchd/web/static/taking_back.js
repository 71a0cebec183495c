// Answers that are given and not yet sent: for five seconds each can be taken back. They stand in a bar
// of their own, so that they are seen wherever the page goes on meanwhile.

import { byId, el } from "./dom.js";
import { onChange, whoIsHere } from "./session.js";
import { shelve } from "./toasts.js";
import { page, word } from "./words.js";

export const BACK_MS = 5_000;
const TICK_MS = 200;
const LEFT = "benchd.dropped";

const t = (value) => word("answering", value);

export class TakingBack {
  /** `send` gives null or why an answer wasn't taken; `ended` is told how each ended: "sent", "refused", "back" or "dropped". */
  constructor({ send, ended }) {
    this.send = send;
    this.ended = ended;
    this.waiting = new Map();
    this.said = el("p", { class: "said", role: "alert" });
    this.list = el("ul");
    this.element = el("section", { id: "given", "aria-label": t("on_the_way") }, this.said, this.list);
    shelve(this.element);
    onChange(() => this.otherPerson());
    addEventListener("pagehide", () => this.leave());
    this.tellLeft();
  }

  /** Says something to whoever stands here; gone with the next thing that is done. */
  say(text) {
    this.said.textContent = text;
  }

  /** Says this too, below what nobody has done anything after. */
  sayToo(text) {
    this.say([this.said.textContent, text].filter(Boolean).join("\n"));
  }

  has = (question) => this.waiting.has(question);

  /** The answer to this question that waits. */
  of = (question) => this.waiting.get(question)?.answer ?? null;

  /** `answer` has slot, job, gate, question, approved, note and person. */
  start(answer) {
    this.say("");
    const bar = el("progress", { max: BACK_MS, value: BACK_MS, "aria-label": t("until_sent") });
    const back = el("button", { type: "button", onclick: () => this.takeBack(answer) }, t("take_back"));
    const now = el("button", { type: "button", onclick: () => this.sendNow(answer) }, t("send_now"));
    const told = `${answer.slot} ${word("gate", answer.gate)}: ${word("word", answer.approved ? "yes" : "no")}`;
    const line = el("li", {}, el("b", {}, told), answer.note ? el("span", {}, answer.note) : "", bar, back, now);
    const began = performance.now();
    const ticking = setInterval(() => {
      bar.value = Math.max(0, BACK_MS - (performance.now() - began));
    }, TICK_MS);
    const timer = setTimeout(() => this.sendNow(answer), BACK_MS);
    this.waiting.set(answer.question, { answer, line, ticking, timer, buttons: [back, now], sending: false });
    this.list.append(line);
    byId("announcer").textContent = `${told}. ${t("take_back_hint")}`;
  }

  /** The last one that can still be taken back. */
  newest() {
    return [...this.waiting.values()].filter((one) => !one.sending).at(-1)?.answer ?? null;
  }

  takeBack(answer = this.newest()) {
    if (!answer || !this.open(answer.question)) return false;
    this.remove(answer.question);
    this.say(t("taken_back"));
    this.ended(answer, "back");
    return true;
  }

  async sendNow(answer = this.newest()) {
    const one = answer && this.open(answer.question);
    if (!one) return;
    one.sending = true;
    if (this.said.textContent === t("enter_ignored")) this.say("");
    clearTimeout(one.timer);
    clearInterval(one.ticking);
    for (const button of one.buttons) button.disabled = true;
    one.buttons[0].textContent = page("sending");
    const error = await this.send(answer);
    this.remove(answer.question);
    this.ended(answer, error ? "refused" : "sent", error);
  }

  open(question) {
    const one = this.waiting.get(question);
    return one && !one.sending ? one : null;
  }

  /** What was answered isn't asked any more, or nobody vouches for the answer: it isn't sent. */
  drop(question, why) {
    const one = this.open(question);
    if (!one) return;
    this.remove(question);
    this.sayToo(`${one.answer.slot}: ${t(why)}`);
    this.ended(one.answer, "dropped");
  }

  remove(question) {
    const one = this.waiting.get(question);
    clearTimeout(one.timer);
    clearInterval(one.ticking);
    one.line.remove();
    this.waiting.delete(question);
  }

  otherPerson() {
    const here = whoIsHere()?.person ?? null;
    for (const { answer } of [...this.waiting.values()]) {
      if (answer.person !== here) this.drop(answer.question, here === null ? "dropped_locked" : "dropped_person");
    }
  }

  leave() {
    const left = [...this.waiting.values()].filter((one) => !one.sending).map((one) => one.answer.slot);
    for (const { answer } of [...this.waiting.values()]) this.drop(answer.question, "dropped_left");
    try {
      if (left.length) sessionStorage.setItem(LEFT, left.join(", "));
    } catch {
      // Then nobody is told; the question is still there.
    }
  }

  /** The page that comes after says what the one before it has dropped. */
  tellLeft() {
    try {
      const left = sessionStorage.getItem(LEFT);
      sessionStorage.removeItem(LEFT);
      if (left) this.say(`${left}: ${t("dropped_left")}`);
    } catch {
      // Nothing to tell.
    }
  }

  relabel() {
    this.element.setAttribute("aria-label", t("on_the_way"));
    for (const { buttons, sending } of this.waiting.values()) {
      buttons[0].textContent = sending ? page("sending") : t("take_back");
      buttons[1].textContent = t("send_now");
    }
  }
}

