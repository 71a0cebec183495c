"""What a seed means: the same schedule for as long as this file stays as it is."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final, TypeVar

from benchd.lab.adversity.hands import AWAY
from benchd.lab.adversity.ledger import KEPT
from benchd.lab.adversity.schedule import (
    MENDS_ITSELF,
    BayPlan,
    Blow,
    ChipState,
    HandsetPlan,
    Kind,
    Lie,
    Owner,
    Schedule,
)
from benchd.words.job import Gate, StageName

T = TypeVar("T")

CALLS: Final = (
    "identity",
    "inspect",
    "reset_facts",
    "enable_test_harness",
    "fill",
    *["fill_step"] * 4,
    "check",
    "check",
    "sample",
    "drop",
    "drop_tail",
    "battery",
    "scan",
    "clear",
)
"""Where a handset or a reader can be struck in the middle of what it's asked for."""
_ALWAYS_ASKED: Final = (Gate.CONSENT, Gate.NETWORK, Gate.FINAL_RESET, Gate.OBSERVE, Gate.CONFIRM)
ASKED: Final = tuple(f"asked:{gate}" for gate in (*_ALWAYS_ASKED, Gate.FELICA_CHECK))
ANSWERED: Final = tuple(f"answered:{gate}" for gate in _ALWAYS_ASKED)
_RECORDS: Final = (
    "job_opened",
    "job_ended",
    *[f"{kind}:{stage}" for kind in ("stage_started", "stage_ended") for stage in StageName],
)
RECORDS: Final = (*_RECORDS, *[KEPT + record for record in _RECORDS])
_SECONDS: Final = (0.05, 1.0, 5.0, 25.0, 45.0, 90.0, 400.0)
_OF_CALLS: Final = frozenset({Kind.TRANSIENT, Kind.GONE, Kind.HANG})
_OF_LEDGER: Final = frozenset({Kind.LEDGER_SLOW})
_MISTAKES: Final = (Kind.WRONG_ANSWER, Kind.RACING_ANSWERS, Kind.NO_RESET)
_WEIGHTS: Final = {
    Kind.PULL: 4,
    Kind.SWAP: 6,
    Kind.EXCHANGE: 3,
    Kind.TRANSIENT: 4,
    Kind.GONE: 3,
    Kind.SERVER_DEATH: 2,
    Kind.CRASH: 2,
    Kind.CRASH_SWAP: 2,
}
_OWNERS: Final = {Owner.RESET: 10, Owner.PHOTOS: 3, Owner.APPS: 6, Owner.LOCKED: 1}
_CHIPS: Final = {ChipState.UNUSED: 6, ChipState.IN_USE: 3, ChipState.ABSENT: 1}
_MOST_BLOWS: Final = 4
_LARGEST_JUMP_S: Final = 200_000.0


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(seed)  # noqa: S311 - the seed has to give the same again
    count = chance.choice((1, 2, 2, 3))
    bays = [_bay(chance, f"A{number}", first=number == 1) for number in range(1, count + 1)]
    bays = _share_a_donor(bays)
    blows = [blow for bay in bays for blow in _blows(chance, bay, alone=count == 1)]
    return Schedule(seed=seed, bays=tuple(bays), blows=tuple(blows))


def _share_a_donor(bays: list[BayPlan]) -> list[BayPlan]:
    """One donor chip alone can't be told from a handset's own: it lies under two, or under none."""
    donors = [bay for bay in bays if bay.handset.lie is Lie.DONOR]
    return bays if len(donors) != 1 else [_honest(bay) if bay in donors else bay for bay in bays]


def _honest(bay: BayPlan) -> BayPlan:
    plan = HandsetPlan(owner=bay.handset.owner, chip=bay.handset.chip)
    return BayPlan(slot=bay.slot, handset=plan, reader=bay.reader, waits=bay.waits)


def _bay(chance: random.Random, slot: str, *, first: bool) -> BayPlan:
    lies = [lie for lie in Lie if lie is not Lie.NOTHING]
    lie = chance.choice([*lies, Lie.DONOR, Lie.DONOR]) if chance.random() < 0.3 else Lie.NOTHING
    needs_chip = lie in (Lie.DONOR, Lie.PROVIDER, Lie.BASELINE)
    chip = ChipState.IN_USE if needs_chip else _weighted(chance, _CHIPS)
    # That there is no chip, a reader has to have heard: without one it's held, honest or not.
    reader = needs_chip or chip is ChipState.ABSENT or chance.random() < 0.5
    return BayPlan(
        slot=slot,
        handset=HandsetPlan(
            owner=_weighted(chance, _OWNERS),
            chip=chip,
            lie=lie,
            tells_imei=lie is Lie.IMEI or chance.random() < 0.5,
            hostile_words=chance.random() < 0.1,
        ),
        visitor=HandsetPlan(
            owner=_weighted(chance, _OWNERS),
            chip=_weighted(chance, _CHIPS),
            tells_imei=chance.random() < 0.5,
            set_up=chance.random() < 0.5,
        ),
        visitor_is_twin=chance.random() < 0.7,
        twin_of_first=not first and chance.random() < 0.3,
        reader=reader,
        waits=chance.random() < 0.5,
        lax_recipe=chance.random() < 0.08,
    )


def _blows(chance: random.Random, bay: BayPlan, *, alone: bool) -> list[Blow]:
    """Half of the slots meet only what mends itself."""
    gentle = chance.random() < 0.5
    kinds = [kind for kind in Kind if kind in MENDS_ITSELF or not gentle]
    kinds = [kind for kind in kinds if not (alone and kind is Kind.EXCHANGE)]
    blows: list[Blow] = []
    for _ in range(chance.randint(0, _MOST_BLOWS)):
        [kind] = chance.choices(kinds, [_WEIGHTS.get(kind, 1) for kind in kinds])
        if kind in _MISTAKES:
            # One person errs once: two who err together are trusted, and said to be.
            kinds = [each for each in kinds if each not in _MISTAKES]
        blows.append(_blow(chance, bay.slot, kind))
    return blows


def _blow(chance: random.Random, slot: str, kind: Kind) -> Blow:
    lasts_s = chance.choice(_SECONDS)
    if kind is Kind.CLOCK_JUMP:
        lasts_s = chance.uniform(-_LARGEST_JUMP_S, _LARGEST_JUMP_S)
    point = _point(chance, kind)
    often = point in ("fill_step", "sample", "reset_facts")
    nth = chance.randint(1, 6) if often else chance.choice((1, 1, 1, 2))
    return Blow(slot=slot, point=point, nth=nth, kind=kind, lasts_s=lasts_s)


def _point(chance: random.Random, kind: Kind) -> str:
    if kind is Kind.NO_RESET:
        return f"asked:{Gate.FINAL_RESET}"
    if kind is Kind.SAME_PERSON:
        return f"asked:{Gate.CONFIRM}"
    if kind in _MISTAKES:
        return chance.choice(ASKED)
    if kind in _OF_CALLS:
        return chance.choice(CALLS)
    if kind in _OF_LEDGER:
        return chance.choice(_RECORDS)
    groups = (CALLS, CALLS, ASKED, ANSWERED, RECORDS, (AWAY,))
    return chance.choice(chance.choice(groups))


def _weighted(chance: random.Random, weights: Mapping[T, int]) -> T:
    [drawn] = chance.choices(list(weights), list(weights.values()))
    return drawn
