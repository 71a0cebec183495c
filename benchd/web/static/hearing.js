// What a scanned code does on the wall: it opens its slot, answers, or leads to the handset's file.

import { read } from "./api.js";
import { goOn } from "./calm.js";
import { mayBeBadge } from "./codes.js";

const UNKNOWN = "not_signed_in";
const SHORTEST_TO_FIND = 4;

export class Hearing {
  /** `open` opens a slot for a person; `mayRead` says whether this screen is shown handsets. */
  constructor({ rack, panel, answering, open, mayRead }) {
    Object.assign(this, { rack, panel, answering, open, mayRead });
  }

  /** Whether the code was for the wall; what isn't may be a badge. */
  hear(told) {
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

  namesFor(told) {
    if (told.kind === "slot") return this.rack.named(told.value);
    if (told.kind === "job") return this.rack.working(told.value);
    const word = told.words.find((one) => this.rack.bearing(one).length > 0);
    return word === undefined ? [] : this.rack.bearing(word);
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
    const [word] = told.words;
    if (word === undefined || !this.mayLeave) this.answering.complain("code_unknown");
    else this.toFile(word);
  }

  /** Nobody's badge: perhaps a handset's tag or serial. Gives whether something came of it. */
  async failed(error, told) {
    const [word] = told.words;
    if (error?.code !== UNKNOWN) return false;
    if (this.answering.scanOfNobody(told)) return true;
    if (!this.mayLeave || word.length < SHORTEST_TO_FIND) return false;
    const found = await read(`/api/v1/handsets?${new URLSearchParams({ find: word.slice(0, 80) })}`);
    if (!found.told?.handsets?.length) return false;
    this.toFile(word);
    return true;
  }

  toFile(word) {
    location.assign(`/handsets?${new URLSearchParams({ q: word })}`);
  }
}
