// The rack's slots as they are now, each with its tile, and which of them are proven.

import { isProven } from "./api.js";
import { byId } from "./dom.js";
import { Tile } from "./tile.js";

const RETRY_MS = 1_000;

export class Rack {
  /** `open` is called with the name of a tile that is pressed, `changed` with each slot that is shown anew. */
  constructor({ open, changed }) {
    this.open = open;
    this.changed = changed;
    this.slots = new Map();
    this.tiles = new Map();
    /** By slot: the plug whose certificate the daemon has seen in its ledger. */
    this.proofs = new Map();
  }

  slot(name) {
    return this.slots.get(name);
  }

  proofOf(name) {
    return this.proofs.get(name) ?? null;
  }

  /** Names of the slots whose handset bears this code: its IMEI, its serial or its tag. */
  bearing(code) {
    const told = (slot) => [slot.handset?.imei, slot.handset?.serial, slot.asset?.tag];
    return [...this.slots.values()].filter((slot) => told(slot).includes(code)).map((slot) => slot.slot);
  }

  /** One slot as the daemon tells it. */
  show(slot) {
    const before = this.slots.get(slot.slot);
    this.slots.set(slot.slot, slot);
    if (!this.tiles.has(slot.slot)) this.tiles.set(slot.slot, new Tile(slot.slot, this.open));
    if (this.proofOf(slot.slot) !== slot.occupancy) this.proofs.delete(slot.slot);
    this.paint(slot.slot, before);
    this.seekProof(slot);
  }

  paint(name, before = null) {
    this.tiles.get(name).show(this.slots.get(name), this.proofOf(name));
    this.changed(this.slots.get(name), before);
  }

  /** Every tile in other words. */
  relabel() {
    for (const [name, tile] of this.tiles) tile.show(this.slots.get(name), this.proofOf(name));
  }

  /** Green needs the certificate: the page asks whether the ledger has it. */
  async seekProof(slot) {
    if (slot.state !== "finished" || slot.disposition !== "sellable" || this.proofOf(slot.slot) === slot.occupancy) return;
    let found = false;
    try {
      found = await isProven(slot);
    } catch {
      setTimeout(() => this.isStillThere(slot) && this.seekProof(slot), RETRY_MS);
    }
    if (found && this.isStillThere(slot)) {
      this.proofs.set(slot.slot, slot.occupancy);
      this.paint(slot.slot);
    }
  }

  isStillThere(slot) {
    const now = this.slots.get(slot.slot);
    return now?.occupancy === slot.occupancy && now.state === "finished";
  }

  /** The daemon has told everything: what it didn't name is gone. */
  complete(names) {
    for (const name of [...this.slots.keys()]) {
      if (!names.includes(name)) for (const kept of [this.slots, this.tiles, this.proofs]) kept.delete(name);
    }
    const shown = names.filter((name) => this.tiles.has(name)).map((name) => this.tiles.get(name).element);
    const rack = byId("rack");
    if (shown.length !== rack.children.length || shown.some((element, place) => rack.children[place] !== element)) {
      rack.replaceChildren(...shown);
    }
    rack.style.setProperty("--columns", columns(names));
  }

  /** Proof is asked for anew: the daemon that comes back may know better. */
  doubt() {
    this.proofs.clear();
    for (const name of this.slots.keys()) this.paint(name);
  }

  /** Leaves nothing on the screen. */
  clear() {
    for (const kept of [this.slots, this.tiles, this.proofs]) kept.clear();
    byId("rack").replaceChildren();
  }
}

/** As many as a shelf has slots (A1 to A8), so that the wall looks like the rack. */
function columns(names) {
  if (names.length <= 8) return Math.min(4, Math.max(1, names.length));
  const shelf = (name) => name.replace(/[0-9]+$/, "");
  const wide = names.filter((name) => shelf(name) === shelf(names[0])).length;
  return wide >= 4 && wide <= 10 ? wide : Math.min(8, Math.ceil(Math.sqrt(names.length * 1.8)));
}
