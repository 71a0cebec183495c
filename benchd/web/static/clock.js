// The rack's own time: a screen whose clock is wrong still counts down to the right moment.

let ahead = 0;

/** The daemon has told its time. */
export function setRackTime(iso) {
  const told = Date.parse(iso);
  if (Number.isFinite(told)) ahead = told - Date.now();
}

/** Seconds from now until a moment of the rack's; negative once it is over, null where there is none. */
export function secondsUntil(iso) {
  const at = Date.parse(iso ?? "");
  return Number.isFinite(at) ? (at - Date.now() - ahead) / 1000 : null;
}
