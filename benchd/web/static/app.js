// The dashboard: the rack as tiles, kept up to date by the daemon's event stream.

import { isProven, readIndex } from "./api.js";
import { byId, el } from "./dom.js";
import { icon } from "./icons.js";
import { showNav } from "./nav.js";
import { Panel } from "./panel.js";
import { onChange, startSession, whoIsHere } from "./session.js";
import { SignIn } from "./sign_in.js";
import { group, look, needsPerson } from "./status.js";
import { RackStream } from "./stream.js";
import { Tile, portTile } from "./tile.js";
import { current, loadWords, nameLanguage, page, switchLanguage } from "./words.js";

const RETRY_MS = 1_000;
/** By how much is shown. */
const SHOWN = ["none", "wall", "read"];
/** How often a page that is shown nothing asks whether that has changed. */
const ASK_AGAIN_MS = 5_000;
/** Shown before the daemon has told any word of its catalogue. */
const AWAY = "benchd に接続できません / benchd can't be reached";

const slots = new Map();
const tiles = new Map();
/** By slot: the plug whose certificate the daemon has seen in its ledger. */
const proofs = new Map();
let ports = [];
let notices = [];
let index = null;
let panel = null;
let signIn = null;
let stream = null;
let asking = null;
let worded = false;
let summary = "";

const proofOf = (name) => proofs.get(name) ?? null;

function open(name) {
  panel.open(slots.get(name), proofOf(name));
}

/** The handset whose label was scanned: its slot opens, and a confirmation bears the code. */
function openHandset({ words: [code] }) {
  const told = (slot) => [slot.handset?.imei, slot.handset?.serial, slot.asset?.tag];
  const names = code ? [...slots.values()].filter((slot) => told(slot).includes(code)).map((slot) => slot.slot) : [];
  if (names.length === 1) {
    open(names[0]);
    panel.scanned(code);
  } else if (names.length) {
    // Two with one serial: which of them it is, nobody guesses.
    byId("announcer").textContent = names.join(", ");
  }
  return names.length > 0;
}

function showSlot(slot) {
  const before = slots.get(slot.slot);
  slots.set(slot.slot, slot);
  if (!tiles.has(slot.slot)) tiles.set(slot.slot, new Tile(slot.slot, open));
  if (proofOf(slot.slot) !== slot.occupancy) proofs.delete(slot.slot);
  if (needsPerson(slot) && before && !sameMatter(before, slot)) announce(slot);
  paint(slot.slot);
  summarise();
  seekProof(slot);
}

const sameMatter = (one, other) =>
  one.state === other.state && one.problem?.code === other.problem?.code && one.question?.gate === other.question?.gate;

function paint(name) {
  tiles.get(name).show(slots.get(name), proofOf(name));
  panel.show(slots.get(name), proofOf(name));
}

/** Green needs the certificate: the page asks whether the ledger has it. */
async function seekProof(slot) {
  if (slot.state !== "finished" || slot.disposition !== "sellable" || proofOf(slot.slot) === slot.occupancy) return;
  let found = false;
  try {
    found = await isProven(slot);
  } catch {
    setTimeout(() => stillThere(slot) && seekProof(slot), RETRY_MS);
  }
  if (found && stillThere(slot)) {
    proofs.set(slot.slot, slot.occupancy);
    paint(slot.slot);
  }
}

function stillThere(slot) {
  const now = slots.get(slot.slot);
  return now?.occupancy === slot.occupancy && now.state === "finished";
}

function announce(slot) {
  const seen = look(slot, null);
  byId("announcer").textContent = `${slot.slot} ${seen.title} ${seen.main}`;
}

function showPorts(told) {
  ports = told;
  byId("unknown").hidden = ports.length === 0;
  byId("unknown-ports").replaceChildren(...ports.map(portTile));
  summarise();
}

/** What is the matter with the rack as a whole stands above its slots. */
function showNotices(told) {
  notices = told;
  byId("notices").hidden = notices.length === 0;
  byId("notices").replaceChildren(
    ...notices.map((notice) =>
      el("li", {}, el("strong", {}, notice[current()]), el("span", {}, notice.what_to_do[current()])),
    ),
  );
}

/** The daemon has told everything: what it didn't name is gone. */
function complete(names) {
  for (const name of [...slots.keys()]) {
    if (!names.includes(name)) {
      slots.delete(name);
      tiles.delete(name);
      proofs.delete(name);
    }
  }
  const shown = names.filter((name) => tiles.has(name)).map((name) => tiles.get(name).element);
  const rack = byId("rack");
  if (shown.length !== rack.children.length || shown.some((element, place) => rack.children[place] !== element)) {
    rack.replaceChildren(...shown);
  }
  rack.style.setProperty("--columns", columns(names));
  if (document.body.dataset.connection !== "live") {
    document.body.dataset.connection = "live";
    byId("connection").hidden = true;
    lookAgain();
  }
  summarise();
}

/** As many as a shelf has slots (A1 to A8), so that the wall looks like the rack. */
function columns(names) {
  if (names.length <= 8) return Math.min(4, Math.max(1, names.length));
  const shelf = (name) => name.replace(/[0-9]+$/, "");
  const wide = names.filter((name) => shelf(name) === shelf(names[0])).length;
  return wide >= 4 && wide <= 10 ? wide : Math.min(8, Math.ceil(Math.sqrt(names.length * 1.8)));
}

/** Who locks a screen leaves nothing on it, not even where the daemon can't be asked any more. */
function changedHands() {
  if (whoIsHere() === null) {
    for (const kept of [slots, tiles, proofs]) kept.clear();
    byId("rack").replaceChildren();
    byId("announcer").textContent = "";
    panel.close();
    showPorts([]);
    stream?.again();
  }
  lookAgain();
}

/** Another benchd has another page; who may see less keeps nothing on it, who may see more sees it. */
async function lookAgain() {
  try {
    const now = await readIndex();
    const other = now.version !== null && index.version !== null && now.version !== index.version;
    if (other || SHOWN.indexOf(now.shown) < SHOWN.indexOf(index.shown)) location.reload();
    else if (now.shown !== index.shown) see(now);
  } catch {
    // The stream tells soon enough that nobody answers.
  }
}

function see(now) {
  index = now;
  document.body.dataset.shown = index.shown;
  byId("hidden").hidden = index.shown === "read";
  label();
  clearInterval(asking);
  if (index.shown === "none") asking = setInterval(lookAgain, ASK_AGAIN_MS);
  else if (stream) stream.again();
  else stream = new RackStream({ onSlot: showSlot, onPorts: showPorts, onNotices: showNotices, onComplete: complete, onAway: lost });
}

function lost() {
  away();
  lookAgain();
}

function away() {
  document.body.dataset.connection = "away";
  byId("connection").hidden = false;
  byId("connection-title").textContent = worded ? page("unreachable") : AWAY;
  byId("connection-to-do").textContent = worded ? page("unreachable_to_do") : "";
  // Proof is asked for anew: the daemon that comes back may know better.
  proofs.clear();
  for (const name of slots.keys()) paint(name);
}

function summarise() {
  const counts = { needs_person: ports.length, busy: 0, finished: 0, free: 0 };
  for (const slot of slots.values()) counts[group(slot)] += 1;
  const seen = [current(), ...Object.values(counts), ...[...slots.values()].map((slot) => slot.state)].join();
  if (seen === summary) return;
  summary = seen;
  const wanting = [...slots.values()].filter(needsPerson);
  const chips = wanting.map((slot) =>
    el("button", { type: "button", class: "chip", onclick: () => open(slot.slot) }, icon(look(slot, null).icon), slot.slot),
  );
  const number = (name, ...more) =>
    el("li", { class: `count ${name}`, "data-count": counts[name] }, el("b", {}, String(counts[name])), el("span", {}, page(name)), ...more);
  byId("summary").replaceChildren(
    number("needs_person", ...(chips.length ? [el("span", { class: "chips" }, ...chips)] : [])),
    number("busy"),
    number("finished"),
    number("free"),
    el("li", { class: "count all" }, el("b", {}, String(slots.size)), el("span", {}, page("slots"))),
  );
  document.title = `${counts.needs_person ? `(${counts.needs_person}) ` : ""}benchd ${page("title")}`;
}

function label() {
  document.documentElement.lang = current();
  byId("title").textContent = "benchd";
  showNav();
  signIn.show();
  panel.signIn.show();
  nameLanguage(byId("language"));
  byId("unknown").setAttribute("aria-label", page("unknown_ports"));
  byId("hidden-title").textContent = page(index.shown === "none" ? "all_hidden" : "details_hidden");
  byId("hidden-to-do").textContent = page("hidden_to_do");
  if (document.body.dataset.connection === "away") away();
  for (const name of slots.keys()) tiles.get(name).show(slots.get(name), proofOf(name));
  if (panel.name !== null) panel.relabel(slots.get(panel.name), proofOf(panel.name));
  showPorts(ports);
  showNotices(notices);
}

async function start() {
  byId("language").addEventListener("click", () => {
    switchLanguage();
    label();
  });
  for (;;) {
    try {
      await loadWords();
      worded = true;
      index = await readIndex();
      break;
    } catch {
      away();
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
  signIn = new SignIn();
  byId("operator").replaceChildren(signIn.element);
  panel = new Panel();
  document.body.dataset.connection = "connecting";
  byId("connection").hidden = true;
  see(index);
  onChange(changedHands);
  startSession((error) => (panel.name === null ? signIn : panel.signIn).refuse(error), openHandset);
}

start();
