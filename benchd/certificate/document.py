"""Whether a statement says all that its form asks of a certificate, and nothing beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchd.certificate.chip import gaps_of_felica
from benchd.certificate.chip_words import gaps_of_chip
from benchd.certificate.clock import gaps_of_clock
from benchd.certificate.first_form import (
    FIRST_CHIP_WORDING,
    FIRST_MINIMUM_SAMPLE,
    FIRST_PREDICATE_TYPE,
    FirstStatement,
)
from benchd.certificate.fresh import gaps_of_fresh
from benchd.certificate.identity import gaps_of_identity
from benchd.certificate.intake import gaps_of_intake
from benchd.certificate.people import gaps_of_people
from benchd.certificate.recheck import gaps_of_recheck
from benchd.certificate.rules import common_gaps
from benchd.certificate.second_form import (
    SECOND_PREDICATE_TYPE,
    SecondPredicate,
    SecondStatement,
)
from benchd.certificate.sentences import Sentence
from benchd.certificate.sim_lock import gaps_of_sim_lock
from benchd.certificate.statement import Predicate, Statement
from benchd.certificate.third_form import THIRD_PREDICATE_TYPE, ThirdStatement
from benchd.certificate.trust import trusts_reader
from benchd.certificate.wording import not_reached_of, technique_of
from benchd.errors import CertificateGap
from benchd.proof.evidence.forms import from_json
from benchd.proof.floors import MINIMUM_SAMPLE
from benchd.proof.storage import most_free_after_fill
from benchd.words.ids import JsonValue

RESET_KINDS = (Sentence.USB_REENUMERATED, Sentence.OPERATOR_WELCOME)
BONDS = (
    Sentence.BOUND_BY_KEYSTREAM,
    Sentence.BOUND_BY_CHIP,
    Sentence.BOUND_BY_TIED_CHIP,
    Sentence.BOUND_BY_ANDROID_ID,
    Sentence.BOUND_BY_SCREEN_IMEI,
    Sentence.BOUND_BY_SCREEN_SERIAL,
)


def gaps_of(statement: JsonValue) -> tuple[str, ...]:
    """All that keeps a statement from being a certificate of erasure; empty where nothing does."""
    told = statement.get("predicateType") if isinstance(statement, Mapping) else None
    try:
        if told == THIRD_PREDICATE_TYPE:
            return tuple(_gaps(from_json(ThirdStatement, statement, "statement")))
        if told == SECOND_PREDICATE_TYPE:
            return tuple(_second_gaps(from_json(SecondStatement, statement, "statement")))
        if told == FIRST_PREDICATE_TYPE:
            return tuple(_first_gaps(from_json(FirstStatement, statement, "statement")))
        return tuple(_gaps(from_json(Statement, statement, "statement")))
    except CertificateGap as gap:
        return gap.missing


def _first_gaps(statement: FirstStatement) -> Iterator[str]:
    yield from common_gaps(statement, minimum_sample=FIRST_MINIMUM_SAMPLE)
    yield from gaps_of_chip(statement.predicate.felica, FIRST_CHIP_WORDING)


def _gaps(statement: ThirdStatement | Statement) -> Iterator[str]:
    yield from _second_gaps(statement)
    predicate = statement.predicate
    if isinstance(predicate, Predicate):
        yield from gaps_of_identity(predicate.handset, predicate.trusted)
    yield from gaps_of_people(predicate.decisions, predicate.confirmation)
    yield from gaps_of_clock(predicate.clock)
    yield from gaps_of_intake(predicate.intake, predicate.decisions, predicate.issued_at)
    yield from gaps_of_recheck(predicate.recheck, predicate.decisions, predicate.issued_at)
    if isinstance(predicate, Predicate):
        yield from gaps_of_sim_lock(predicate.sim_lock)
        yield from _gaps_of_room(predicate)


def _gaps_of_room(predicate: Predicate) -> Iterator[str]:
    """Whether its overwrite went on until the storage was full."""
    free = predicate.in_use_before.free_after_overwrite_bytes
    if free > most_free_after_fill(predicate.medium.capacity_bytes):
        yield "more than last gaps was still free when the overwrite ended"


def _second_gaps(statement: SecondStatement | ThirdStatement | Statement) -> Iterator[str]:
    predicate = statement.predicate
    yield from common_gaps(statement, minimum_sample=MINIMUM_SAMPLE)
    yield from gaps_of_felica(predicate.felica)
    yield from gaps_of_fresh(predicate.fresh_picture)
    yield from _gaps_of_words(predicate)
    yield from _gaps_of_time(predicate)


def _gaps_of_words(predicate: SecondPredicate) -> Iterator[str]:
    """Each sentence has to be the one that its numbers make: nothing is said beside.

    Certificates of before November 27, 2026 don't say that a reader was trusted; those of former
    forms name no eSIM.
    """
    names_esim = isinstance(predicate, Predicate)
    medium, overwrite = predicate.medium, predicate.overwrite
    told = {
        "technique": predicate.technique == technique_of(overwrite, predicate.verification),
        "standard": predicate.standard == Sentence.STANDARD,
        "medium.type": medium.type == Sentence.MEDIUM,
        "trusted.read_by": predicate.trusted.read_by == Sentence.READ_BY,
        "final_reset.kinds": set(predicate.final_reset.kinds) <= set(RESET_KINDS),
        "bound_by": set(predicate.bound_by) <= set(BONDS),
        "not_reached": predicate.not_reached
        in [
            not_reached_of(
                medium,
                overwrite,
                predicate.in_use_before,
                trusts_reader=trusts,
                names_esim=names_esim,
            )
            for trusts in {False, trusts_reader(predicate.bound_by)}
        ],
    }
    yield from (
        f"{place} isn't what the rest of it says" for place, same in told.items() if not same
    )


def _gaps_of_time(predicate: SecondPredicate) -> Iterator[str]:
    for decision in predicate.decisions:
        if predicate.issued_at < decision.at:
            yield f"it was issued before {decision.gate} was decided"
    if predicate.issued_at < predicate.confirmation.at:
        yield "it was issued before it was confirmed"
