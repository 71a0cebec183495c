"""Holes of the rows of people and papers that err: each row with its mend taken out.

A rack on which somebody errs falls into one if a rule of its row breaks, and none does as soon as
the mend is back. `mutations.py` has the holes that benchd was broken by from outside.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, Final

import anyio

from benchd.domain.handset import StandingFacts
from benchd.domain.ids import JobId
from benchd.domain.job import Reason
from benchd.domain.record import Entry, StoredEntry
from benchd.lab.adversity.holes import Hole, Replaced, Table
from benchd.lab.adversity.rows import NOT_WANTED, OWN_CODES, RECHECKED, SHOWN_BY
from benchd.lab.adversity.schedule import Schedule
from benchd.proof.binding import JobBinding, Known
from benchd.proof.citation import OTHER_IMEI, OTHER_SERIAL
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.evidence.reset_evidence import FinalResetEvidence
from benchd.proof.identity.same_handset import Handset, Handsets
from benchd.proof.identity.sighting import Sighting, sightings_in
from benchd.proof.identity.traits import Traits
from benchd.proof.identity.unresolved_jobs import Debt
from benchd.proof.record_subject import imeis_reported

BINDING: Final = "benchd.proof.binding"
CITING: Final = "benchd.proof.citation"
FINAL_RESET: Final = "benchd.proof.final_reset_proof"
HANDSET: Final = "benchd.proof.identity.same_handset"
DEBTS: Final = "benchd.proof.identity.unresolved_jobs"
IMEI: Final = "benchd.domain.imei"
SCREEN_NUMBERS: Final = "benchd.pipelines.screen_numbers"
STANDING: Final = "benchd.pipelines.gate_facts"


def _real(module: str, name: str) -> Any:  # noqa: ANN401 - whatever stands there
    """What is replaced, for those who still need it: kept by no name that is replaced too."""
    return reduce(getattr, name.split("."), importlib.import_module(module))


_WALKS: Final = _real(BINDING, "_Walk.__init__")
_DOUBTED: Final = _real(CITING, "_doubts")
_READ_IN: Final = _real(IMEI, "imeis_in_text")
_OWED: Final = _real(DEBTS, "_debts")
_STANDS: Final = _real(FINAL_RESET, "standing_gaps")


def _nothing(*_arguments: object) -> list[str]:
    return []


def _always(*_arguments: object) -> bool:
    return True


def _never(*_arguments: object) -> bool:
    return False


def _none(*_arguments: object) -> None:
    """Nothing is found."""


async def _not_asked(*_arguments: object) -> None:
    """Nobody is asked, waited for or doubted."""


def _due_unless_tied(job: JobBinding, _known: Known, attachment: str) -> bool:
    """Row 1: who has a tied chip needn't show its number again."""
    return job.due(attachment)


def _walks_without_number(walk: Any, *arguments: object) -> None:  # noqa: ANN401 - it is private
    """Row 1: the proof asks for no reading at the end."""
    _WALKS(walk, *arguments)
    walk._number_due = False  # noqa: SLF001


def _by_any_number(mine: Traits, _later: Traits, entry: Entry) -> bool:
    """Row 1: a number that was scanned once is a number of its own."""
    return not mine.imeis.isdisjoint(imeis_reported(entry))


def _without_doubts(*spared: str) -> Callable[..., Iterator[str]]:
    """Rows 1 and 14: some of what keeps papers from being cited doesn't."""

    def doubts(*arguments: object) -> Iterator[str]:
        return (doubt for doubt in _DOUBTED(*arguments) if not doubt.startswith(spared))

    return doubts


def _whole(capacity_bytes: int) -> int:
    """Row 4: all of it may be free after a fill."""
    return capacity_bytes


def _same_for_all(*_arguments: object) -> tuple[bool, ...]:
    """Row 5: nobody draws in which order NFC is switched."""
    return (True, False, True, False, True, False, True)


def _by_its_clock(time: Any, _book: object) -> TimeBasis:  # noqa: ANN401 - its parts are private
    """Row 6: it's as late as the rack's clock says, whatever the ledger knows."""
    now = time._clock.now()  # noqa: SLF001
    head = time._head()  # noqa: SLF001
    return TimeBasis(at=now, newest=now, after=head, boot=time.boot, confirmed=None)


def _kept_unread(again: Any, facts: StandingFacts) -> None:  # noqa: ANN401 - its parts are private
    """Row 7: what is read before the last reset refuses nothing."""
    again._facts, again._read_at_s = facts, anyio.current_time()  # noqa: SLF001
    again._at = again._context.clock.now()  # noqa: SLF001


def _stands_with_sim(inspect: InspectEvidence, reset: FinalResetEvidence) -> list[str]:
    """Row 8: the proof minds no SIM."""
    return [gap for gap in _STANDS(inspect, reset) if Reason.SIM_PRESENT not in gap]


def _first_in_text(text: str) -> Sequence[str]:
    """Row 9: of the numbers in one note the first counts."""
    return _READ_IN(text)[:1]


def _first_fits(_known: Known, _note: str, first: str) -> str:
    """Row 9: of two bar codes the one that is scanned first has to be on record."""
    return first


def _owed_for_certain(me: Sighting, others: Iterable[StoredEntry]) -> tuple[JobId, ...]:
    """Row 9: who may be the same handset owes no recheck."""
    return Handsets(me, sightings_in(others)).earlier.owed


def _but_certified(me: Sighting, handset: Handset) -> Iterator[tuple[Debt, Sighting]]:
    """Row 11: that a certificate stands against it is asked of nobody."""
    return (each for each in _OWED(me, handset) if each[0] is not Debt.CERTIFIED)


def _hole(row: int, says: str, *replaced: Replaced, shows: tuple[str, ...] = ()) -> Hole:
    """Of a row, found in the racks that were drawn for it."""

    def drawn_for_it(schedule: Schedule) -> bool:
        return row in schedule.rows

    return Hole(
        table=Table.ERRING,
        row=row,
        says=says,
        ingredients=drawn_for_it,
        without=None,
        shows_as=shows or SHOWN_BY[row],
        replaced=replaced,
    )


ROW_HOLES: Final = (
    _hole(
        1,
        "a number that one person has scanned once is its own",
        Replaced(module=BINDING, name="Known.by_people", by=property(_never)),
        Replaced(module=BINDING, name="JobBinding.number_due", by=_due_unless_tied),
        Replaced(module=BINDING, name="_Walk.__init__", by=_walks_without_number),
    ),
    _hole(
        1,
        "whoever's number was scanned has been run again",
        Replaced(module="benchd.proof.identity.takeover", name="takes_over", by=_by_any_number),
    ),
    _hole(
        1,
        "a label that was scanned is believed over its papers",
        Replaced(module=CITING, name="_doubts", by=_without_doubts(OTHER_IMEI, OTHER_SERIAL)),
    ),
    _hole(
        2,
        "nobody looks whether it was to be destroyed",
        Replaced(module=HANDSET, name="Handset.doomed_by", by=property(_none)),
    ),
    _hole(
        2,
        "who is to be destroyed leaves no number behind",
        Replaced(
            module="benchd.pipelines.stages.gates", name="GatesStage._leave_numbers", by=_not_asked
        ),
    ),
    _hole(
        3,
        "what a reader has seen in another job is forgotten",
        Replaced(module=HANDSET, name="Handset.unclean_by", by=property(_none)),
    ),
    _hole(
        4,
        "any room may be left after a fill",
        Replaced(module="benchd.proof.storage_proof", name="most_free_after_fill", by=_whole),
    ),
    _hole(
        5,
        "all NFC is switched in the same order, and nobody looks for rivals",
        Replaced(module="benchd.pipelines.swapped_readers", name="drawn_pattern", by=_same_for_all),
        Replaced(module="benchd.pipelines.chip_tie", name="_Tying._rivals", by=_never),
    ),
    _hole(
        6,
        "the rack's clock is believed",
        Replaced(module="benchd.intake.rack_clock_trust", name="RackTime.basis", by=_by_its_clock),
    ),
    _hole(
        7,
        "what the gates refuse by is read once",
        Replaced(module=STANDING, name="FactsAgain._keep", by=_kept_unread),
        Replaced(module=FINAL_RESET, name="standing_gaps", by=_nothing),
    ),
    _hole(
        8,
        "nobody looks for a SIM",
        Replaced(module=STANDING, name="FactsAgain.sim", by=property(_never)),
        Replaced(module=STANDING, name="wait_for_sim_out", by=_not_asked),
        Replaced(module=FINAL_RESET, name="standing_gaps", by=_stands_with_sim),
    ),
    _hole(
        9,
        "of two numbers the first alone is kept: the other one is on a list",
        Replaced(module=IMEI, name="imeis_in_text", by=_first_in_text),
        shows=(NOT_WANTED,),
    ),
    _hole(
        9,
        "of two numbers the first alone is kept: it was drawn under the other one",
        Replaced(module=IMEI, name="imeis_in_text", by=_first_in_text),
        Replaced(module=SCREEN_NUMBERS, name="NumberVetting._doubt", by=_not_asked),
        Replaced(module="benchd.proof.recheck_draw", name="owed_by", by=_owed_for_certain),
        shows=(RECHECKED,),
    ),
    _hole(
        9,
        "the other bar code fits no handset",
        Replaced(module="benchd.pipelines.handset_binding", name="_fitting", by=_first_fits),
        Replaced(module=SCREEN_NUMBERS, name="NumberVetting._doubt", by=_not_asked),
        shows=(OWN_CODES,),
    ),
    _hole(
        10,
        "what is attested of a whole lot covers what came in later",
        Replaced(module="benchd.proof.attestation", name="Attestation._was_in", by=_always),
    ),
    _hole(
        11,
        "a certificate under the same number is no question",
        Replaced(module=DEBTS, name="_debts", by=_but_certified),
    ),
    _hole(
        12,
        "both readings of its number may be one person's",
        Replaced(module=BINDING, name="Known.by_people", by=property(_never)),
    ),
    _hole(
        14,
        "papers outlive their certificate",
        Replaced(module=CITING, name="_doubts", by=_without_doubts("its handset has a cert")),
    ),
    _hole(
        15,
        "one sign of a changed system is enough",
        Replaced(module="benchd.proof.handset_refusals", name="SOURCES_TO_DESTROY", by=1),
    ),
)
