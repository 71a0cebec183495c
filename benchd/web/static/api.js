// Requests to the daemon.

import { csrf, lockedOut, whoIsHere } from "./session.js";

const ANSWER_WITHIN_MS = 20_000;
const LONG_MS = 120_000;
const LONGEST_CODE = 4000;

const path = (job) => `/api/v1/jobs/${encodeURIComponent(job)}`;

export const jobUrl = path;
/** Its page for the screen, which leads to the PDF and to the signed file. */
export const certificateUrl = (job) => `${path(job)}/certificate.html?${new URLSearchParams({ language: document.documentElement.lang || "ja" })}`;

export async function readJob(job) {
  const answer = await fetch(path(job));
  if (!answer.ok) throw new Error(`job: ${answer.status}`);
  return answer.json();
}

/** Whether the handset of this plug that is in a slot has its certificate. */
export async function isProven(slot) {
  const answer = await fetch(`/api/v1/slots/${encodeURIComponent(slot.slot)}/proof`);
  if (!answer.ok) throw new Error(`proof: ${answer.status}`);
  const told = await answer.json();
  return told.proven === true && told.occupancy === slot.occupancy;
}

/** The daemon's version, and whether it shows everything ("read"), the wall, or nothing ("none"). */
export async function readIndex() {
  const answer = await fetch("/api/v1");
  if (answer.status === 403 && (await answer.json()).error.code === "sign_in_needed") {
    return { version: null, shown: "none", rows: [], scanPrefix: "", prints: false };
  }
  if (!answer.ok) throw new Error(`index: ${answer.status}`);
  const { version, shown, wall, prints } = await answer.json();
  return { version, shown, rows: wall?.rows ?? [], scanPrefix: wall?.scan_prefix ?? "", prints: prints === true };
}

const isStill = (person) => person?.person === whoIsHere()?.person && person?.csrf === whoIsHere()?.csrf;

/** What the daemon tells, as {told}, or why it doesn't, as {error} with the API's error object. */
async function asked(path, options = {}, withinMs = ANSWER_WITHIN_MS) {
  const here = whoIsHere();
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(withinMs), ...options });
    const told = await response.json();
    if (response.ok) return { told };
    if (told.error.code !== "not_signed_in") return { error: told.error };
    // Whoever has taken over since stays, and whoever has scanned their own badge again.
    if (isStill(here)) await lockedOut();
    return { error: whoIsHere() && !isStill(here) ? { code: "taken_over", message: "" } : told.error };
  } catch {
    return { error: { code: "unreachable", message: "" } };
  }
}

/** Looks something up; a report or a long list takes its time. */
export const read = (path) => asked(path, {}, LONG_MS);

/** What a code is, which may be anybody's secret: it stands in no address. */
export function lookUp(code) {
  const headers = { "content-type": "application/json", ...csrf() };
  return asked("/api/v1/codes", { method: "POST", headers, body: JSON.stringify({ code: code.slice(0, LONGEST_CODE) }) });
}

const MOST_JOBS = 100;

/** Jobs by their numbers, as the read model has them; what it hasn't yet is left out. */
export async function readJobs(numbers) {
  const found = new Map();
  for (let place = 0; place < numbers.length; place += MOST_JOBS) {
    const asked = numbers.slice(place, place + MOST_JOBS).map((job) => ["job", job]);
    const { told } = await read(`/api/v1/records/jobs?${new URLSearchParams(asked)}`);
    for (const job of told?.jobs ?? []) found.set(job.job, job);
  }
  return found;
}

/** Does something as whoever is signed in here, and as nobody else. */
export function act(path, body) {
  const here = whoIsHere();
  if (!here) return Promise.resolve({ error: { code: "not_signed_in", message: "" } });
  const headers = { "content-type": "application/json", ...csrf() };
  return asked(path, { method: "POST", headers, body: JSON.stringify({ ...body, operator: here.person }) });
}

/** Sends a file, in the same way. */
export function sendFile(path, query, file) {
  const here = whoIsHere();
  if (!here) return Promise.resolve({ error: { code: "not_signed_in", message: "" } });
  const asks = new URLSearchParams({ ...query, operator: here.person });
  const headers = { "content-type": "text/csv", ...csrf() };
  return asked(`${path}?${asks}`, { method: "POST", headers, body: file }, LONG_MS);
}

/** Sends a person's answer; null when it is on record, else the error object of the API. */
export async function decide(job, answer) {
  const { error } = await act(`${path(job)}/decisions`, answer);
  return error ?? null;
}
