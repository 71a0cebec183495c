"""What a seed draws: a rack at work, who visits it, and what goes wrong with its machine."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchd.lab.adversity.kinds import ChipState, Owner
from benchd.lab.adversity.schedule import BayPlan, HandsetPlan

WORK_S: Final = 330.0
"""About as long as two handsets take in a calm."""
MOST_STRIKES: Final = 7


class Kind(StrEnum):
    """What strikes."""

    PAGES = "anonymous connections ask for pages"
    SIGN_INS = "somebody signs in wrongly"
    STREAMS = "anonymous event streams are held"
    SLOW_READERS = "answers are read slowly"
    HALVES = "halves of requests are sent"
    HANG_UPS = "answers are left in the middle"
    SOCKET = "a local program asks over the Unix socket"
    PAPERS = "two read no papers that they asked for"
    UNERASABLE = "two say at once that an asset can't be erased"
    LABELS = "two labels are bound to one slot at once"
    WITHDRAWN = "an attestation is withdrawn"
    RELOAD = "SIGHUP"
    BAD_RELOAD = "SIGHUP, and a plug-in raises"
    LOCK = "another process locks the ledger"
    SLOW_DISK = "reads of the ledger are slow"
    FULL_DISK = "the disk is full"
    DESCRIPTORS = "no descriptor is left"
    CLOCK = "the clock is set back"
    CLOCK_CREEPS = "the clock is set back a little, again and again"
    WORKER = "the reader worker is stopped"
    BACKUP = "a backup is written"
    HUNG_WALK = "a walk along the ledger hangs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One of them."""

    at_s: float
    kind: Kind
    count: int = 1
    lasts_s: float = 0.0
    much: float = 0.0
    """What the kind has a measure for: seconds of a read, of the clock."""
    near: bool = False
    """Whether it comes from where people of the shop come from, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """A rack and what it goes through."""

    seed: int
    bays: tuple[BayPlan, ...]
    strikes: tuple[Strike, ...]
    next_release: bool = False
    """Whether its ledger has a record that only the next release understands."""
    unanswered: bool = False
    """Whether the first slot's last question stays open until the daemon is told to end."""
    signals: int = 1
    """How often it's told to end."""

    def has(self, kind: Kind) -> bool:
        """Whether it strikes."""
        return any(strike.kind is kind for strike in self.strikes)


LOCKED: Final = HandsetPlan(owner=Owner.LOCKED, tells_imei=True)
"""Is refused at once, so that there is something to show of it while the others work."""
HANDSETS: Final = (
    HandsetPlan(),
    HandsetPlan(owner=Owner.APPS, tells_imei=True, chip=ChipState.IN_USE),
    HandsetPlan(tells_imei=True, chip=ChipState.IN_USE),
)
RACKS: Final = (
    (HANDSETS[1],),
    (LOCKED, HANDSETS[1]),
    (LOCKED, HANDSETS[0], HANDSETS[2]),
    (HANDSETS[0], HANDSETS[1]),
    (HANDSETS[1], HANDSETS[2]),
    (HANDSETS[1], HANDSETS[0], HANDSETS[2]),
)
"""A handful of slots: what visitors do to one they do to sixty-four, in virtual time."""


def draw(seed: int) -> Storm:
    """The storm of a seed, the same whenever it is drawn."""
    chance = random.Random(f"storm {seed}")  # noqa: S311 - the seed has to give the same again
    handsets = chance.choice(RACKS)
    kinds = chance.sample(list(DRAWS), k=chance.randint(2, MOST_STRIKES))
    strikes = [DRAWS[kind](chance) for kind in kinds]
    return Storm(
        seed=seed,
        bays=tuple(
            BayPlan(slot=f"A{number}", handset=handset)
            for number, handset in enumerate(handsets, start=1)
        ),
        strikes=tuple(sorted(strikes, key=lambda strike: strike.at_s)),
        next_release=chance.random() < 0.15,
        unanswered=chance.random() < 0.3,
        signals=chance.choice((1, 1, 2)),
    )


def _draw_of(
    kind: Kind,
    *,
    count: Sequence[int] = (1,),
    lasts_s: Sequence[float] = (0.0,),
    much: Sequence[float] = (0.0,),
    within: tuple[float, float] = (1.0, WORK_S),
) -> Callable[[random.Random], Strike]:
    def drawn(chance: random.Random) -> Strike:
        return Strike(
            at_s=round(chance.uniform(*within), 1),
            kind=kind,
            count=chance.choice(count),
            lasts_s=chance.choice(lasts_s),
            much=chance.choice(much),
            near=chance.random() < 0.5,
        )

    return drawn


DRAWS: Final = {
    Kind.SOCKET: _draw_of(Kind.SOCKET, count=(4, 40, 70), lasts_s=(10.0, 20.0)),
    Kind.PAPERS: _draw_of(Kind.PAPERS),
    Kind.UNERASABLE: _draw_of(Kind.UNERASABLE),
    Kind.LABELS: _draw_of(Kind.LABELS, within=(1.0, 60.0)),
    Kind.WITHDRAWN: _draw_of(
        Kind.WITHDRAWN, lasts_s=(0.0, 30.0), much=(5.0, 25.0, 40.0), within=(1.0, 60.0)
    ),
    Kind.WORKER: _draw_of(Kind.WORKER),
    Kind.BACKUP: _draw_of(Kind.BACKUP),
    Kind.HUNG_WALK: _draw_of(Kind.HUNG_WALK),
    Kind.PAGES: _draw_of(Kind.PAGES, count=(12, 60, 192), lasts_s=(5.0, 20.0)),
    Kind.SIGN_INS: _draw_of(Kind.SIGN_INS, count=(4, 8, 25)),
    Kind.STREAMS: _draw_of(Kind.STREAMS, count=(20, 60, 200), lasts_s=(20.0, 60.0)),
    Kind.SLOW_READERS: _draw_of(Kind.SLOW_READERS, count=(4, 16, 70), lasts_s=(20.0, 60.0)),
    Kind.HALVES: _draw_of(Kind.HALVES, count=(10, 100, 200), lasts_s=(15.0, 40.0)),
    Kind.HANG_UPS: _draw_of(Kind.HANG_UPS, count=(10, 40)),
    Kind.LOCK: _draw_of(Kind.LOCK, lasts_s=(0.2, 1.5, 6.0)),
    Kind.SLOW_DISK: _draw_of(Kind.SLOW_DISK, lasts_s=(20.0, 60.0), much=(0.1, 0.8, 14.0)),
    Kind.FULL_DISK: _draw_of(Kind.FULL_DISK, lasts_s=(30.0, 90.0)),
    Kind.DESCRIPTORS: _draw_of(Kind.DESCRIPTORS, lasts_s=(5.0, 25.0)),
    Kind.RELOAD: _draw_of(Kind.RELOAD, count=(1, 2, 5)),
    Kind.BAD_RELOAD: _draw_of(Kind.BAD_RELOAD),
    Kind.CLOCK: _draw_of(Kind.CLOCK, much=(3.0, 600.0)),
    Kind.CLOCK_CREEPS: _draw_of(Kind.CLOCK_CREEPS, count=(3, 8), much=(0.4, 0.9)),
}
