// Who is signed in at this screen. The cookie is the browser's and no script's, and whose badge has been
// scanned is the session's to know: a PIN is added to that, and nothing of a badge is kept here.

import { mayBeBadge, parse } from "./codes.js";
import { belongsTo, forgetKept } from "./drafts.js";
import { Reader } from "./scans.js";

const SESSION = "/api/v1/session";
const ANSWER_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 30_000;
const STAY_EVERY_MS = 60_000;
const IDLE_EVERY_MS = 1_000;
/** So long before it locks by itself that is told; of a short time a third. */
const WARN_S = 60;
const LOCK_KEY = "F9";
export const SHORTEST_BADGE = 6;
const CHANGED = "session";
const NO_BADGE = { code: "not_signed_in", message: "" };

let session = null;
let usedAt = 0;
let toldAt = 0;
/** Whether somebody has used this page since the daemon was told of it. */
let untold = false;
let leaving = Promise.resolve();
/** It reads from the first moment: no code that is scanned while the page loads is lost. */
const reader = new Reader();
const listeners = new Set();

export const whoIsHere = () => session;
const idlers = new Set();
/** Other pages of this browser have the same session: what is used there isn't idle here. */
const elsewhere = new BroadcastChannel("benchd.used");
elsewhere.onmessage = ({ data }) => {
  if (data === CHANGED) look();
  else usedAt = Date.now();
};

/** Is called with who was here and who is, and whether that was done on another page; with null where nobody took over. */
export const onChange = (listener) => listeners.add(listener);
/** Is called with the seconds until this screen locks by itself, once they are few; with null where they aren't. */
export const onIdle = (listener) => idlers.add(listener);
const tell = (takeover) => {
  for (const listener of listeners) listener(takeover);
};
/** What somebody typed was a code: it does what it does when it is scanned. */
export const hearCode = (code) => reader.hear(code);
/** A session can be locked; who is shown by the proxy can't. */
export const isLockable = () => session !== null && session.idle_s !== null;
/** What a request carries that does something. */
export const csrf = () => (session ? { "x-benchd-csrf": session.csrf } : {});

function become(next, { onAnother = false } = {}) {
  const before = session;
  const same = ["person", "strong", "shown_by"].every((part) => before?.[part] === next?.[part]);
  session = next;
  if (next) belongsTo(next.person, onAnother);
  if (same) return;
  const tookOver = before && next && before.person !== next.person;
  tell(tookOver ? { before: before.name, now: next.name, onAnother } : null);
}

/** The last thing that was asked of the daemon's session, over and done with however it ended. */
let turn = Promise.resolve();

/**
 * One at a time: a badge puts another session in this one's place, and what was asked of the one before
 * would be answered as if nobody were here any more, and take the new one's cookie.
 */
function ask(method, body) {
  const asked = turn.then(() => send(method, body));
  turn = asked.catch(() => null);
  return asked;
}

async function send(method, body) {
  const response = await fetch(SESSION, {
    method,
    headers: { ...(body ? { "content-type": "application/json" } : {}), ...csrf() },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  return response.status === 204 ? null : response.json();
}

/** `shown` as the API takes it. Null when it is open, else the error object of the API. */
export async function signIn(shown) {
  try {
    const answer = await ask("POST", shown);
    if (answer.error) {
      // A PIN is added to what may have ended meanwhile.
      if (shown.pin !== undefined && session) await look();
      return answer.error;
    }
    usedAt = toldAt = Date.now();
    become(answer);
    elsewhere.postMessage(CHANGED);
    return null;
  } catch {
    return { code: "unreachable", message: "" };
  }
}

/** Whoever locks it leaves nothing; whom it locked out by itself finds what they had begun to type again. */
export async function lock({ byItself = false } = {}) {
  if (session && !isLockable()) return;
  if (!byItself) forgetKept();
  leaving = locked();
  become(null);
  await leaving;
  // A badge or PIN that was being compared meanwhile has let nobody in.
  become(null);
  elsewhere.postMessage(CHANGED);
  // Only now does the daemon show less.
  tell(null);
}

async function locked() {
  try {
    await ask("DELETE");
  } catch {
    // Then it is locked by its own time, or with the daemon's end.
  }
}

/** Until the daemon has been told that nobody is here any more; a page that is left sooner may not tell it. */
export const left = () => leaving;

/** The daemon says that whoever was here isn't any more: another page may have put somebody else there. */
export const lockedOut = () => look();

async function look() {
  try {
    const answer = await ask("GET");
    become(answer?.error ? null : answer, { onAnother: true });
  } catch {
    // Whoever is here stays, until the daemon says otherwise.
  }
}

async function used() {
  // A machine that slept past the time has locked, whatever key has woken it.
  idle();
  if (Date.now() - usedAt >= IDLE_EVERY_MS) elsewhere.postMessage(null);
  usedAt = Date.now();
  untold = true;
  idle();
  await stay();
}

/** The daemon locks by its own count, which mustn't be behind of this one: it is told of each use in the end. */
async function stay() {
  if (!untold || !isLockable() || Date.now() - toldAt < STAY_EVERY_MS) return;
  toldAt = Date.now();
  untold = false;
  try {
    const answer = await ask("PUT");
    if (answer.error) become(null);
  } catch {
    // The next use tells it again.
  }
}

/** Whether nobody has used this screen for so long that it locks, or soon will. */
function idle() {
  const left = isLockable() ? session.idle_s - (Date.now() - usedAt) / 1000 : Infinity;
  const soon = left > 0 && left <= Math.min(WARN_S, (session?.idle_s ?? 0) / 3);
  for (const listener of idlers) listener(soon ? left : null);
  if (left <= 0) lock({ byItself: true });
  else stay();
}

/** The keys of this screen's session, and who is here. Returns the reader, which keeps what it reads until `hearScans`. */
export async function startSession() {
  document.addEventListener("keydown", (event) => {
    if (event.key === LOCK_KEY) {
      event.preventDefault();
      lock();
    }
  });
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, used, true);
  setInterval(idle, IDLE_EVERY_MS);
  setInterval(() => session && look(), LOOK_EVERY_MS);
  usedAt = Date.now();
  await look();
  return reader;
}

/**
 * A badge takes over at once, wherever it is scanned; what `claims` a code before isn't one. `show` shows it,
 * and `done` is told why it let nobody in, or null, and the code.
 */
export function hearScans({ show, done, claims }) {
  reader.begin(async (scanned) => {
    const told = parse(scanned);
    if (claims(told)) return;
    const [code] = told.words;
    if (!mayBeBadge(told) || code === undefined) return;
    // Nobody's badge is as short as that: no try.
    done(code.length < SHORTEST_BADGE ? NO_BADGE : await show(code), told);
  });
}
