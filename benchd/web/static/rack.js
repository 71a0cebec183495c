// The rack's slots as they are now, each with its tile, and which of them are proven.

import { isProven } from "./api.js";
import { byId } from "./dom.js";
import { cut } from "./short_numbers.js";
import { group, handsetLeft, isPassedLook, mayBeSold } from "./status.js";
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
    /** By slot: the plug whose handset goes to sale by the queue, for as long as the queue says so. */
    this.toSale = new Map();
    /** By slot: the errand for a handset that was taken out of it half-erased. */
    this.trays = new Map();
    this.cut = { serials: new Map(), imeis: new Map(), rare: new Set() };
    setInterval(() => this.tick(), 1_000);
  }

  slot(name) {
    return this.slots.get(name);
  }

  proofOf(name) {
    const looked = this.slots.has(name) && isPassedLook(this.slots.get(name));
    return (looked ? this.toSale : this.proofs).get(name) ?? null;
  }

  /** Names of the slots whose handset bears this code: its IMEI, its serial or its tag. */
  bearing(code) {
    const told = (slot) => [slot.handset?.imei, slot.handset?.serial, slot.asset?.tag];
    return [...this.slots.values()].filter((slot) => told(slot).includes(code)).map((slot) => slot.slot);
  }

  /** The other slots that an IMEI among these belongs to, where it isn't this one's too. */
  strange(slot, imeis) {
    const others = imeis.filter((imei) => slot.handset?.imei !== imei).flatMap((imei) => this.bearing(imei));
    return [...new Set(others.filter((name) => name !== slot.slot))];
  }

  /** The slot of this name, whether its label was read in capitals or not. */
  named(name) {
    return [...this.slots.keys()].filter((one) => one.toLowerCase() === name.toLowerCase());
  }

  /** The slots that work on this job. */
  working(job) {
    return [...this.slots.values()].filter((slot) => slot.job === job).map((slot) => slot.slot);
  }

  /** One slot as the daemon tells it. */
  show(slot) {
    const before = this.slots.get(slot.slot);
    this.slots.set(slot.slot, { ...slot, tray: this.trays.get(slot.slot) ?? null, toldAt: performance.now() });
    if (!this.tiles.has(slot.slot)) this.tiles.set(slot.slot, new Tile(slot.slot, this.open));
    if (this.proofOf(slot.slot) !== slot.occupancy) this.proofs.delete(slot.slot);
    const told = ({ handset, recipe } = {}) => `${handset?.serial} ${handset?.imei} ${recipe}`;
    if (told(before) !== told(slot)) this.cutAnew();
    this.paint(slot.slot, before);
    this.seekProof(slot);
  }

  /** What was taken out half-erased, and nothing else has been in its slot since; and what goes to sale. */
  showErrands(errands) {
    const toSale = new Map(errands.filter(({ kind, bin }) => kind === "carry" && bin === "sellable").map(({ slot, occupancy }) => [slot, occupancy]));
    const moved = [...toSale.keys(), ...this.toSale.keys()].filter((name) => toSale.get(name) !== this.toSale.get(name));
    this.toSale = toSale;
    const trays = new Map(errands.filter(({ kind, here, slot }) => kind === "tray" && here && slot).map((errand) => [errand.slot, errand]));
    const touched = new Set([...trays.keys(), ...this.trays.keys(), ...moved]);
    this.trays = trays;
    for (const name of touched) {
      const before = this.slots.get(name);
      if (!before) continue;
      this.slots.set(name, { ...before, tray: trays.get(name) ?? null });
      this.paint(name, before);
    }
  }

  /** Which part of a number is shown depends on the others. */
  cutAnew() {
    const told = (field) => [...this.slots.values()].map((slot) => slot.handset?.[field]).filter(Boolean);
    this.cut = { serials: cut(told("serial")), imeis: cut(told("imei")), rare: this.rareRecipes() };
    this.relabel();
  }

  /** Where at least half of the slots run one recipe, that goes without saying on a small tile, and the others don't. */
  rareRecipes() {
    const all = [...this.slots.values()].map(({ recipe }) => recipe).filter(Boolean);
    const count = (recipe) => all.filter((one) => one === recipe).length;
    return new Set(all.filter((recipe) => count(recipe) * 2 < all.length));
  }

  tick() {
    for (const tile of this.tiles.values()) tile.tick();
  }

  /** Seconds until the machines are done with all that they work on now; null where nobody knows. */
  get left() {
    const busy = [...this.slots.values()].filter((slot) => group(slot) === "busy");
    const known = busy.map(handsetLeft).filter((left) => left >= 1);
    return known.length ? Math.max(...known) : null;
  }

  paint(name, before = null) {
    this.tiles.get(name).show(this.slots.get(name), this.proofOf(name), this.cut);
    this.changed(this.slots.get(name), before);
  }

  /** Every tile in other words. */
  relabel() {
    for (const [name, tile] of this.tiles) tile.show(this.slots.get(name), this.proofOf(name), this.cut);
  }

  /** Green needs the certificate: the page asks whether the ledger has it. */
  async seekProof(slot) {
    if (!mayBeSold(slot) || isPassedLook(slot) || this.proofOf(slot.slot) === slot.occupancy) return;
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
      if (!names.includes(name)) for (const kept of [this.slots, this.tiles, this.proofs, this.toSale]) kept.delete(name);
    }
    // In the rack's order, for those that no row places.
    this.tiles = new Map(names.filter((name) => this.tiles.has(name)).map((name) => [name, this.tiles.get(name)]));
  }

  /** Proof is asked for anew: the daemon that comes back may know better. */
  doubt() {
    this.proofs.clear();
    this.toSale.clear();
    for (const name of this.slots.keys()) this.paint(name);
  }

  /** Leaves nothing on the screen. */
  clear() {
    for (const kept of [this.slots, this.tiles, this.proofs, this.toSale, this.trays]) kept.clear();
    byId("rack").replaceChildren();
  }
}
