// What the shift board and the handover sheet ask the daemon, and how its times are read.

import { read } from "./api.js";
import { byRackClock, zone } from "./tables.js";

const KEPT = "benchd.shift";
const WHOLE_DAY = { from: "00:00", to: "00:00" };

/** The hours of a shift that were chosen on this screen before; a whole day where none were. */
function keptHours() {
  try {
    return { ...WHOLE_DAY, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return WHOLE_DAY;
  }
}

export function keepHours(hours) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(hours));
  } catch {
    // A browser without storage forgets; the address has them still.
  }
}

/** What the address asks for; the day is blank for the shift that runs. */
export function askedShift(asked) {
  const kept = keptHours();
  return { day: asked.get("day") ?? "", from: asked.get("from") || kept.from, to: asked.get("to") || kept.to };
}

export function shiftQuery({ day, from, to }, more = {}) {
  return new URLSearchParams({ ...(day ? { day } : {}), from, to, ...more });
}

/** The shift with the rack as it is now; what of the rack can't be told is null. */
export async function readShift(asked) {
  const [shift, slots, queue] = await Promise.all([
    read(`/api/v1/shift?${shiftQuery(asked)}`),
    read("/api/v1/slots"),
    read("/api/v1/queue"),
  ]);
  // Hours of a shift are the rack's: every other time beside them is told by the same clock.
  if (shift.told) byRackClock(shift.told.now);
  return shift.error ? shift : { told: { shift: shift.told, rack: slots.told ?? null, queue: queue.told ?? null } };
}

/** The daemon tells times by the rack's own clock: they are read as they stand, wherever this screen is. */
export const dayOf = (iso) => iso.slice(0, 10);
export const clockOf = (iso) => iso.slice(11, 16);

export function spanOf({ begin, end }) {
  const same = dayOf(begin) === dayOf(end);
  return `${dayOf(begin)} ${clockOf(begin)} – ${same ? "" : `${dayOf(end)} `}${clockOf(end)} ${zone()}`;
}

/** The calendar day so many days from another. */
export function dayFrom(day, days) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}
