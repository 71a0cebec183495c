// What a scanned code does on the wall: it opens its slot, answers, or leads to the handset's file.

import { mayBind } from "./binding.js";
import { goOn } from "./ignored_keys.js";
import { mayBeBadge } from "./codes.js";
import { leadsOn, toFile } from "./scan_on_pages.js";
import { SHORTEST_BADGE } from "./session.js";
import { filled, word } from "./words.js";

const UNKNOWN = "not_signed_in";
const OF_ASSET = "code_of_asset";

export class Hearing {
  /** `open` opens a slot for a person; `mayRead` says whether this screen is shown handsets. */
  constructor({ rack, panel, answering, binding, open, mayRead }) {
    Object.assign(this, { rack, panel, answering, binding, open, mayRead });
  }

  /** Whether the code was for the wall; what isn't may be a badge. */
  hear(told) {
    this.answering.startAnew();
    if (this.binding.isOpen) return this.bind(told);
    if (told.kind === "answer") {
      goOn();
      this.answering.card(told.value);
      return true;
    }
    if (this.answering.scan(told)) {
      goOn();
      return true;
    }
    const names = this.namesFor(told);
    if (names.length === 1) this.show(names[0], told);
    // Two with one serial: which of them it is, nobody guesses.
    else if (names.length) this.answering.tell(names.join(", "));
    else if (!mayBeBadge(told)) this.leave(told);
    return names.length > 0 || !mayBeBadge(told);
  }

  /** While a label is bound, every code is for that: its slot, another label, or a card's yes or no. */
  bind(told) {
    goOn();
    const [code] = told.words;
    const named = this.binding.wantsSlot && code !== undefined ? this.rack.named(code) : [];
    const names = named.length ? named : this.namesFor(told);
    const isLabel = code !== undefined && names.length > 0 && names.every((name) => this.rack.slot(name).asset?.tag === code);
    if (told.kind === "answer") this.card(told.value);
    else if (isLabel) this.binding.label(code);
    else if (names.length === 1) this.binding.meant(names[0], told.kind === "slot" || named.length > 0);
    else if (names.length) this.binding.strange(names.join(", "));
    else if (!mayBeBadge(told)) this.binding.strange(word("answering", "code_unknown"));
    return names.length > 0 || !mayBeBadge(told);
  }

  card(value) {
    if (value === "NO" && this.binding.other) this.binding.answer(false);
    else if (value === "NO" || value === "CANCEL") this.binding.close();
    else if (value !== "YES") this.answering.complain("no_question");
    else {
      const why = this.binding.yes({ byCard: true });
      if (why !== null) this.binding.complain(why);
    }
  }

  namesFor(told) {
    if (told.kind === "slot") return this.rack.named(told.value);
    if (told.kind === "job") return this.rack.working(told.value);
    const code = told.words.find((one) => this.rack.bearing(one).length > 0);
    return code === undefined ? [] : this.rack.bearing(code);
  }

  show(name, told) {
    goOn();
    if (this.panel.name !== name) this.open(name);
    if (told.kind !== "slot" && told.kind !== "job") this.panel.scanned(told.words.find((one) => this.rack.bearing(one).length > 0));
    this.answering.sawCode(name);
  }

  /** Whether the page may be left: nothing is asked on it, and no answer waits to be sent. */
  get mayLeave() {
    return this.mayRead() && !this.answering.isAsked && !this.answering.back.newest();
  }

  /** A handset that isn't on the rack. */
  leave(told) {
    const [code] = told.words;
    if (code === undefined || !this.mayLeave) this.answering.complain("code_unknown");
    else toFile(code, (text) => this.answering.tell(text));
  }

  /** Nobody's badge: perhaps a handset's tag or serial. Gives whether something came of it. */
  async failed(error, told) {
    const [code] = told.words;
    // Somebody's badge, if nobody's here: it is looked up nowhere, and stands in no address.
    if (told.kind === "badge") return false;
    const isTag = error?.code === OF_ASSET;
    if (!isTag && error?.code !== UNKNOWN) return false;
    if (!this.binding.isOpen && this.answering.scanOfNobody(told, isTag)) return true;
    // Nobody has asked the daemon about a code that is too short to be a badge.
    if (this.mayRead() && (isTag || code.length < SHORTEST_BADGE) && (await this.label(code))) return true;
    if (this.binding.isOpen) {
      this.binding.strange(word("binding", "unknown"));
      return true;
    }
    return this.mayLeave && leadsOn(error, told.words, (text) => this.answering.tell(text));
  }

  /** A label; at a slot that goes by another one it is somebody else's, and begins nothing. Gives whether it is one. */
  async label(code) {
    const slot = this.rack.slot(this.panel.name);
    if (this.binding.isOpen || !slot?.asset) return this.binding.label(code, this.slotToBind);
    const { asset } = await this.binding.find(code);
    if (asset === null) return false;
    const parts = { slot: slot.slot, bound: slot.asset.tag, tag: code };
    this.answering.tell(filled(word("binding", "of_another"), parts));
    return true;
  }

  /** The slot that was meant before its label: the one whose panel is open, while no asset is known of it. */
  get slotToBind() {
    return mayBind(this.rack.slot(this.panel.name)) ? this.panel.name : null;
  }
}
