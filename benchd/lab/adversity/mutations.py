"""Holes of the core put back, one at a time: a machine that finds none of them finds nothing.

A hole is a few functions of the mended core replaced by what they would be without the mend. All
that a hole needs stands here; `ingredients` says what a schedule has to have to fall into it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from benchd.domain.chip import BaselineKind
from benchd.domain.fill import FilledFile, FillOrder
from benchd.domain.job import Gate, StageName
from benchd.lab.adversity.holes import Hole, Replaced
from benchd.lab.adversity.kinds import Kind, Lie, Owner
from benchd.lab.adversity.ledger_holes import LEDGER_HOLES
from benchd.lab.adversity.picture_holes import PICTURE_HOLES
from benchd.lab.adversity.recipes import ANYTHING_BYTES, LITTLE_COVERAGE
from benchd.lab.adversity.schedule import BayPlan, HandsetPlan, Schedule
from benchd.pipelines.stages.read_back import PartProof
from benchd.proof.storage_proof import EVICTION_SEEN

SWAPS: Final = (Kind.SWAP, Kind.UNTOLD_SWAP, Kind.EXCHANGE, Kind.CRASH_SWAP)
_LAST_GATES: Final = (Gate.FINAL_RESET, Gate.OBSERVE, Gate.CONFIRM)
_LAST_STAGES: Final = (StageName.FINAL_RESET, StageName.OBSERVE, StageName.CONFIRM)
AT_FILL: Final = ("fill", "fill_step", "battery", "stage_started:overwrite")
BINDING: Final = "benchd.proof.binding"
FLOORS: Final = "benchd.proof.floors"
AT_THE_END: Final = (*_LAST_GATES, *_LAST_STAGES, "reset_away")


async def _samples_unseen(
    _reading: object, files: Sequence[FilledFile], count: int, proof: PartProof
) -> None:
    """Row 5: the host takes its own samples for granted."""
    proof.host_samples += count if files else 0
    proof.host_ways.add(EVICTION_SEEN)


def _tied_by_anything(*_arguments: object) -> frozenset[object]:
    """Rows 1 and 2: whatever came back is the handset that left, if no chip says otherwise."""
    tie = importlib.import_module(BINDING).Tie
    return frozenset(tie) - {tie.CHIP}


_FillOrder: Final = FillOrder
"""The class itself: its name is replaced while row 1 is open."""


def _order_without_prior_bytes(*, prior_bytes: int = 0, **fields: object) -> FillOrder:
    """Row 1: whoever comes back need not prove that it was written to."""
    del prior_bytes
    return _FillOrder(**fields)  # pyright: ignore[reportArgumentType]


def _anything(*_arguments: object) -> bool:
    """Row 8: whatever handset and reader told is what a tie looks like."""
    return True


def _nothing(*_arguments: object, **_options: object) -> list[str]:
    return []


def _nothing_else(*_arguments: object) -> None:
    """Whatever is read again is the same handset."""


def _read_by_nobody(_known: object) -> bool:
    """Rows 1 and 2: no second person reads the number once more."""
    return False


async def _no_chip_again(*_arguments: object) -> None:
    """Rows 1 and 2: a reader looks at no chip after the reset."""


def _swapped_at_the_end(schedule: Schedule) -> bool:
    return any(point.rpartition(":")[2] in AT_THE_END for point in _swap_points(schedule))


def _swapped_in_mid_overwrite(schedule: Schedule) -> bool:
    """A twin with photos alone falls into row 3 in a job of its own, and isn't counted here."""
    waits = any(bay.waits for bay in schedule.bays)
    at_fill = any(point in AT_FILL for point in _swap_points(schedule))
    elsewhere = _swapped_at_the_end(schedule) or _came_with_photos(schedule)
    return waits and at_fill and not elsewhere


def _swap_points(schedule: Schedule) -> list[str]:
    return [blow.point for blow in schedule.blows if blow.kind in SWAPS]


def _lies(*lies: Lie) -> Callable[[Schedule], bool]:
    return lambda schedule: any(bay.handset.lie in lies for bay in schedule.bays)


def _without_swaps(schedule: Schedule) -> Schedule:
    return replace(schedule, blows=tuple(b for b in schedule.blows if b.kind not in SWAPS))


def _without_waiting(schedule: Schedule) -> Schedule:
    return _with_bays(schedule, lambda bay: replace(bay, waits=False))


def _without_photos(schedule: Schedule) -> Schedule:
    def plain(plan: HandsetPlan) -> HandsetPlan:
        return replace(plan, owner=Owner.RESET if plan.owner is Owner.PHOTOS else plan.owner)

    return _with_bays(
        schedule, lambda bay: replace(bay, handset=plain(bay.handset), visitor=plain(bay.visitor))
    )


def _without_lies(schedule: Schedule) -> Schedule:
    return _with_bays(
        schedule, lambda bay: replace(bay, handset=replace(bay.handset, lie=Lie.NOTHING))
    )


def _asks_for_nothing(schedule: Schedule) -> bool:
    return any(bay.lax_recipe for bay in schedule.bays)


def _without_lax_recipes(schedule: Schedule) -> Schedule:
    return _with_bays(schedule, lambda bay: replace(bay, lax_recipe=False))


def _with_bays(schedule: Schedule, change: Callable[[BayPlan], BayPlan]) -> Schedule:
    return replace(schedule, bays=tuple(map(change, schedule.bays)))


def _came_with_photos(schedule: Schedule) -> bool:
    swapped = {blow.slot for blow in schedule.blows if blow.kind in SWAPS}
    visitors = [bay.visitor for bay in schedule.bays if bay.slot in swapped]
    plans = [*(bay.handset for bay in schedule.bays), *visitors]
    return any(plan.owner is Owner.PHOTOS for plan in plans)


UNBOUND: Final = (
    Replaced(module=BINDING, name="ties_of", by=_tied_by_anything),
    Replaced(module=BINDING, name="differences", by=_nothing),
    Replaced(module="benchd.pipelines.gate_facts", name="other_handset", by=_nothing_else),
    Replaced(module="benchd.proof.final_reset_proof", name="other_handset", by=_nothing_else),
    Replaced(module=BINDING, name="Known.by_people", by=property(_read_by_nobody)),
    Replaced(
        module="benchd.pipelines.post_reset_inspection", name="same_unused_chip", by=_no_chip_again
    ),
)
"""Whatever comes back is taken for the handset that left."""
ERASED: Final = "sellable means erased"
NAMED: Final = "a certificate names what lies there"
UNUSED: Final = "sellable means an unused chip"
ONE_CHIP: Final = "a chip is one handset's"
OWN_CHIP: Final = "a tied chip is its handset's own"

HOLES: Final = (
    Hole(
        row=1,
        says="swapped in mid-overwrite: what a second attempt finds counts as proof",
        ingredients=_swapped_in_mid_overwrite,
        without=_without_waiting,
        shows_as=(ERASED,),
        replaced=(
            *UNBOUND,
            Replaced(module="benchd.domain.fill", name="FillOrder", by=_order_without_prior_bytes),
            Replaced(module="benchd.pipelines.gate_facts", name="refusals", by=_nothing),
            Replaced(module="benchd.proof.final_reset_proof", name="refusals", by=_nothing),
        ),
    ),
    Hole(
        row=2,
        says="swapped at the final reset: nothing looks at the handset afterwards",
        ingredients=_swapped_at_the_end,
        without=_without_swaps,
        shows_as=(ERASED, NAMED, UNUSED),
        replaced=UNBOUND,
    ),
    Hole(
        row=3,
        says="photos without an account count as freshly reset",
        ingredients=_came_with_photos,
        without=_without_photos,
        shows_as=(ERASED,),
        replaced=(
            Replaced(module="benchd.proof.fresh_proof", name="traces_of_use", by=_nothing),
            Replaced(module="benchd.proof.fresh_proof", name="unread", by=_nothing),
            Replaced(module="benchd.proof.fresh_proof", name="unshown_reset", by=_nothing),
            Replaced(module="benchd.proof.fresh_proof", name="freshness_gaps", by=_nothing),
        ),
    ),
    Hole(
        row=4,
        says="a recipe that asks for nothing is proven by nothing",
        ingredients=_asks_for_nothing,
        without=_without_lax_recipes,
        shows_as=(ERASED,),
        replaced=(
            Replaced(module=FLOORS, name="LOWEST_MINIMUM_COVERAGE", by=LITTLE_COVERAGE),
            Replaced(module=FLOORS, name="MOST_FRESH_USED_BYTES", by=ANYTHING_BYTES),
            Replaced(module=FLOORS, name="MOST_FRESH_USED_SHARE", by=1.0),
            Replaced(module=FLOORS, name="MINIMUM_ABSENCE_S", by=0.001),
            Replaced(module=FLOORS, name="MOST_TAKEN_BY_FILL", by=1.0),
        ),
    ),
    Hole(
        row=5,
        says="the fill program alone is believed",
        ingredients=_lies(Lie.PROGRAM, Lie.FLASH),
        without=_without_lies,
        shows_as=(ERASED,),
        replaced=(
            Replaced(
                module="benchd.pipelines.stages.read_back",
                name="_Reading._sample",
                by=_samples_unseen,
            ),
        ),
    ),
    Hole(
        row=5,
        says="the IMEI that adb tells is believed",
        ingredients=_lies(Lie.IMEI),
        without=_without_lies,
        shows_as=(NAMED,),
        replaced=UNBOUND,
    ),
    Hole(
        row=8,
        says="a chip isn't looked up: one lies under two handsets",
        ingredients=_lies(Lie.DONOR),
        without=_without_lies,
        shows_as=(ONE_CHIP,),
        replaced=(
            Replaced(
                module="benchd.proof.identity.same_handset",
                name="Handsets.sharing_chip",
                by=property(_nothing),
            ),
        ),
    ),
    Hole(
        row=8,
        says="a chip is tied that never fell silent: a donor's lies there after every swap",
        ingredients=_lies(Lie.DONOR, Lie.CARD),
        without=_without_lies,
        shows_as=(ERASED, NAMED, OWN_CHIP),
        replaced=(
            Replaced(module="benchd.proof.chip_ownership", name="shows_silence", by=_anything),
            Replaced(module="benchd.proof.chip_ownership", name="shows_chip", by=_anything),
        ),
    ),
    Hole(
        row=9,
        says="a picture that nobody took counts as one of an unused chip",
        ingredients=_lies(Lie.BASELINE),
        without=_without_lies,
        shows_as=(UNUSED,),
        replaced=(
            Replaced(
                module="benchd.proof.chip_proof",
                name="SEEN_BASELINES",
                by=(BaselineKind.OBSERVED, BaselineKind.INFERRED),
            ),
        ),
    ),
    *PICTURE_HOLES,
    *LEDGER_HOLES,
)
