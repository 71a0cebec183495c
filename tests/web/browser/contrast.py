"""Contrast of each word on a page: as axe tells it, and measured wherever axe can't.

axe goes by computed colours. It doesn't look at a pseudo-element or a placeholder, nor at what is
scrolled away or can't be pressed: these are decided here by the same rule. Over a gradient or a
picture, under whatever overlaps, and of an SVG nobody can tell by colours: such words are painted
in a colour that nothing else has, without their letters, and as they are. Each pixel of a letter
is then held against what was beneath it.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from PIL import Image
from playwright.async_api import FloatRect, Page

WORDS = r"""
const PAINTS = {
  bare: "-webkit-text-fill-color: transparent !important;",
  marked: "-webkit-text-fill-color: #f0f !important; -webkit-text-stroke: 1px #f0f !important;",
  shown: "-webkit-text-fill-color: currentcolor !important;"
    + " -webkit-text-stroke: 1px currentcolor !important;",
};
const FILLS = { bare: "transparent", marked: "#f0f" };
const PARTS = { text: "", before: "::before", after: "::after", placeholder: "::placeholder" };
const SAYS_NOTHING = "option, title, desc, style, script, noscript, "
  + "input:is([type=checkbox], [type=radio], [type=hidden])";
const SHEET = new CSSStyleSheet();

window.contrast = {
  left: [], taken: [], moved: new Map(),

  /* Each word that is shown in here: its element, and which part of that says it. */
  *words(scope) {
    for (const element of [scope, ...scope.querySelectorAll("*")]) {
      const seen = { opacityProperty: true, visibilityProperty: true };
      if (element.matches(SAYS_NOTHING) || !element.checkVisibility(seen)) continue;
      for (const part of Object.keys(PARTS)) {
        const word = { element, part };
        if (this.text(word) && this.rects(word, false).length) yield word;
      }
    }
  },

  text({ element, part }) {
    const style = getComputedStyle(element, PARTS[part] || null);
    const field = element.matches("input, textarea");
    if (/, 0\)$/.test(style.webkitTextFillColor)) return "";
    if (part === "placeholder") return field && !element.value ? element.placeholder.trim() : "";
    if (part !== "text") return /"[^"]*[^"\s][^"]*"/.exec(style.content)?.[0] ?? "";
    return (field ? element.value : this.nodes(element).map(node => node.data).join("")).trim();
  },

  nodes: element => [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE),

  /* Where it stands, as far as nothing cuts it off; `now` leaves out what is scrolled away. */
  rects({ element, part }, now = true) {
    let all = [element.getBoundingClientRect()];
    if (part === "text" && !element.matches("input, textarea")) {
      all = this.nodes(element).flatMap(node => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return [...range.getClientRects()];
      });
    }
    const frames = now ? [{ left: 0, top: 0, right: innerWidth, bottom: innerHeight }] : [];
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const cuts = now ? /hidden|clip|auto|scroll/ : /hidden|clip/;
      if (!at.clientWidth || !cuts.test(getComputedStyle(at).overflow)) continue;
      const box = at.getBoundingClientRect();
      const [left, top] = [box.left + at.clientLeft, box.top + at.clientTop];
      frames.push({ left, top, right: left + at.clientWidth, bottom: top + at.clientHeight });
    }
    return all.map(rect => ({
      left: Math.max(rect.left, ...frames.map(one => one.left)),
      top: Math.max(rect.top, ...frames.map(one => one.top)),
      right: Math.min(rect.right, ...frames.map(one => one.right)),
      bottom: Math.min(rect.bottom, ...frames.map(one => one.bottom)),
    })).filter(rect => rect.right - rect.left >= 2 && rect.bottom - rect.top >= 2);
  },

  /* Scrolls whatever scrolls, so that it is seen. */
  bring(word) {
    for (let at = word.element.parentElement; at; at = at.parentElement) {
      const root = at === document.scrollingElement;
      if (!root && !/auto|scroll/.test(getComputedStyle(at).overflow)) continue;
      const [rect] = this.rects(word, false);
      const whole = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
      const box = root ? whole : at.getBoundingClientRect();
      if (!this.moved.has(at)) this.moved.set(at, [at.scrollLeft, at.scrollTop]);
      if (rect.top < box.top || rect.bottom > box.bottom)
        at.scrollTop += (rect.top + rect.bottom - box.top - box.bottom) / 2;
      if (rect.left < box.left || rect.right > box.right)
        at.scrollLeft += (rect.left + rect.right - box.left - box.right) / 2;
    }
  },

  /* The words that are on the screen now; the first one is brought there. */
  next() {
    const [first] = this.left;
    if (!first) return null;
    this.bring(first);
    const area = rects => rects.reduce(
      (sum, one) => sum + (one.right - one.left) * (one.bottom - one.top), 0);
    const seen = word => word.part === first.part
      && area(this.rects(word)) >= 0.9 * area(this.rects(word, false));
    this.taken = this.left.filter(word => word === first || seen(word));
    this.left = this.left.filter(word => !this.taken.includes(word));
    return this.told();
  },

  told() {
    return this.taken.map(word => ({
      name: this.name(word), text: this.text(word), rects: this.rects(word),
      hidden: this.hidden(word), least: word.least, why: word.why,
    }));
  },

  /* Whether something else lies over all of it, that nothing is seen through. */
  hidden(word) {
    const opaque = at => at && !at.contains(word.element) && (
      axe.commons.color.getOwnBackgroundColor(getComputedStyle(at)).alpha === 1
      || opaque(at.parentElement));
    return this.rects(word).every(({ left, top, right, bottom }) =>
      [[left + 1, top + 1], [(left + right) / 2, (top + bottom) / 2], [right - 1, bottom - 1]]
        .every(([x, y]) => opaque(document.elementFromPoint(x, y))));
  },

  name: ({ element, part }) => [element.parentElement, element].map(one => one.localName
    + (one.id && `#${one.id}`) + [...one.classList].map(it => `.${it}`).join("")).join(" > ")
    + PARTS[part],

  paint(how) {
    const sheets = document.adoptedStyleSheets;
    if (!sheets.includes(SHEET)) sheets.push(SHEET);
    const [{ part }] = this.taken;
    const all = "*, *::before, *::after, *::placeholder";
    const [base, rest] = part === "text"
      ? [how, how in FILLS ? `svg text { fill: ${FILLS[how]} !important; }` : ""]
      : ["bare", `*${PARTS[part]} { ${PAINTS[how]} }`];
    const plain = "text-decoration-color: transparent !important;";
    SHEET.replaceSync(`${all} { ${plain} ${PAINTS[base]} } ${rest}`);
  },

  /* As it was. */
  end() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(one => one !== SHEET);
    for (const [element, [left, top]] of this.moved) element.scrollTo(left, top);
    this.moved.clear();
  },

  /* The contrast of what axe doesn't look at, if nothing but flat colours is beneath it. */
  flat({ element, part }) {
    const { Color, getContrast, getOwnBackgroundColor } = axe.commons.color;
    const ink = new Color().parseString(
      getComputedStyle(element, PARTS[part] || null).webkitTextFillColor);
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const plain = style.opacity === "1" && [style.backgroundImage, style.filter, style.maskImage]
        .every(value => value === "none");
      if (!plain || ink.alpha < 1 || at.localName === "svg") return undefined;
      const ground = getOwnBackgroundColor(style);
      if (ground.alpha === 1) return getContrast(ground, ink);
      if (ground.alpha > 0 || /absolute|fixed/.test(style.position)) return undefined;
    }
    return undefined;
  },

  /* Holds what axe has decided against `leastOf`; the other words are left to be measured. */
  hold(scope, axe, leastOf) {
    const [ratios, whys] = [new Map(), new Map()];
    for (const told of [axe.passes, axe.incomplete, axe.violations]) {
      const { nodes = [] } = told.find(({ id }) => id === "color-contrast") ?? {};
      for (const { element, any } of nodes) {
        const { contrastRatio, messageKey } = any.at(0)?.data ?? {};
        if (told === axe.violations) ratios.set(element, Infinity);
        else if (told === axe.passes && contrastRatio) ratios.set(element, contrastRatio);
        else whys.set(element, messageKey ?? "unknown");
      }
    }
    const words = [...this.words(scope)].map(word => {
      // Of letters in a picture axe knows the colour of their element, not what fills them.
      const looked = word.part === "text" && !word.element.closest("svg");
      const [ratio, why] = [ratios, whys].map(of => looked && of.get(word.element));
      const known = ratio || (why ? undefined : this.flat(word));
      return { ...word, ratio: known, least: leastOf(word.element), why: why ?? "" };
    });
    this.left = words.filter(({ ratio }) => ratio === undefined);
    return words.filter(({ ratio, least }) => ratio < least)
      .map(word => `contrast ${word.ratio.toFixed(2)}: ${this.name(word)} ${this.text(word)}`);
  },
};
"""
"""What a page needs for it, run before its own scripts."""

MARK = (255, 0, 255)
WHOLE = 0.98
"""Of the most that a letter covers of any pixel: its edges are blended with what is beneath."""
TRIES = 5
"""A clock may go on between two pictures; then they are taken again."""

Colour = tuple[int, ...]


@cache
def _luminance(colour: Colour) -> float:
    """The relative luminance, as WCAG 2 defines it."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (one / 255 for one in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@cache
def _away(one: Colour, other: Colour) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


def worst(painted: Iterable[tuple[Colour, Colour, Colour]]) -> float | None:
    """The least contrast of any pixel: as marked, bare and shown; None if no letter is there."""
    covered = [
        (_away(marked, bare) / _away(MARK, bare), bare, shown)
        for marked, bare, shown in painted
        if marked != bare
    ]
    most = max((share for share, _, _ in covered), default=0.0)
    if most < 0.1:
        return None
    return min(contrast(bare, shown) for share, bare, shown in covered if share >= WHOLE * most)


@asynccontextmanager
async def _painting(page: Page) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await page.evaluate("contrast.end()")


async def _picture(page: Page, how: str, clip: FloatRect) -> Image.Image:
    await page.evaluate("how => contrast.paint(how)", how)
    taken = await page.screenshot(clip=clip, animations="disabled")
    return Image.open(io.BytesIO(taken)).convert("RGB")


def _around(rects: Sequence[dict[str, float]]) -> FloatRect:
    left, top = (int(min(rect[side] for rect in rects)) for side in ("left", "top"))
    right, bottom = (max(rect[side] for rect in rects) for side in ("right", "bottom"))
    return {"x": left, "y": top, "width": int(right - left) + 1, "height": int(bottom - top) + 1}


def _pixels(
    pictures: Sequence[Image.Image], rects: Sequence[dict[str, float]], clip: FloatRect
) -> Counter[tuple[Colour, Colour, Colour]]:
    found: Counter[tuple[Colour, Colour, Colour]] = Counter()
    for rect in rects:
        box = (
            max(0, round(rect["left"] - clip["x"])),
            max(0, round(rect["top"] - clip["y"])),
            min(pictures[0].width, round(rect["right"] - clip["x"])),
            min(pictures[0].height, round(rect["bottom"] - clip["y"])),
        )
        parts: list[Any] = [one.crop(box).get_flattened_data() for one in pictures]
        found.update(zip(*parts, strict=True))
    return found


async def measured(page: Page) -> list[str]:
    """What of the words that axe hasn't decided is too faint, or couldn't be measured."""
    faint: list[str] = []
    async with _painting(page):
        while (words := await page.evaluate("contrast.next()")) is not None:
            faint += await _batch(page, words)
    return faint


async def _batch(page: Page, words: list[dict[str, Any]]) -> list[str]:
    for _ in range(TRIES):
        rects = [rect for word in words for rect in word["rects"]]
        if not rects:
            break
        clip = _around(rects)
        pictures = [await _picture(page, how, clip) for how in ("marked", "bare", "shown")]
        again = await page.evaluate("contrast.told()")
        if again == words:
            return [
                told
                for word in words
                if (told := _judged(word, worst(_pixels(pictures, word["rects"], clip))))
            ]
        words = again
    return [f"not measured: {word['name']} {word['text'][:30]!r}" for word in words]


def _judged(word: dict[str, Any], ratio: float | None) -> str | None:
    if ratio is None and word["hidden"]:
        return None
    if ratio is None:
        return f"not to be seen: {word['name']} {word['text'][:30]!r} {word['why']}"
    if ratio < word["least"]:
        return f"contrast {ratio:.2f}, measured: {word['name']} {word['text'][:30]!r} {word['why']}"
    return None
