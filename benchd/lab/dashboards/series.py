"""What the values of a label are called where they name a series, in the wall's own words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Final

from benchd.domain.disposal import OPEN, DisposalState
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.operator_steps import BetweenJobs
from benchd.lab.dashboards.sheet import Shown, Words
from benchd.observe.stage_duration_metrics import Spent
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.texts.catalogue import Catalogue, Texts

Series = Mapping[str, Shown]

_TEXTS: Final = Catalogue.load()
_OUTCOMES: Final = {
    # A job that has passed isn't always one whose handset may be sold.
    Outcome.PASSED: "blue",
    Outcome.FAILED: "red",
    Outcome.ABORTED: "orange",
    Outcome.INTERRUPTED: "purple",
    Outcome.SKIPPED: "text",
}
_DISPOSITIONS: Final = {
    Disposition.SELLABLE: "green",
    Disposition.RETURN: "blue",
    Disposition.HOLD: "purple",
    Disposition.DESTROY: "red",
}
_OPEN: Final = {
    DisposalState.TRAY: "orange",
    DisposalState.HELD: "purple",
    DisposalState.RERUN_DUE: "yellow",
    DisposalState.TO_RETURN: "blue",
    DisposalState.TO_DESTROY: "red",
}
_SPENT: Final = {
    Spent.MACHINE: Shown(Words("機械", "machine"), "blue"),
    Spent.PEOPLE: Shown(Words("人", "people"), "orange"),
}


def outcomes() -> Series:
    """By `outcome`."""
    return {one: Shown(_words(_TEXTS.outcome(one)), _OUTCOMES[one]) for one in Outcome}


def dispositions() -> Series:
    """By `disposition`."""
    return {one: Shown(_words(_TEXTS.disposition(one)), _DISPOSITIONS[one]) for one in Disposition}


def open_items() -> Series:
    """By `state` of what waits to be settled."""
    return {one: Shown(_words(_TEXTS.disposal_state(one)), _OPEN[one]) for one in OPEN}


def reasons(begins: str = "") -> Series:
    """By `reason`, those that begin so."""
    told = {one: _TEXTS.reason(one) for one in Reason if one.startswith(begins)}
    return {one: Shown(Words(text.ja, text.en)) for one, text in told.items()}


def gates() -> Series:
    """By `gate`."""
    return {one: Shown(_words(_TEXTS.gate(one))) for one in Gate}


def stages(begins: str = "") -> Series:
    """By `stage`, those that begin so."""
    told = [one for one in STAGE_CLASSES if one.startswith(begins)]
    return {one: Shown(_words(_TEXTS.stage(one))) for one in told}


def between_jobs() -> Series:
    """By `step` of a slot outside its jobs."""
    return {one: Shown(_words(_TEXTS.named("between_jobs", one))) for one in BetweenJobs}


def stages_by_spent(begins: str = "") -> Series:
    """By `stage` and `spent`."""
    return {
        f"{stage} {spent}": Shown(
            Words(f"{of.words.ja}・{who.words.ja}", f"{of.words.en}, {who.words.en}"), who.colour
        )
        for (stage, of), (spent, who) in product(stages(begins).items(), _SPENT.items())
    }


def _words(texts: Texts) -> Words:
    return Words(texts.ja, texts.en)
