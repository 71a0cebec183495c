// Requests to the daemon.

import { csrf, lockedOut } from "./session.js";

const ANSWER_WITHIN_MS = 20_000;

const path = (job) => `/api/v1/jobs/${encodeURIComponent(job)}`;

export const jobUrl = path;
export const certificateUrl = (job) => `${path(job)}/certificate.json`;

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
    return { version: null, shown: "none" };
  }
  if (!answer.ok) throw new Error(`index: ${answer.status}`);
  const { version, shown } = await answer.json();
  return { version, shown };
}

/** Sends a person's answer; null when it is on record, else the error object of the API. */
export async function decide(job, answer) {
  try {
    const response = await fetch(`${path(job)}/decisions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...csrf() },
      body: JSON.stringify(answer),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.ok) return null;
    const { error } = await response.json();
    if (error.code === "not_signed_in") lockedOut();
    return error;
  } catch {
    return { code: "unreachable", message: "" };
  }
}
