"""What a seed means: the same schedule for as long as this file stays as it is."""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from benchd.domain.job import Gate
from benchd.lab.adversity.added import with_added
from benchd.lab.adversity.drawn_hands import AWAY
from benchd.lab.adversity.fresh_pictures import with_pictures
from benchd.lab.adversity.kinds import ADDED, MENDS_ITSELF, ChipState, Kind, Lie, Owner, Radio
from benchd.lab.adversity.schedule import BayPlan, Blow, HandsetPlan, Schedule
from benchd.lab.adversity.where import ANSWERED, ASKED, CALLS, RECORDS, SECONDS, STAGE_RECORDS

T = TypeVar("T")

_OF_CALLS: Final = frozenset({Kind.TRANSIENT, Kind.GONE, Kind.HANG})
_OF_LEDGER: Final = frozenset({Kind.LEDGER_SLOW})
_MISTAKES: Final = (Kind.WRONG_ANSWER, Kind.RACING_ANSWERS, Kind.NO_RESET)
_AT: Final = {
    Kind.NO_RESET: f"asked:{Gate.FINAL_RESET}",
    Kind.SAME_PERSON: f"asked:{Gate.CONFIRM}",
}
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


class Phase(StrEnum):
    """Near what most blows strike a slot: two in one phase do what neither does alone."""

    ANY = "any"
    OVERWRITE = "overwrite"
    READ_BACK = "read_back"
    END = "end"


_PHASES: Final = {Phase.ANY: 3, Phase.OVERWRITE: 4, Phase.READ_BACK: 1, Phase.END: 3}
_POINTS_OF: Final[Mapping[Phase, tuple[str, ...]]] = {
    Phase.ANY: (),
    Phase.OVERWRITE: ("fill", *["fill_step"] * 6, "battery", "stage_started:overwrite"),
    Phase.READ_BACK: ("check", "check", "sample", "drop_tail", "drop", "scan", "clear"),
    Phase.END: (
        *["asked:final_reset", "answered:final_reset", AWAY],
        *["asked:observe", "answered:observe"],
        *["asked:imei", "answered:imei"],
    ),
}
_NEAR_SHARE: Final = 0.85
_WEIGHTS_IN_OVERWRITE: Final = _WEIGHTS | {Kind.SWAP: 14, Kind.TRANSIENT: 8, Kind.PULL: 8}
_OWNERS: Final = {Owner.RESET: 10, Owner.PHOTOS: 3, Owner.APPS: 6, Owner.LOCKED: 1}
_VISITING_OWNERS: Final = {Owner.RESET: 1, Owner.PHOTOS: 1, Owner.APPS: 1, Owner.LOCKED: 7}
_CHIPS: Final = {ChipState.UNUSED: 6, ChipState.IN_USE: 3, ChipState.ABSENT: 1}
_RADIOS: Final = {Radio.SILENCES: 3, Radio.APART: 1, Radio.REFUSES: 1}
_MOST_BLOWS: Final = 4
_LARGEST_JUMP_S: Final = 200_000.0


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(seed)  # noqa: S311 - the seed has to give the same again
    count = chance.choice((1, 2, 2, 3))
    phases = [_weighted(chance, _PHASES) for _ in range(count)]
    bays = _share_a_donor(
        [_bay(chance, number, phase) for number, phase in enumerate(phases, start=1)]
    )
    blows = [
        blow
        for bay, phase in zip(bays, phases, strict=True)
        for blow in _blows(chance, bay, phase, alone=count == 1)
    ]
    schedule = with_added(Schedule(seed=seed, bays=tuple(bays), blows=tuple(blows)))
    return with_pictures(schedule)


def _share_a_donor(bays: list[BayPlan]) -> list[BayPlan]:
    """One donor chip alone can't be told from a handset's own: it lies under two, or under none."""
    donors = [bay for bay in bays if bay.handset.lie is Lie.DONOR]
    return bays if len(donors) != 1 else [_honest(bay) if bay in donors else bay for bay in bays]


def _honest(bay: BayPlan) -> BayPlan:
    plan = HandsetPlan(owner=bay.handset.owner, chip=bay.handset.chip)
    return BayPlan(slot=bay.slot, handset=plan, reader=bay.reader, waits=bay.waits)


def _bay(chance: random.Random, number: int, phase: Phase) -> BayPlan:
    """Whoever is swapped in mid-overwrite is caught by many things: seldom are all of them away."""
    at_fill = phase is Phase.OVERWRITE
    lies = [lie for lie in Lie if lie is not Lie.NOTHING]
    lie = chance.choice([*lies, Lie.DONOR, Lie.DONOR]) if chance.random() < 0.3 else Lie.NOTHING
    needs_chip = lie in (Lie.DONOR, Lie.PROVIDER, Lie.BASELINE)
    chip = ChipState.IN_USE if needs_chip else _weighted(chance, _CHIPS)
    if lie is Lie.CARD:
        chip = ChipState.UNUSED
    # That there is no chip, a reader has to have heard: without one it's held, honest or not.
    needs_reader = needs_chip or lie is Lie.CARD or chip is ChipState.ABSENT
    reader = needs_reader or chance.random() < (0.1 if at_fill else 0.5)
    return BayPlan(
        slot=f"A{number}",
        handset=HandsetPlan(
            owner=_weighted(chance, _OWNERS),
            chip=chip,
            lie=lie,
            tells_imei=lie is Lie.IMEI or chance.random() < (0.1 if at_fill else 0.5),
            hostile_words=chance.random() < 0.1,
            radio=_weighted(chance, _RADIOS),
        ),
        visitor=HandsetPlan(
            owner=_weighted(chance, _VISITING_OWNERS if at_fill else _OWNERS),
            chip=_weighted(chance, _CHIPS),
            tells_imei=chance.random() < 0.5,
            radio=_weighted(chance, _RADIOS),
            set_up=at_fill or chance.random() < 0.5,
        ),
        visitor_is_twin=chance.random() < (0.95 if at_fill else 0.7),
        twin_of_first=number > 1 and chance.random() < 0.3,
        reader=reader,
        waits=chance.random() < (0.95 if at_fill else 0.3),
        # What a lax recipe lets through shows only where too little was written.
        lax_recipe=chance.random() < (0.3 if lie is Lie.SHORT_FILL else 0.05),
    )


def _blows(chance: random.Random, bay: BayPlan, phase: Phase, *, alone: bool) -> list[Blow]:
    """Half of the slots meet only what mends itself."""
    at_fill = phase is Phase.OVERWRITE
    gentle = chance.random() < (0.3 if at_fill else 0.5)
    weights = _WEIGHTS_IN_OVERWRITE if at_fill else _WEIGHTS
    drawn = [kind for kind in Kind if kind not in ADDED]
    kinds = [kind for kind in drawn if kind in MENDS_ITSELF or not gentle]
    kinds = [kind for kind in kinds if not (alone and kind is Kind.EXCHANGE)]
    blows: list[Blow] = []
    for _ in range(chance.randint(2 if at_fill else 0, _MOST_BLOWS)):
        [kind] = chance.choices(kinds, [weights.get(kind, 1) for kind in kinds])
        if kind in _MISTAKES:
            # One person errs once: two who err together are trusted, and said to be.
            kinds = [each for each in kinds if each not in _MISTAKES]
        blows.append(_blow(chance, bay.slot, kind, _POINTS_OF[phase]))
    return blows


def _blow(chance: random.Random, slot: str, kind: Kind, near: tuple[str, ...]) -> Blow:
    lasts_s = chance.choice(SECONDS)
    if kind is Kind.CLOCK_JUMP:
        lasts_s = chance.uniform(-_LARGEST_JUMP_S, _LARGEST_JUMP_S)
    is_near = chance.random() < _NEAR_SHARE and kind not in (*_MISTAKES, *_OF_LEDGER)
    point = _point(chance, kind, near if is_near else ())
    often = point in ("fill_step", "sample", "reset_facts")
    nth = chance.randint(1, 6) if often else chance.choice((1, 1, 1, 2))
    return Blow(slot=slot, point=point, nth=nth, kind=kind, lasts_s=lasts_s)


def _point(chance: random.Random, kind: Kind, near: tuple[str, ...]) -> str:
    """Where it strikes: near what else strikes this slot, or anywhere."""
    if kind in _AT:
        return _AT[kind]
    if kind in _OF_CALLS:
        return chance.choice([point for point in near if point in CALLS] or CALLS)
    groups = (CALLS, CALLS, ASKED, ANSWERED, RECORDS, (AWAY,))
    if kind in _MISTAKES:
        groups = (ASKED,)
    elif kind in _OF_LEDGER:
        groups = (STAGE_RECORDS,)
    return chance.choice(near or chance.choice(groups))


def _weighted(chance: random.Random, weights: Mapping[T, int]) -> T:
    [drawn] = chance.choices(list(weights), list(weights.values()))
    return drawn
