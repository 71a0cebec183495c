// Long numbers cut so that what differs is seen: among those on the rack, "…4713" or "…23K0…".

const WHOLE = 8;
const SHORT = 4;
const LONGEST_TAIL = 6;

/** For each of the numbers that are told how it is shown among the others. */
export function cut(numbers) {
  const all = [...new Set(numbers)];
  const shown = new Map();
  for (const number of all) shown.set(number, cutOne(number, all));
  return shown;
}

function cutOne(number, all) {
  if (number.length <= WHOLE) return number;
  for (let length = SHORT; length <= LONGEST_TAIL; length += 1) {
    if (!all.some((other) => other !== number && other.endsWith(number.slice(-length)))) return `…${number.slice(-length)}`;
  }
  // Others end alike: shown is the part in which it differs from them.
  const alike = all.filter((other) => other !== number && other.endsWith(number.slice(-SHORT)));
  let from = Math.min(...alike.map((other) => sameBegin(number, other)));
  let to = number.length - Math.min(...alike.map((other) => sameBegin(turned(number), turned(other))));
  while (to - from < SHORT) {
    if (from > 0) from -= 1;
    if (to - from < SHORT && to < number.length) to += 1;
  }
  return `${from > 0 ? "…" : ""}${number.slice(from, to)}${to < number.length ? "…" : ""}`;
}

const turned = (text) => [...text].reverse().join("");

function sameBegin(one, other) {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
