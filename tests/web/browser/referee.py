"""Who says afterwards whether the rack has on record what people have answered, and nothing else.

Knows no code of the page: only what was on the screen as somebody sees it, what they pressed and
scanned meanwhile, and what the daemon's API tells of its records in the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from chromium import Visit
from playwright.async_api import Page, Request

from benchd.lab.demo.crew import Member

MAY_SIGN_IN = "/api/v1/session"

HEARS = """
  window.heard = [];
  let stood = new WeakMap();
  const PLACES = '[role=alert], [role=status], .answers button, .star, #page p';
  const places = () => document.querySelectorAll(PLACES);
  window.forget = () => {
    window.heard = [];
    stood = new WeakMap([...places()].map((place) => [place, place.innerText]));
  };
  // What only goes elsewhere with the words that stood in it already tells nothing.
  const hear = (place, moved) => {
    if (!place.checkVisibility() || !place.innerText.trim()) return;
    if (moved && stood.get(place) === place.innerText) return;
    window.heard.push(place.innerText);
  };
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      const within = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      const place = within?.closest(PLACES);
      if (place) hear(place, false);
      for (const added of addedNodes)
        if (added.nodeType === Node.ELEMENT_NODE)
          for (const each of [added, ...added.querySelectorAll(PLACES)])
            if (each.matches(PLACES)) hear(each, true);
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });
  new MutationObserver((changes) => {
    for (const { target, oldValue } of changes)
      if (target.localName === 'dialog' && oldValue === null && target.open)
        window.tellDialog?.();
  }).observe(document, { attributeFilter: ['open'], attributeOldValue: true, subtree: true });
"""
"""Run before a page's own scripts: keeps each text that comes where people are told something."""

LOOK = """() => {
  const panel = document.querySelector('#panel');
  const asked = panel?.open ? panel.querySelector('[data-gate]') : null;
  const buttons = [...(asked?.querySelectorAll('.answers button') ?? [])];
  const heading = panel?.open ? panel.querySelector('h2')?.innerText.trim() : null;
  return {
    slot: /^[A-Z]\\d+/.exec(heading ?? '')?.[0] ?? '',
    gate: asked?.dataset.gate ?? '',
    ready: buttons.some((one) => !one.disabled),
    note: asked?.querySelector('input[name=note]')?.value ?? '',
    held: [...document.querySelectorAll('#given li')].map((one) => one.innerText),
    dialog: document.querySelector('dialog[open]:not(#panel)')?.id ?? '',
    who: (document.querySelector('#operator .who')?.innerText ?? '').normalize('NFKC'),
    strong: document.querySelector('#operator [data-here=strong]') !== null,
    path: location.pathname,
  };
}"""
"""What somebody sees who stands before the page."""

IN_CLEAR = """() => {
  const fields = [...document.querySelectorAll('input:not([type=password]), textarea')];
  const kept = [...Object.values(sessionStorage), ...Object.values(localStorage)];
  return [...fields.map((one) => one.value), ...kept, document.body.innerText, location.href];
}"""
"""Everything in which a secret could be read."""


@dataclass(frozen=True)
class Sight:
    """What is on the screen."""

    slot: str
    gate: str
    ready: bool
    note: str
    held: list[str]
    dialog: str
    who: str
    strong: bool
    path: str

    def is_here(self, who: Member) -> bool:
        return self.who == normalize("NFKC", who.name)

    def shows(self, slot: str, gate: str) -> bool:
        """Whether this question is there, and may be answered."""
        return self.slot == slot and self.gate == gate and self.ready


async def look(page: Page) -> Sight:
    return Sight(**await page.evaluate(LOOK))


@dataclass(frozen=True)
class Meant:
    """An answer that somebody has given to the question before their eyes, and let go."""

    slot: str
    gate: str
    approved: bool
    person: str
    note: str


@dataclass
class Referee:
    """Keeps what was meant, and each fault that was seen on the way."""

    secrets: Mapping[str, str]
    """By what they are called where one is found."""
    answers: list[Meant] = field(default_factory=list[Meant])
    faults: list[str] = field(default_factory=list[str])
    doing: str = "right"

    def meant(self, answer: Meant) -> None:
        self.answers.append(answer)

    def fault(self, what: str) -> None:
        self.faults.append(f"{self.doing}: {what}")

    def must(self, holds: object, what: str) -> None:
        if not holds:
            self.fault(what)

    def watch(self, seen: Visit) -> None:
        """Have each request of this window, and of any other beside it, read."""
        seen.page.context.on("request", self._read)

    def _read(self, request: Request) -> None:
        asked = request.url + (request.post_data or "")
        for name, secret in self.secrets.items():
            signs_in = request.method == "POST" and request.url.endswith(MAY_SIGN_IN)
            if secret in asked and (not signs_in or secret in request.url):
                self.fault(f"{name} went to {request.method} {request.url.split('?')[0]}")

    async def search(self, page: Page) -> None:
        """Whether anybody could read a secret there."""
        told = " ".join(await page.evaluate(IN_CLEAR))
        for name, secret in self.secrets.items():
            self.must(secret not in told, f"{name} stands on the page in clear")

    def compare(self, recorded: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[str]:
        """What is on record, by slot, beside what was meant: nothing more, nothing less."""
        found = Counter(
            Meant(slot, one["gate"], one["approved"], one["person"], one["note"])
            for slot, decisions in recorded.items()
            for one in decisions
        )
        meant = Counter(self.answers)
        lost = [f"lost: {one}" for one in (meant - found).elements()]
        return lost + [f"sent unasked: {one}" for one in (found - meant).elements()]


def secrets_of(*crew: Member) -> dict[str, str]:
    badges = {f"{one.id}'s badge": one.badge for one in crew}
    return badges | {f"{one.id}'s PIN": one.pin for one in crew}
