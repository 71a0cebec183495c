// The dashboard: its parts put together, and whether what they show counts.

import { Answering } from "./answering.js";
import { readIndex } from "./api.js";
import { readInto } from "./badges.js";
import { Binding } from "./binding.js";
import { goOn as keysGoOn } from "./ignored_keys.js";
import { imeisAmong } from "./codes.js";
import { byId } from "./dom.js";
import { find } from "./locate_slot.js";
import { Hearing } from "./scan_on_wall.js";
import { Help } from "./help.js";
import { slotKept } from "./drafts.js";
import { warnBeforeLock } from "./idle.js";
import { Keys } from "./keys.js";
import { Layout } from "./wall_layout.js";
import { showMenu } from "./menu.js";
import { showNav } from "./nav.js";
import { Notices } from "./notices.js";
import { Panel } from "./panel.js";
import { Queue } from "./queue.js";
import { Rack } from "./rack.js";
import { hearScans, onChange, startSession, whoIsHere } from "./session.js";
import { showBadge, SignIn } from "./sign_in.js";
import { soundFor } from "./sounds.js";
import { look, needsPerson } from "./status.js";
import { RackStream } from "./stream.js";
import { Summary } from "./summary.js";
import { current, loadWords, nameLanguage, page, switchLanguage } from "./words.js";

const RETRY_MS = 1_000;
/** By how much is shown. */
const SHOWN = ["none", "wall", "read"];
/** How often a page that is shown nothing asks whether that has changed. */
const ASK_AGAIN_MS = 5_000;
/** Shown before the daemon has told any word of its catalogue. */
const AWAY = "benchdに接続できません / benchd can't be reached";

/** How soon after a change the numbers above the rack follow. */
const COUNT_AFTER_MS = 60;
/** How often the page asks whether another benchd, or another plan of the wall, is there. */
const LOOK_EVERY_MS = 60_000;
/** How often what is left of the work is told anew, which goes by also while the daemon tells nothing. */
const TICK_MS = 1_000;

const asks = new URLSearchParams(location.search);
const kiosk = asks.has("kiosk");
document.body.classList.toggle("kiosk", kiosk);

const rack = new Rack({ open, changed });
const layout = new Layout({ kiosk });
const queue = new Queue({
  open,
  find: (names) => find(rack, layout, ...names),
  isMine: (errand) => answering?.isToConfirm(errand) ?? false,
  changed: queueChanged,
});
const notices = new Notices();
const summary = new Summary();
let counting = null;
let wanted = asks.get("find");
let index = null;
let panel = null;
let answering = null;
let binding = null;
let help = null;
let keys = null;
let signIn = null;
let stream = null;
let asking = null;
let worded = false;
/** Whether whoever signs in next may find again what they had open. */
let mayGoOn = true;

function open(name) {
  if (kiosk || !rack.slot(name)) return;
  panel.open(rack.slot(name), rack.proofOf(name));
}

/** What somebody was in the middle of is there again after a reload, or a daemon that was away. */
function goOn() {
  const name = slotKept(whoIsHere()?.person ?? null);
  if (!kiosk && name !== null && panel.name === null && rack.slot(name)) openNext(name);
}

/** Somebody types their PIN, or is in a dialog: nothing opens over that. */
const isBusy = () => byId("operator").contains(document.activeElement) || document.querySelector("dialog[open]") !== null;

/** Whoever is back after their screen was locked finds open what they had open, once it is told. */
function goOnAsBefore() {
  const here = whoIsHere()?.person ?? null;
  if (!mayGoOn || here === null || isBusy() || document.body.dataset.connection !== "live") return;
  goOn();
  mayGoOn = panel.name === null && slotKept(here) !== null;
}

/** By itself: what is asked there is read first. */
function openNext(name) {
  if (kiosk) answering.complain("no_answers_here");
  else panel.open(rack.slot(name), rack.proofOf(name), true);
}

function changed(slot, before) {
  if (needsPerson(slot) && before && !sameMatter(before, slot)) announce(slot);
  panel.show(slot, rack.proofOf(slot.slot));
  answering.changed(slot);
  binding.changed(slot, before);
  summarise();
}

function queueChanged(told, before) {
  rack.showErrands(told.errands);
  soundFor(told, before);
  summarise();
}

const sameMatter = (one, other) =>
  one.state === other.state && one.problem?.code === other.problem?.code && one.question?.gate === other.question?.gate;

function announce(slot) {
  const seen = look(slot, null);
  byId("announcer").textContent = `${slot.slot} ${seen.title} ${seen.main}`;
}

/** Many slots change at once: they are counted once for all of them. */
function summarise() {
  counting ??= setTimeout(count, COUNT_AFTER_MS);
}

function count() {
  counting = null;
  summary.show([...rack.slots.values()], notices.ports, queue.told?.errands ?? null, rack.left);
}

function showPorts(ports) {
  notices.showPorts(ports);
  summarise();
}

function complete(names) {
  rack.complete(names);
  answering.lost((name) => rack.slots.has(name));
  layout.show(rack.tiles);
  if (wanted !== null && find(rack, layout, wanted)) wanted = null;
  if (document.body.dataset.connection !== "live") {
    document.body.dataset.connection = "live";
    byId("connection").hidden = true;
    goOn();
    lookAgain();
  } else {
    goOnAsBefore();
  }
  summarise();
}

/** Who locks a screen leaves nothing on it, not even where the daemon can't be asked any more. */
function changedHands() {
  if (whoIsHere() !== null) {
    queue.paint();
    goOnAsBefore();
  } else {
    mayGoOn = true;
    rack.clear();
    queue.clear();
    byId("announcer").textContent = "";
    panel.hide();
    binding.close();
    keys?.find.clear();
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
    else layout.plan(now.rows);
    answering.prints = now.prints;
  } catch {
    // The stream tells soon enough that nobody answers.
  }
}

function see(now) {
  index = now;
  layout.plan(index.rows);
  document.body.dataset.shown = index.shown;
  byId("hidden").hidden = index.shown === "read";
  label();
  clearInterval(asking);
  if (index.shown === "none") asking = setInterval(lookAgain, ASK_AGAIN_MS);
  else if (stream) stream.again();
  else stream = new RackStream(heard);
}

/** What is done with each kind of event. */
const heard = {
  onSlot: (slot) => rack.show(slot),
  onPorts: showPorts,
  onNotices: (told) => notices.show(told),
  onQueue: (told) => {
    queue.show(told);
    answering.queue(told);
  },
  onComplete: complete,
  onAway: lost,
};

function lost() {
  away();
  lookAgain();
}

function away() {
  document.body.dataset.connection = "away";
  byId("connection").hidden = false;
  byId("connection-title").textContent = worded ? page("unreachable") : AWAY;
  byId("connection-to-do").textContent = worded ? page("unreachable_to_do") : "";
  rack.doubt();
}

function label() {
  document.documentElement.lang = current();
  byId("title").textContent = "benchd";
  showNav();
  nameLanguage(byId("language"));
  showMenu({ wall: true });
  byId("hidden-title").textContent = page(index.shown === "none" ? "all_hidden" : "details_hidden");
  byId("hidden-to-do").textContent = page("hidden_to_do");
  if (document.body.dataset.connection === "away") away();
  rack.relabel();
  if (panel.name !== null) panel.relabel(rack.slot(panel.name), rack.proofOf(panel.name));
  answering.moved();
  answering.back.relabel();
  help.relabel();
  if (binding.isOpen) binding.show();
  notices.relabel();
  queue.paint();
  summarise();
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
  panel = new Panel({
    find: (name) => find(rack, layout, name),
    press: (value) => answering.press(value),
    skip: () => answering.skip(),
    bind: (name) => binding.slot(name),
    moved: () => answering?.moved(),
    astray: () => answering.complain("typing_gone"),
    strange: (slot, text) => rack.strange(slot, imeisAmong(text)),
  });
  answering = new Answering({ rack, panel, open: openNext });
  answering.prints = index.prints;
  binding = new Binding({ rack, done: (text) => answering.tell(text) });
  help = new Help();
  document.body.dataset.connection = "connecting";
  byId("connection").hidden = true;
  see(index);
  onChange(changedHands);
  setInterval(lookAgain, LOOK_EVERY_MS);
  setInterval(summarise, TICK_MS);
  warnBeforeLock();
  const hearing = new Hearing({ rack, panel, answering, binding, open, mayRead: () => index.shown === "read" });
  const done = async (error, told) => {
    if (!error) keysGoOn();
    else if (!(await hearing.failed(error, told))) (panel.name === null ? signIn : panel.signIn).refuse(error, told.words[0]);
  };
  const reader = await startSession();
  reader.prefix = index.scanPrefix;
  reader.onRead = readInto;
  keys = new Keys({ reader, rack, panel, answering, binding, help, open });
  hearScans({ show: showBadge, done, claims: (told) => hearing.hear(told) });
}

start();
