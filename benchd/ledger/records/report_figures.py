"""From handsets to a dealer's figures: what came in, what was found in it, and what became of it.

A handset counts once, however often it was plugged in; two jobs whose handsets can't be told to be
one count as two. What couldn't even be plugged in counts by what was entered at intake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.disposal import DisposalState
from benchd.domain.ids import JobId
from benchd.domain.intake import LotId, Tag
from benchd.domain.job import Disposition, Outcome
from benchd.domain.operator_steps import Attended
from benchd.domain.report import (
    ALL,
    Asked,
    Became,
    Counted,
    DataFound,
    Figure,
    Figures,
    Report,
    Share,
)
from benchd.ledger.records.report_counts import Alike, Divided

NOT_LOOKED_AT: Final = "unknown"


def report_of(
    asked: Asked,
    count: Callable[[Divided], Iterable[Alike]],
    attended: tuple[Attended, ...] = (),
) -> Report:
    """The figures of all that was asked for, by lot and by consignor too."""
    [whole] = shares_of(count(Divided.WHOLE)) or [no_share()]
    return Report(
        asked=asked,
        figures=whole.figures,
        lots=tuple(shares_of(count(Divided.LOTS))),
        consignors=tuple(shares_of(count(Divided.CONSIGNORS))),
        attended=attended,
    )


def no_share() -> Share:
    """That of nothing."""
    return Share(lot=None, consignor=None, figures=_figures())


def shares_of(counted: Iterable[Alike]) -> list[Share]:
    """One for each lot and consignor; those without either last."""
    shares: dict[tuple[str | None, str | None], list[Alike]] = {}
    for alike in counted:
        shares.setdefault((alike.consignor, alike.lot), []).append(alike)
    told = sorted(shares, key=lambda key: [(name is None, name or "") for name in key])
    return [
        Share(
            lot=None if lot is None else LotId(lot),
            consignor=consignor,
            figures=_figures(shares[consignor, lot]),
        )
        for consignor, lot in told
    ]


def _figures(counted: Iterable[Alike] = ()) -> Figures:
    found: dict[Figure, dict[str, list[Alike]]] = {figure: {} for figure in Figure}
    for alike in counted:
        for figure, value in _values_of(alike):
            found[figure].setdefault(value, []).append(alike)
    return {
        figure: {value: _counted(alikes) for value, alikes in sorted(values.items())}
        for figure, values in found.items()
    }


def _counted(alikes: Iterable[Alike]) -> Counted:
    jobs: list[str] = []
    tags: list[str] = []
    handsets = 0
    for alike in alikes:
        handsets += alike.handsets
        (tags if alike.by_hand else jobs).extend(alike.names)
    return Counted(
        handsets=handsets,
        jobs=tuple(JobId(job) for job in sorted(jobs)),
        tags=tuple(Tag(tag) for tag in sorted(tags)),
    )


def _values_of(alike: Alike) -> Iterator[tuple[Figure, str]]:
    """In which value of each figure these handsets count."""
    yield Figure.CAME_IN, ALL
    yield Figure.WITH_DATA, _data_of(alike)
    yield Figure.FELICA, ChipVerdict.IN_USE if alike.in_use else alike.chip or NOT_LOOKED_AT
    if alike.outcome is Outcome.FAILED and alike.reason is not None:
        yield Figure.NOT_ERASABLE, alike.reason
    if alike.disposition is not None:
        yield Figure.DISPOSITION, alike.disposition
    yield Figure.BECAME, _became(alike)


def _data_of(alike: Alike) -> DataFound:
    """As it first came in: what benchd itself has reset comes back without."""
    if alike.with_data is None:
        return DataFound.UNKNOWN
    return DataFound.WITH if alike.with_data else DataFound.WITHOUT


def _became(alike: Alike) -> str:
    if alike.runs:
        return Became.RUNNING
    if alike.state is not None:
        return alike.state
    return Became.SOLD if alike.disposition is Disposition.SELLABLE else DisposalState.HELD
