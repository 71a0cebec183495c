"""Blows added to what a seed has drawn, by a chance of their own: all else stays as it was."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from benchd.lab.adversity.drawn_hands import AWAY
from benchd.lab.adversity.kinds import Kind, Lie
from benchd.lab.adversity.schedule import Blow, Schedule
from benchd.lab.adversity.where import ASKED, RACED, SECONDS, STAGE_RECORDS

_FORGED_SHARE: Final = 0.15
_OTHER_SHARE: Final = 0.3
_LOT_SHARE: Final = 0.5
_FORGERIES: Final = (Kind.REWRITTEN_END, Kind.REWRITTEN_JOB, Kind.ROLLBACK)
_LATE: Final = (
    *("stage_ended:read_back", "asked:final_reset", "asked:observe", "answered:confirm"),
    *("stage_started:certify", "stage_ended:confirm", "job_ended"),
)
"""Where a job has come so far that a forger has something to gain."""
_AFTER_THE_CHECK: Final = (
    *("stage_started:overwrite", "stage_started:felica_clear", "clear"),
    *("stage_started:felica_recheck", "asked:final_reset", AWAY, "asked:observe"),
)
_EXCHANGED_S: Final = (1.0, 5.0, 25.0)
"""No longer, so that no job meets the other chip at its check."""
_RACING: Final = (
    *(Kind.PULL, Kind.SWAP, Kind.UNTOLD_SWAP),
    *(Kind.CRASH, Kind.CRASH_SWAP, Kind.STOP, Kind.RELOAD, Kind.CLOCK_JUMP),
)


def with_added(schedule: Schedule) -> Schedule:
    """The same with papers, or with what somebody does at the ledger's file, or thinks of late."""
    papers = random.Random(f"{schedule.seed} and a lot")  # noqa: S311 - as in the drawing
    return replace(_with_blows(schedule), lot=papers.random() < _LOT_SHARE)


def _with_blows(schedule: Schedule) -> Schedule:
    chance = random.Random(f"{schedule.seed} at the ledger")  # noqa: S311 - as in the drawing
    donors = any(bay.handset.lie is Lie.DONOR for bay in schedule.bays)
    # Whose chip was in another handset is on record, and what was lost of that is lost.
    if chance.random() <= _FORGED_SHARE and not donors:
        return _forged(schedule, chance)
    return _with_another(schedule) if chance.random() < _OTHER_SHARE else schedule


def _forged(schedule: Schedule, chance: random.Random) -> Schedule:
    kind = chance.choice(_FORGERIES)
    bay = chance.choice(schedule.bays)
    late = kind is Kind.REWRITTEN_JOB
    point = chance.choice(_LATE if late or chance.random() < 0.5 else STAGE_RECORDS)
    nth = 1 if late else chance.choice((1, 1, 2))
    blow = Blow(slot=bay.slot, point=point, nth=nth, kind=kind, lasts_s=chance.choice(SECONDS))
    crash = replace(blow, kind=Kind.CRASH, lasts_s=chance.choice(SECONDS))
    blows = (blow, crash) if chance.random() < 0.5 else (blow,)
    return replace(schedule, blows=(*schedule.blows, *blows), anchored=chance.random() < 0.5)


def _with_another(schedule: Schedule) -> Schedule:
    chance = random.Random(f"{schedule.seed} thought of late")  # noqa: S311 - as above
    bay = chance.choice(schedule.bays)
    kinds = [Kind.RELOAD_LAX, *_RACING]
    if bay.reader and bay.handset.lie is not Lie.DONOR:
        kinds += [Kind.CHIP_EXCHANGED] * 4
    kind = chance.choice(kinds)
    where = {Kind.CHIP_EXCHANGED: _AFTER_THE_CHECK, Kind.RELOAD_LAX: ASKED}
    blow = Blow(
        slot=bay.slot,
        point=chance.choice(where.get(kind, RACED)),
        nth=1,
        kind=kind,
        lasts_s=chance.choice(_EXCHANGED_S if kind is Kind.CHIP_EXCHANGED else SECONDS),
    )
    return replace(schedule, blows=(*schedule.blows, blow))
