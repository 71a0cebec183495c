// Who is signed in at this screen. The cookie is the browser's and no script's, and whose badge has been
// scanned is the session's to know: a PIN is added to that, and nothing of a badge is kept here.

import { mayBeBadge, parse } from "./codes.js";
import { belongsTo, forgetKept } from "./kept.js";
import { Reader } from "./scans.js";

const SESSION = "/api/v1/session";
const ANSWER_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 30_000;
const STAY_EVERY_MS = 60_000;
const LOCK_KEY = "F9";
export const SHORTEST_BADGE = 6;
const NO_BADGE = { code: "not_signed_in", message: "" };

let session = null;
let usedAt = 0;
let toldAt = 0;
let leaving = Promise.resolve();
let hear = () => {};
const listeners = new Set();

export const whoIsHere = () => session;
export const onChange = (listener) => listeners.add(listener);
const tell = () => {
  for (const listener of listeners) listener();
};
/** What somebody typed was a code: it does what it does when it is scanned. */
export const hearCode = (code) => hear(code);
/** A session can be locked; who is shown by the proxy can't. */
export const isLockable = () => session !== null && session.idle_s !== null;
/** What a request carries that does something. */
export const csrf = () => (session ? { "x-benchd-csrf": session.csrf } : {});

function become(next) {
  const same = session?.person === next?.person && session?.strong === next?.strong;
  session = next;
  if (next) belongsTo(next.person);
  if (!same) tell();
}

async function ask(method, body) {
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
      if (shown.badge === undefined && session) await look();
      return answer.error;
    }
    usedAt = toldAt = Date.now();
    become(answer);
    return null;
  } catch {
    return { code: "unreachable", message: "" };
  }
}

export async function lock() {
  if (session && !isLockable()) return;
  forgetKept();
  leaving = locked();
  become(null);
  await leaving;
  // Only now does the daemon show less.
  tell();
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

/** The daemon says that nobody is signed in here any more. */
export const lockedOut = () => become(null);

async function look() {
  try {
    const answer = await ask("GET");
    become(answer?.error ? null : answer);
  } catch {
    // Whoever is here stays, until the daemon says otherwise.
  }
}

async function used() {
  usedAt = Date.now();
  if (!isLockable() || usedAt - toldAt < STAY_EVERY_MS) return;
  toldAt = usedAt;
  try {
    const answer = await ask("PUT");
    if (answer.error) become(null);
  } catch {
    // The next use tells it again.
  }
}

/**
 * A badge takes over at once, wherever it is scanned; what `claims` a code before isn't one. `done`
 * is told why a code let nobody in, or null, and the code. Returns the reader, once it is known who is here.
 */
export async function startSession(done, claims = () => false) {
  hear = async (scanned) => {
    const told = parse(scanned);
    if (claims(told)) return;
    const [code] = told.words;
    if (!mayBeBadge(told) || code === undefined) return;
    // Nobody's badge is as short as that: no try.
    done(code.length < SHORTEST_BADGE ? NO_BADGE : await signIn({ badge: code }), told);
  };
  const reader = new Reader(hear);
  document.addEventListener("keydown", (event) => {
    if (event.key === LOCK_KEY) {
      event.preventDefault();
      lock();
    }
  });
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, used, true);
  setInterval(() => {
    if (!session) return;
    if (isLockable() && Date.now() - usedAt >= session.idle_s * 1000) lock();
    else look();
  }, LOOK_EVERY_MS);
  usedAt = Date.now();
  await look();
  return reader;
}
