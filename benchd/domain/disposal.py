"""What becomes of a handset that isn't sold: where it waits, and which moves there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome, Reason


class DisposalState(StrEnum):
    """Where the handset of an ended job is, or what is still to be done with it."""

    TRAY = "tray"
    """Pulled out unfinished: nobody has said yet what becomes of it."""
    HELD = "held"
    RERUN_DUE = "rerun_due"
    """Released to be run again, which hasn't happened yet."""
    TO_RETURN = "to_return"
    TO_DESTROY = "to_destroy"
    RUN_AGAIN = "run_again"
    """A later job has taken it over."""
    RETURNED = "returned"
    DESTROYED = "destroyed"
    ON_SALE = "on_sale"
    """Only re-checked here: it is sold under the certificate of an earlier job."""


DISPOSAL_MOVES: Mapping[DisposalState, frozenset[DisposalState]] = MappingProxyType(
    {
        DisposalState.TRAY: frozenset(
            {
                DisposalState.RERUN_DUE,
                DisposalState.TO_RETURN,
                DisposalState.TO_DESTROY,
                DisposalState.RUN_AGAIN,
            }
        ),
        DisposalState.HELD: frozenset(
            {
                DisposalState.RERUN_DUE,
                DisposalState.TO_RETURN,
                DisposalState.TO_DESTROY,
                DisposalState.RUN_AGAIN,
                DisposalState.ON_SALE,
            }
        ),
        DisposalState.RERUN_DUE: frozenset(
            {DisposalState.TO_RETURN, DisposalState.TO_DESTROY, DisposalState.RUN_AGAIN}
        ),
        DisposalState.TO_RETURN: frozenset(
            {
                DisposalState.RETURNED,
                DisposalState.RERUN_DUE,
                DisposalState.TO_DESTROY,
                DisposalState.RUN_AGAIN,
            }
        ),
        DisposalState.TO_DESTROY: frozenset({DisposalState.DESTROYED, DisposalState.RUN_AGAIN}),
        DisposalState.RUN_AGAIN: frozenset(),
        DisposalState.RETURNED: frozenset(),
        DisposalState.DESTROYED: frozenset(),
        DisposalState.ON_SALE: frozenset(),
    }
)
"""Allowed moves by a person's word."""


def moves_from(state: DisposalState, reason: Reason | None) -> frozenset[DisposalState]:
    """Where a handset may go by a person's word, whose job has ended for this reason."""
    if reason is Reason.RECHECKED:
        return DISPOSAL_MOVES[state]
    return DISPOSAL_MOVES[state] - {DisposalState.ON_SALE}


MAY_BE_SOLD: Final = (DisposalState.HELD, DisposalState.ON_SALE)
"""Where the handset of a passed look waits, unless somebody has said otherwise."""

OPEN: Final = tuple(state for state in DisposalState if DISPOSAL_MOVES[state])
"""Where somebody still has to do something."""

CLOSED_BY_A_LATER_JOB: Final = frozenset(
    {DisposalState.TRAY, DisposalState.HELD, DisposalState.RERUN_DUE}
)
"""What a later job of the same handset settles by itself; what was to be destroyed never is."""

DOOMED: Final = frozenset({DisposalState.TO_DESTROY, DisposalState.DESTROYED})
"""A handset that comes back from here needs somebody in charge."""

_OF_DISPOSITION: Final[Mapping[Disposition, DisposalState]] = MappingProxyType(
    {
        Disposition.HOLD: DisposalState.HELD,
        Disposition.RETURN: DisposalState.TO_RETURN,
        Disposition.DESTROY: DisposalState.TO_DESTROY,
    }
)


def opened_by(
    outcome: Outcome, disposition: Disposition, *, certified: bool
) -> DisposalState | None:
    """Where a handset waits after its job has ended so; None where it's sold."""
    if disposition is Disposition.SELLABLE:
        # The word alone sells nothing.
        return None if certified else DisposalState.HELD
    if outcome in (Outcome.ABORTED, Outcome.INTERRUPTED):
        return DisposalState.TRAY
    return _OF_DISPOSITION[disposition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """What somebody says has become of a handset, or is to become of it."""

    to: DisposalState
    note: str = ""
    """The reason of a release; to whom it was handed back; the number of its certificate."""
    recycler: str | None = None
    number: str | None = None
    """The recycler's own, of their receipt or manifest."""
    batch: str | None = None
    """The list that went to the recycler with it."""
    done_on: date | None = None
    """The day on which it was done; None: when it's recorded."""
    later_job: JobId | None = None
    """The job that has taken it over."""
