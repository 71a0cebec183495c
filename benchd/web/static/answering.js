// From a press or a card to an answer: whether it is one, whose question it belongs to, and what
// is asked next. Nothing is ever answered unseen: an answer belongs to the question that was shown.

import { decide } from "./api.js";
import { imeisAmong, isMisread, isProduct } from "./codes.js";
import { byId } from "./dom.js";
import { bars, byAnother, isSaleable, NETWORK, refusalOf, takesCode, takesNumber, takesScan, withSign } from "./gates.js";
import { keepNote, noteKey } from "./drafts.js";
import { newestPrinted, printLabel } from "./printing.js";
import { onChange, SHORTEST_BADGE, whoIsHere } from "./session.js";
import { placeShelf } from "./toasts.js";
import { answerable, questionOf } from "./status.js";
import { TakingBack } from "./taking_back.js";
import { filled, page, word } from "./words.js";

const NUMBERS = ["imei", "serial"];
/** The number of these may be the serial that the rack knows the handset by. */
const OWN_CODES = ["serial", "recheck"];
/** A card's sign of the look-up; the cross is a no. */
const SIGNS = { CIRCLE: "○", TRIANGLE: "△", DASH: "-", CROSS: "×" };
/** By role or by what they have worked on: nothing that they could show would help. */
const NEVER_THEIRS = ["not_allowed", "second_person_needed"];

export class Answering {
  /** `open` opens a slot's panel by itself; `panel` is where questions are seen. */
  constructor({ rack, panel, open }) {
    Object.assign(this, { rack, panel, open });
    /** Whether the rack has a printer of labels. */
    this.prints = false;
    /** The queue's errands, once the daemon has told them. */
    this.errands = null;
    /** The question that was on the screen when its handset's code was scanned. */
    this.scanned = null;
    /** By slot: what it asked last, and where the note of that is kept. */
    this.asked = new Map();
    this.back = new TakingBack({ send: (answer) => this.send(answer), ended: (...told) => this.ended(...told) });
    this.person = null;
    /** The questions that whoever is here has left for later. */
    this.skipped = new Set();
    onChange((takeover) => this.otherPerson(takeover));
  }

  /** What the daemon tells people to do next, in its order. */
  queue({ errands }) {
    this.errands = errands;
  }

  /** Says which code, where nobody can tell what it means; heard and seen. */
  tell(text) {
    byId("announcer").textContent = text;
    this.back.say(text);
  }

  complain(why) {
    this.back.say(word("answering", why));
  }

  /** The code of this slot or of its handset was scanned, and its panel is open. */
  sawCode(name) {
    const slot = this.rack.slot(name);
    const seen = slot && answerable(slot) && this.panel.name === name;
    this.scanned = seen && this.panel.isRead ? questionOf(slot) : null;
    if (this.scanned !== null) this.panel.meant();
    else if (seen) this.complain("just_come");
  }

  /** What was scanned while a question that asks for a number is on the screen: its answer, once somebody says so. */
  scan(told) {
    const slot = this.slotShown();
    if (!slot) return false;
    const { gate } = slot.question;
    const misread = takesScan(gate) && isMisread(told);
    const serial = OWN_CODES.includes(gate) && told.kind === "text" && told.words.some((one) => this.rack.bearing(one).includes(slot.slot));
    if (!misread && !serial && !(takesScan(gate) && told.kind === "imei")) return false;
    const others = this.rack.strange(slot, told.words);
    if (misread) this.panel.refuseScan(word("refusal", "screen_number_needed"));
    else if (others.length) this.panel.refuseScan(othersImei(others));
    else this.read(slot, told.words);
    return true;
  }

  /** Nobody's badge was scanned: perhaps the serial or the tag that the question asks for. */
  scanOfNobody(told, isTag) {
    const slot = this.slotShown();
    const asked = slot?.question.gate;
    if (!slot || told.kind !== "text" || isProduct(told.words[0])) return false;
    // Of a tag that is too short to be a badge nobody has asked the daemon.
    const mayBeTag = isTag || told.words[0].length < SHORTEST_BADGE;
    if (asked === "asset" ? mayBeTag : !isTag && takesCode(asked)) this.read(slot, told.words);
    else if (asked === "asset") this.panel.refuseScan(word("binding", "unknown"));
    else if (asked === "imei" && !mayBeTag) this.panel.refuseScan(word("refusal", "screen_number_needed"));
    else return false;
    return true;
  }

  /** Something new is done: what was said of what was done before isn't so any more. */
  startAnew() {
    this.back.say("");
    this.panel.forgive();
  }

  read(slot, numbers) {
    if (this.back.has(questionOf(slot))) this.complain("given_already");
    else if (!this.panel.isRead || this.panel.form.resting) this.complain("just_come");
    else {
      this.panel.read(numbers);
      this.panel.meant();
      this.scanned = questionOf(slot);
    }
  }

  /** Whether a question is being answered here: no scan leads away from it. */
  get isAsked() {
    return this.slotShown() !== null;
  }

  /** An answer card: what it does belongs to the question that was seen after its handset's code. */
  card(value) {
    if (value === "CANCEL") this.cancel();
    else if (value === "NEXT") this.goOn();
    else if (value === "PRINT") this.print();
    else this.answerByCard(value);
  }

  answerByCard(value) {
    const slot = this.slotShown();
    if (!slot) {
      this.complain(this.panel.name === null ? "code_first" : "no_question");
    } else if (this.back.has(questionOf(slot))) {
      this.complain("given_already");
    } else if (this.scanned === null || this.scanned !== questionOf(slot)) {
      this.complain("code_first");
    } else if (!this.panel.isRead) {
      this.complain("just_come");
    } else if (this.answer(slot, value)) {
      this.scanned = null;
    }
  }

  /** A key or a button in the panel; gives how it is undone, or null where it was no answer. */
  press(value) {
    const slot = this.slotShown();
    if (!slot) return null;
    if (this.back.has(questionOf(slot))) this.complain("given_already");
    else if (this.panel.form.resting) this.panel.ignore("key_ignored");
    if (this.back.has(questionOf(slot)) || this.panel.form.resting || !this.answer(slot, value)) return null;
    const given = this.back.of(questionOf(slot));
    return () => given && this.back.takeBack(given);
  }

  /** A key is an answer only where the panel was opened for it, not where a PIN may be meant. */
  key(value) {
    const pinMeant = this.panel.form?.unmeant && whoIsHere()?.strong === false;
    if (!pinMeant) return this.press(value);
    this.panel.ignore("perhaps_pin");
    return null;
  }

  /** The slot whose question is on the screen, in full. */
  slotShown() {
    const slot = this.rack.slot(this.panel.name);
    return slot && answerable(slot) && this.panel.shows(questionOf(slot)) ? slot : null;
  }

  answer(slot, value) {
    const { gate } = slot.question;
    const sign = SIGNS[value];
    if (sign && gate !== NETWORK) {
      this.complain("sign_elsewhere");
      return false;
    }
    const approved = value !== "NO" && value !== "CROSS";
    const written = this.panel.form.note.value;
    // A card's or button's sign is of this answer alone, and never kept.
    const note = sign ? withSign(sign, written) : written;
    if (note === null) {
      this.complain("sign_differs");
      this.panel.toNote();
      return false;
    }
    const here = whoIsHere();
    const others = approved && takesScan(gate) ? this.rack.strange(slot, imeisAmong(note)) : [];
    if (others.length) {
      this.panel.refuseScan(page("not_taken"), othersImei(others));
      this.panel.toNote();
      return false;
    }
    const missing = refusalOf(slot.question, here) ?? (approved ? wanting(gate, note) : null);
    if (missing) {
      this.panel.refuse({ code: missing, message: "" });
      return false;
    }
    const question = questionOf(slot);
    const { asking } = slot.question;
    const whose = { slot: slot.slot, job: slot.job, gate, asking, question, kept: noteKey(slot), person: here.person };
    this.back.start({ ...whose, approved, note });
    this.panel.hold(question);
    return true;
  }

  /** The panel has opened or closed: what waits is seen there, and isn't answered a second time. */
  moved() {
    placeShelf();
    if (this.panel.form && this.back.has(this.panel.form.question)) this.panel.hold(this.panel.form.question);
    if (this.panel.name === null) this.scanned = null;
  }

  /** As whoever gave it: at another window of this browser somebody else may have signed in since. */
  send({ job, gate, asking, approved, note, person }) {
    return decide(job, { gate, asking, approved, note, operator: person });
  }

  ended(answer, how, error = null) {
    const shown = this.panel.shows(answer.question);
    const isBadge = error?.code === "badge_in_text";
    if (how !== "refused" || isBadge) keepNote(answer.kept, "");
    if (isBadge && shown) this.panel.form.note.value = "";
    if (how === "sent") {
      byId("announcer").textContent = page("taken");
      // What the daemon tells of the slot may come before it says that it has taken the answer.
      const over = this.panel.name === answer.slot && this.panel.form === null;
      if (shown || over) this.next(answer.question);
    } else if (shown) {
      this.panel.release();
      if (error) this.panel.refuse(error);
    } else if (error) {
      this.back.say(`${answer.slot}: ${page("not_taken")} ${word("refusal", error.code)}`);
    }
  }

  /** Called for each slot that is told anew: what isn't asked any more isn't answered. */
  changed(slot) {
    const asked = answerable(slot) ? questionOf(slot) : null;
    // A screen that is locked isn't told what is asked; whether it is the same still, it learns later.
    if (asked || !slot.question) this.forgetAsked(slot.slot, asked);
    if (asked) this.asked.set(slot.slot, { question: asked, kept: noteKey(slot), number: takesNumber(slot.question.gate) });
    for (const { answer } of [...this.back.waiting.values()]) {
      if (answer.slot === slot.slot && answer.question !== asked) this.back.drop(answer.question, "dropped_question");
    }
  }

  /** What was scanned or read off a screen was for the question that was there, also if the same is asked again. */
  forgetAsked(name, asked) {
    const before = this.asked.get(name);
    if (!before || before.question === asked) return;
    this.asked.delete(name);
    if (this.scanned === before.question) this.scanned = null;
    if (before.number) keepNote(before.kept, "");
  }

  /** Slots that aren't there any more ask nothing. */
  lost(isThere) {
    for (const { answer } of [...this.back.waiting.values()]) {
      if (!isThere(answer.slot)) this.back.drop(answer.question, "dropped_question");
    }
    if (this.panel.name !== null && !isThere(this.panel.name)) this.panel.gone();
  }

  /** What is taken back is asked again; else what is open is closed. */
  cancel() {
    if (!this.back.takeBack()) this.panel.close();
  }

  /** Sends at once what waits for the question on the screen, or with none there what was given last; gives whether any did. */
  sendHeld() {
    const given = this.panel.name === null ? this.back.newest() : this.back.of(this.panel.form?.question);
    if (given) this.back.sendNow(given);
    return given !== null;
  }

  /** Enter did nothing, though it was meant for an answer that waits. */
  enterIgnored() {
    if (this.back.newest()) this.complain("enter_ignored");
  }

  /** Sends what waits, which opens what comes next; or opens it at once. */
  goOn() {
    if (!this.sendHeld()) this.next(this.panel.form?.question ?? null);
  }

  /** Leaves what is shown for later; it comes again once nothing else is left. */
  skip() {
    const slot = this.slotShown();
    if (slot) this.skipped.add(questionOf(slot));
    this.next(this.panel.form?.question ?? null);
  }

  /** Opens the next question that this person may answer; `last` is the one that was just seen. */
  next(last = null) {
    const theirs = this.theirs(last);
    const open = theirs.filter((slot) => !bars(slot.question, whoIsHere()));
    let slot = open.find((one) => !this.skipped.has(questionOf(one)));
    if (!slot && open.length) {
      this.skipped.clear();
      [slot] = open;
    }
    if (slot) {
      this.open(slot.slot);
    } else {
      this.panel.close();
      this.complain(theirs.length ? "only_barring" : "no_next");
    }
  }

  /** The slots whose question whoever is here may answer; first what only few may. */
  theirs(last) {
    const here = whoIsHere();
    const asking = this.inOrder().filter((slot) => answerable(slot) && questionOf(slot) !== last && !this.back.has(questionOf(slot)));
    const theirs = asking.filter((slot) => !NEVER_THEIRS.includes(refusalOf(slot.question, here)));
    return theirs.toSorted((one, other) => byAnother(other.question.gate) - byAnother(one.question.gate));
  }

  /** Whether an errand is to confirm what whoever is here hasn't worked on. */
  isToConfirm({ kind, slot }) {
    const asking = this.rack.slot(slot);
    if (kind !== "confirm" || !asking || !answerable(asking) || !whoIsHere()) return false;
    return !NEVER_THEIRS.includes(refusalOf(asking.question, whoIsHere()));
  }

  inOrder() {
    const all = [...this.rack.slots.values()];
    if (this.errands === null) return all;
    const told = this.errands.filter(({ kind }) => kind === "question" || kind === "confirm");
    return told.map(({ slot }) => this.rack.slot(slot)).filter(Boolean);
  }

  /** The label of the handset that is shown, at its printer; without one its paper, as its links have it. */
  print() {
    if (this.prints && whoIsHere()) {
      this.printLabel();
      return;
    }
    const paper = this.panel.dialog.querySelector("a.print, a.certificate");
    if (paper) paper.click();
    else this.complain("no_paper");
  }

  /** With no handset on the screen: the label that came out last, once more. */
  async printLabel() {
    const slot = this.rack.slot(this.panel.name);
    const job = this.panel.name === null ? await newestPrinted() : (slot?.job ?? slot?.last_job);
    if (job) this.back.say(await printLabel(job));
    else this.complain("no_label");
  }

  otherPerson(takeover) {
    const here = whoIsHere()?.person ?? null;
    if (here === this.person) return;
    this.scanned = null;
    this.skipped.clear();
    const typed = takeover && this.panel.startAnew(this.rack.slot(this.panel.name), takeover);
    if (typed) this.back.sayToo(filled(page(typed), takeover));
    this.person = here;
  }
}

const othersImei = (slots) => filled(word("answering", "others_imei"), { slots: slots.join(", ") });

/** What a yes needs in its note and hasn't, by the code the daemon refuses it with. */
function wanting(gate, note) {
  if (gate === NETWORK && !isSaleable(note)) return "look_up_result_needed";
  if (gate === "destroyed_before" && !note.trim()) return "reason_needed";
  if (gate === "imei" && !imeisAmong(note).length) return "screen_number_needed";
  return NUMBERS.includes(gate) && !note.trim() ? "screen_number_needed" : null;
}
