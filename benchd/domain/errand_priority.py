"""What people have to do next, from what the rack shows: one queue over all of its slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from benchd.domain.errand import Errand, ErrandKind, TrayItem
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.job import Disposition, Gate
from benchd.domain.slot import MENDS_ITSELF, ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState

URGENCY: Final[Mapping[ErrandKind, int]] = MappingProxyType(
    {
        ErrandKind.REPLUG: 0,
        ErrandKind.RACK: 1,
        ErrandKind.QUESTION: 2,
        ErrandKind.PUT_RIGHT: 2,
        ErrandKind.CONFIRM: 3,
        ErrandKind.CARRY: 4,
        ErrandKind.BROKEN: 5,
        ErrandKind.PORT: 5,
        ErrandKind.TRAY: 6,
    }
)
"""The lower, the sooner; among equals the oldest comes first."""

BY_ANOTHER: Final = frozenset({Gate.CONFIRM, Gate.RECHECK, Gate.RECHECK_CHIP})
"""Questions that whoever has worked on the handset can't answer."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def errands_of(
    views: Mapping[SlotName, SlotView],
    *,
    ports: Iterable[PortPath] = (),
    notices: Iterable[ProblemView] = (),
    tray: Iterable[TrayItem] = (),
    proven: Collection[JobId] = (),
) -> tuple[Errand, ...]:
    """The whole queue, the most urgent first and among equals the oldest.

    `proven` are the jobs that the ledger holds a certificate of, and the passed looks that rest on
    one: only their handsets go on sale, whatever a view says, and of these none that another
    system holds back. What mends itself is never in it.
    """
    errands = [
        *(e for view in views.values() if (e := _of_slot(view, proven=view.job in proven))),
        *(
            Errand(kind=ErrandKind.RACK, problem=notice)
            for notice in notices
            if notice.code not in MENDS_ITSELF
        ),
        *(_of_port(port) for port in ports),
        *_of_tray(tray, views),
    ]
    return tuple(sorted(errands, key=_order))


def _order(errand: Errand) -> tuple[int, datetime]:
    # A cable that is out for the longest has the least time left, whatever its limit is. Until when
    # a question waits is shown, and orders nothing: beside it stands what has no such time.
    limit = errand.deadline if errand.kind is ErrandKind.REPLUG else None
    return URGENCY[errand.kind], limit or errand.since or _LONG_AGO


def bins_of(errands: Sequence[Errand]) -> Mapping[Disposition, int]:
    """How many finished handsets there are to carry to each place."""
    counted = Counter(errand.goes for errand in errands if errand.kind is ErrandKind.CARRY)
    return {disposition: counted[disposition] for disposition in Disposition}


def _of_slot(view: SlotView, *, proven: bool) -> Errand | None:
    if view.away is not None and view.needs_a_person:
        return _errand(view, ErrandKind.REPLUG, deadline=view.away.until)
    match view.state:
        case SlotState.AWAITING_OPERATOR if view.question is not None:
            kind = ErrandKind.CONFIRM if view.question.gate in BY_ANOTHER else ErrandKind.QUESTION
            return _errand(view, kind, deadline=view.question.until)
        case SlotState.WAITING if view.needs_a_person:
            return _errand(view, ErrandKind.PUT_RIGHT)
        case SlotState.QUARANTINED:
            return _errand(view, ErrandKind.BROKEN)
        case SlotState.FINISHED:
            return _carry(view, proven=proven)
        case _:
            return None


def _carry(view: SlotView, *, proven: bool) -> Errand:
    sold = view.disposition is Disposition.SELLABLE
    held = view.directed is not None and view.directed.held_by is not None
    goes = Disposition.HOLD if sold else view.disposition
    if (sold or view.is_passed_look) and proven and not held:
        goes = Disposition.SELLABLE
    return replace(
        _errand(view, ErrandKind.CARRY),
        goes=goes or Disposition.HOLD,
        unproven=sold and not proven,
    )


def _errand(
    view: SlotView,
    kind: ErrandKind,
    *,
    deadline: datetime | None = None,
) -> Errand:
    return Errand(
        kind=kind,
        slot=view.slot,
        since=view.since,
        deadline=deadline,
        view=view,
        problem=view.problem,
    )


def _of_port(port: PortPath) -> Errand:
    problem = ProblemView(code=ProblemCode.UNKNOWN_PORT, facts={"port_path": port})
    return Errand(kind=ErrandKind.PORT, port=port, problem=problem)


def _of_tray(tray: Iterable[TrayItem], views: Mapping[SlotName, SlotView]) -> Iterator[Errand]:
    for item in tray:
        view = views.get(item.slot)
        empty = view is not None and view.state is SlotState.EMPTY
        yield Errand(
            kind=ErrandKind.TRAY,
            slot=item.slot,
            since=item.since,
            tray=item,
            here=empty and view is not None and view.last_job == item.job,
        )
