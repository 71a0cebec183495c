"""Two people in turn before one screen of a rack, with scanner, answer cards and keyboard."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

import anyio
from chromium import Visit
from playwright.async_api import Page
from referee import Meant, Referee, Sight, look
from scanner import scan

from benchd.domain.job import Gate
from benchd.lab.demo import lot
from benchd.lab.demo.crew import SECOND, WORKER, Member
from benchd.lab.demo.demo_rack import DemoRack, Placed

FAST_S, SLOW_S = 0.005, 0.08
FINGER_S = (0.14, 0.19, 0.11, 0.23, 0.16)
TWICE_S = 2.1
"""A reader that reads the same code again sooner has read it twice."""
WITHIN_S = 10.0
BACK_S = 5.0
SIGN = "○"


@dataclass(frozen=True)
class Asked:
    """A question that the rack asks, and how whoever stands there is going to answer it."""

    placed: Placed
    gate: Gate
    approved: bool
    by_card: bool
    imei: str
    """What the handset's own screen shows."""
    code: str
    """What is scanned to open it."""
    reads_screen: bool

    @property
    def slot(self) -> str:
        return self.placed.slot

    @property
    def who(self) -> Member:
        return SECOND if self.gate is Gate.CONFIRM else WORKER

    @property
    def note(self) -> str:
        if self.gate is Gate.NETWORK:
            return SIGN
        if self.reads_screen:
            return self.imei
        # Whoever confirms has had this handset in their hand: its code stands in the note.
        return self.code if self.gate is Gate.CONFIRM and not self.code.startswith("BD:") else ""

    @property
    def meant(self) -> Meant:
        return Meant(self.slot, self.gate, self.approved, self.who.id, self.note)


@dataclass
class AtWork:
    """What somebody does there; what is done rightly is counted."""

    seen: Visit
    rack: DemoRack
    texts: Mapping[str, str]
    referee: Referee
    with_lot: bool
    counted: Counter[str] = field(default_factory=Counter[str])
    right: bool = True
    scanned: dict[str, float] = field(default_factory=dict[str, float])
    given_at: float = 0.0

    @property
    def page(self) -> Page:
        return self.seen.page

    @property
    def takes_number_at_once(self) -> bool:
        """Whether a number that is asked for is scanned without a key before it."""
        return "answering.this_number" in self.texts

    def count(self, what: str, number: int = 1) -> None:
        if self.right:
            self.counted[what] += number

    async def look(self) -> Sight:
        return await look(self.page)

    async def until(self, holds: Callable[[Sight], object], *, within_s: float = WITHIN_S) -> Sight:
        """What is to be seen once this holds of it, or after so long."""
        until = time.monotonic() + within_s
        while True:
            sight = await self.look()
            if holds(sight) or time.monotonic() > until:
                return sight
            await anyio.sleep(0.05)

    # --- Hands.

    async def scan(self, code: str, *, key_s: float = FAST_S, again: bool = False) -> None:
        """One pull of the trigger; with `again` as it comes, else not so soon that it is one."""
        left = self.scanned.get(code, 0) + TWICE_S - time.monotonic()
        if not again and left > 0:
            await anyio.sleep(left)
        self.count("scans")
        await scan(self.seen, code, key_s=key_s, in_time=key_s > FAST_S)
        self.scanned[code] = time.monotonic()

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.count("keys")
            await self.page.keyboard.press(key)
            await anyio.sleep(FINGER_S[0])

    async def type(self, text: str) -> None:
        self.count("keys", len(text))
        for place, key in enumerate(text):
            await self.page.keyboard.press(key)
            await anyio.sleep(FINGER_S[place % len(FINGER_S)])

    async def rest(self, seconds: float = 1.2) -> None:
        """Hands off the keys, as long as whatever has come by itself takes to be read."""
        await anyio.sleep(seconds)

    # --- What the screen says.

    async def forget(self) -> None:
        await self.page.evaluate("forget()")

    async def all_told(self) -> str:
        """For whoever reads of a fault."""
        return f"{await self.look()} {await self.heard()!r}"

    async def heard(self) -> str:
        return "\n".join(await self.page.evaluate("window.heard ?? []"))

    async def told(self, *keys: str, within_s: float = 6.0) -> str | None:
        """Which of these texts of the catalogue has come since; a key may be a text itself."""
        wanted = {key: self.texts.get(key, key if "." not in key else None) for key in keys}
        until = time.monotonic() + within_s
        while True:
            heard = bare(await self.heard())
            for key, text in wanted.items():
                if text is not None and all(bare(part) in heard for part in _fixed(text)):
                    return key
            if time.monotonic() > until:
                return None
            await anyio.sleep(0.05)

    # --- What a shift is made of.

    async def sign_in(self, who: Member) -> None:
        """Badge and PIN; nobody does it twice in a sitting."""
        sight = await self.look()
        if sight.is_here(who) and sight.strong:
            return
        before = self.counted.copy()
        await self.scan(who.badge)
        sight = await self.until(lambda s: s.is_here(who))
        if not sight.strong:
            await self.to_pin()
            await self.type(who.pin)
            await self.press("Enter")
            sight = await self.until(lambda s: s.strong)
        self.referee.must(sight.is_here(who) and sight.strong, f"{who.id} can't sign in: {sight}")
        # Once a sitting is nothing of a handset's.
        self.counted, spent = before, self.counted - before
        self.counted.update({f"{what} to sign in": number for what, number in spent.items()})
        self.count("sittings")

    async def to_pin(self) -> None:
        """The page has put the cursor there; who has come another way goes there by Tab."""
        place = "#panel" if (await self.look()).slot else "#operator"
        pin = self.page.locator(f'{place} input[name="pin"]')
        await pin.wait_for(timeout=1000 * WITHIN_S)
        await pin.focus()

    async def at_the_wall(self, who: Member | None) -> None:
        """Nothing lies over the wall, nothing waits to be sent, and this one is here."""
        right, self.right = self.right, False
        sight = await self.look()
        if sight.path != "/":
            await self.seen.go("?lang=ja")
            await self.seen.live()
        for _ in range(4):
            sight = await self.look()
            if not (sight.slot or sight.dialog or sight.held):
                break
            await self.press("Escape")
            await self.rest(0.2)
        self.referee.must(
            not sight.slot and not sight.dialog, "the wall can't be reached by Escape"
        )
        self.right = right
        if who is not None:
            await self.sign_in(who)

    async def open(self, asked: Asked, code: str = "") -> bool:
        """Scan the handset's code and read what is asked; False where it isn't asked any more."""
        sight = await self.look()
        if sight.gate and not sight.ready:
            await self.until(lambda s: s.ready or not s.gate, within_s=4)
        for _ in range(2):
            await self.scan(code or asked.code)
            sight = await self.until(lambda s: s.shows(asked.slot, asked.gate))
            if sight.shows(asked.slot, asked.gate):
                return True
            await self.rest()
        return False

    async def give(self, asked: Asked) -> bool:
        """Answer what is open, as it has to be; True once it is held, and not yet sent."""
        if asked.reads_screen:
            await self.read_screen(asked)
        yes = {Gate.NETWORK: ("BD:A:CIRCLE", "o")}.get(asked.gate, ("BD:A:YES", "y"))
        card, key = yes if asked.approved else ("BD:A:NO", "n")
        if asked.by_card:
            await self.scan(card)
        else:
            await self.leave_field()
            await self.press(key)
        self.given_at = time.monotonic()
        sight = await self.until(lambda s: any(asked.slot in one for one in s.held), within_s=4)
        return len(sight.held) == 1

    async def leave_field(self) -> None:
        if await self.page.locator('#panel input[name="note"]:focus').count():
            await self.press("Tab")

    async def read_screen(self, asked: Asked) -> None:
        """The number on the handset's own screen, into the answer."""
        if asked.imei in (await self.look()).note:
            return
        if not self.takes_number_at_once:
            await self.press("i")
            await self.page.locator('#panel input[name="note"]:focus').wait_for(timeout=5000)
        await self.scan(asked.imei)
        sight = await self.until(lambda s: asked.imei in s.note)
        self.referee.must(asked.imei in sight.note, "the handset's own IMEI isn't taken")

    async def send(self, asked: Asked) -> None:
        """Let it go at once; then it was meant."""
        # Enter so soon after the key before it is a reader's.
        await self.rest(0.4)
        await self.forget()
        if asked.by_card:
            await self.scan("BD:A:NEXT")
        else:
            await self.press("Enter")
        await self.gone(asked)

    async def gone(self, asked: Asked) -> None:
        """It has been sent, and nobody is told otherwise: then it was meant."""
        sight = await self.until(lambda s: not s.held, within_s=20)
        refused = await self.told("page.not_taken", within_s=0)
        self.referee.must(not refused, f"a right answer isn't taken: {await self.all_told()}")
        self.referee.must(not sight.held, f"a right answer isn't sent: {sight}")
        self.referee.meant(asked.meant)

    async def answer(self, asked: Asked) -> None:
        """Rightly, from the handset's label to the answer that is sent."""
        if not await self.open(asked):
            self.referee.fault(
                f"{asked.slot} {asked.gate} can't be opened: {await self.all_told()}"
            )
            return
        given = await self.give(asked)
        if not given and await self.told("answering.code_first", within_s=0):
            # It was asked anew between code and card; whoever reads that scans the code again.
            given = await self.open(asked) and await self.give(asked)
        if not given:
            self.referee.fault(
                f"can't be answered: {asked} {await self.look()} {await self.heard()}"
            )
            return
        await self.send(asked)

    # --- What the rack asks.

    async def asked(self, placed: Placed, draw: Random) -> Asked | None:
        slot = self.rack.watch.slots.get(placed.slot, {})
        question = slot.get("question")
        if not isinstance(question, Mapping):
            return None
        gate = Gate(str(question["gate"]))
        imei = (await self.rack.hands.screen(placed.slot)).imei
        reads = gate is Gate.IMEI or (
            gate is Gate.OBSERVE and (self.with_lot or draw.random() < 0.5)
        )
        label = f"BD:S:{placed.slot}"
        code = lot.tag_of(placed) if self.with_lot and draw.random() < 0.5 else label
        return Asked(
            placed=placed,
            gate=gate,
            approved=placed.scenario.answers.get(gate, True),
            by_card=draw.random() < 0.5,
            imei=imei,
            code=code,
            reads_screen=reads,
        )

    async def still(self, asked: Asked) -> bool:
        slot = self.rack.watch.slots.get(asked.slot, {})
        question = slot.get("question")
        return isinstance(question, Mapping) and question["gate"] == asked.gate

    def elsewhere(self, asked: Asked) -> Placed:
        """Another handset that the rack works on."""
        others = [one for one in self.rack.placed if one.slot != asked.slot]
        working = [one for one in others if self.rack.watch.slots[one.slot]["question"]]
        return (working or others)[0]


def by_key(asked: Asked) -> Asked:
    return replace(asked, by_card=False)


def by_card(asked: Asked) -> Asked:
    return replace(asked, by_card=True)


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _fixed(text: str) -> list[str]:
    """What stands between the places that differ from case to case."""
    return re.split(r"\{\w+\}", text)
