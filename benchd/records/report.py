"""From jobs to a dealer's figures: what came in, what was found in it, and what became of it.

A handset counts once, however often it was plugged in; two jobs whose handsets can't be told to be
one count as two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from benchd.words.chip import ChipVerdict
from benchd.words.disposal import DisposalState
from benchd.words.handset_file import JobLine
from benchd.words.ids import JobId
from benchd.words.job import Disposition, Outcome, Reason
from benchd.words.report import ALL, Became, DataFound, Figure, Report

NOT_LOOKED_AT: Final = "unknown"
_LEFT_IN_CHIP: Final = (Reason.FELICA_RESIDUE, Reason.FELICA_NOT_CLEARABLE)


def report_of(
    jobs: Iterable[JobLine], *, begin: datetime, end: datetime, lot: str | None
) -> Report:
    """The figures of these jobs, which are in the order in which they were opened."""
    handsets: defaultdict[int, list[JobLine]] = defaultdict(list)
    for job in jobs:
        handsets[job.handset].append(job)
    figures: dict[Figure, dict[str, list[JobId]]] = {figure: {} for figure in Figure}
    for of_one in handsets.values():
        for figure, value in _values_of(of_one):
            figures[figure].setdefault(value, []).append(of_one[-1].job)
    told = {
        figure: {value: tuple(jobs) for value, jobs in sorted(by_value.items())}
        for figure, by_value in figures.items()
    }
    return Report(begin=begin, end=end, lot=lot, figures=told)


def _values_of(jobs: Sequence[JobLine]) -> Iterable[tuple[Figure, str]]:
    """In which value of each figure a handset counts."""
    last = jobs[-1]
    yield Figure.CAME_IN, ALL
    yield Figure.WITH_DATA, _data_of(jobs)
    yield Figure.FELICA, _chip_of(jobs)
    if last.outcome is Outcome.FAILED and last.reason is not None:
        yield Figure.NOT_ERASABLE, last.reason
    if last.disposition is not None:
        yield Figure.DISPOSITION, last.disposition
    yield Figure.BECAME, _became(last)


def _data_of(jobs: Sequence[JobLine]) -> DataFound:
    """As it first came in: what benchd itself has reset comes back without."""
    told = next((job.came_with_data for job in jobs if job.came_with_data is not None), None)
    if told is None:
        return DataFound.UNKNOWN
    return DataFound.WITH if told else DataFound.WITHOUT


def _chip_of(jobs: Sequence[JobLine]) -> str:
    seen = [job.chip for job in jobs if job.chip is not None]
    if ChipVerdict.IN_USE in seen or any(job.reason in _LEFT_IN_CHIP for job in jobs):
        return ChipVerdict.IN_USE
    return seen[0] if seen else NOT_LOOKED_AT


def _became(last: JobLine) -> str:
    if last.ended_at is None:
        return Became.RUNNING
    if last.state is not None:
        return last.state
    return Became.SOLD if last.disposition is Disposition.SELLABLE else DisposalState.HELD
