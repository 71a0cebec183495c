"""Whether a statement says all that a certificate has to, and nothing beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.chip_section import gaps_of_felica
from benchd.certificate.clock_section import gaps_of_clock
from benchd.certificate.fresh_section import gaps_of_fresh
from benchd.certificate.identity_section import gaps_of_identity
from benchd.certificate.intake_section import gaps_of_intake
from benchd.certificate.not_reached import not_reached_of
from benchd.certificate.other_racks_section import gaps_of_other_racks
from benchd.certificate.overwrite_technique import technique_of
from benchd.certificate.people_section import gaps_of_people
from benchd.certificate.predicate import (
    PREDICATE_TYPE,
    Predicate,
    Statement,
    is_retired,
    refusal_of_retired,
)
from benchd.certificate.recheck_section import gaps_of_recheck
from benchd.certificate.statement_sections import gaps_of_sim_lock
from benchd.certificate.trust_section import trusts_reader
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.ids import JsonValue
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.person_names import same_person
from benchd.proof.floors import MINIMUM_SAMPLE
from benchd.proof.network import SALEABLE
from benchd.proof.storage_proof import FILL_MODES, STREAMED, CheckMode, most_free_after_fill

Rules = Callable[[JsonValue], Iterator[str]]
"""Everything that a statement lacks."""

ROUNDING = 1e-6
PROVEN_STAGES = (StageName.OVERWRITE, StageName.READ_BACK, StageName.CONFIRM)
RESET_KINDS = (Sentence.USB_REENUMERATED, Sentence.OPERATOR_WELCOME)
BONDS = (
    Sentence.BOUND_BY_KEYSTREAM,
    Sentence.BOUND_BY_CHIP,
    Sentence.BOUND_BY_TIED_CHIP,
    Sentence.BOUND_BY_ANDROID_ID,
    Sentence.BOUND_BY_SCREEN_IMEI,
    Sentence.BOUND_BY_SCREEN_SERIAL,
)


def gaps_of(statement: JsonValue, forms: Mapping[str, Rules] | None = None) -> tuple[str, ...]:
    """All that keeps a statement from being a certificate of erasure; empty where nothing does.

    `forms` are the rules by predicate type where they aren't `FORMS`.
    """
    told = statement.get("predicateType") if isinstance(statement, Mapping) else None
    if is_retired(told):
        return (refusal_of_retired(told),)
    rules = FORMS if forms is None else forms
    judge = rules.get(told, _gaps_of_v4) if isinstance(told, str) else _gaps_of_v4
    try:
        return tuple(judge(statement))
    except CertificateGap as gap:
        return gap.missing


def _gaps_of_v4(told: JsonValue) -> Iterator[str]:
    statement = from_json(Statement, told, "statement")
    predicate = statement.predicate
    yield from _gaps_of_subject(statement)
    yield from _gaps_of_wording(predicate)
    yield from _gaps_of_stages(predicate)
    yield from _gaps_of_verification(predicate)
    yield from _gaps_of_extent(predicate)
    yield from _gaps_of_mode(predicate)
    yield from _gaps_of_network(predicate)
    yield from _gaps_of_confirmation(predicate)
    yield from gaps_of_felica(predicate.felica)
    yield from gaps_of_fresh(predicate.fresh_picture)
    yield from _gaps_of_words(predicate)
    yield from _gaps_of_time(predicate)
    yield from gaps_of_identity(predicate.handset, predicate.trusted)
    yield from gaps_of_people(predicate.decisions, predicate.confirmation)
    yield from gaps_of_clock(predicate.clock)
    yield from gaps_of_intake(predicate.intake, predicate.decisions, predicate.issued_at)
    yield from gaps_of_recheck(predicate.recheck, predicate.decisions, predicate.issued_at)
    yield from gaps_of_sim_lock(predicate.sim_lock)
    yield from gaps_of_other_racks(predicate.other_racks, predicate.issued_at)
    yield from _gaps_of_room(predicate)


def _gaps_of_subject(statement: Statement) -> Iterator[str]:
    handset = statement.predicate.handset
    if len(statement.subject) != 1:
        yield "it is about more than one handset"
    elif statement.subject[0].name != f"{handset.manufacturer} {handset.model}":
        yield "its subject isn't the handset that it describes"


def _gaps_of_wording(predicate: Predicate) -> Iterator[str]:
    for name, text in (("technique", predicate.technique), ("standard", predicate.standard)):
        if "purge" in text.casefold():
            yield f"{name} speaks of Purge, which an overwrite of flash never is"


def _gaps_of_stages(predicate: Predicate) -> Iterator[str]:
    last = {stage.stage: stage.outcome for stage in predicate.stages}
    for stage, outcome in last.items():
        if outcome not in {Outcome.PASSED, Outcome.SKIPPED}:
            yield f"stage {stage} ended as {outcome}"
    for stage in PROVEN_STAGES:
        if last.get(stage) != Outcome.PASSED:
            yield f"stage {stage} hasn't passed"


def _gaps_of_verification(predicate: Predicate) -> Iterator[str]:
    read_back = predicate.verification
    if read_back.bytes_bad != 0:
        yield "bytes were read back that aren't those written"
    if read_back.host_mismatches != 0:
        yield "the host's own samples differ from what was written"
    if read_back.coverage < read_back.minimum_coverage:
        yield "less of the storage is proven than the recipe asks for"
    if predicate.ledger.first_sequence > predicate.ledger.last_sequence:
        yield "its ledger records end before they begin"


def _gaps_of_mode(predicate: Predicate) -> Iterator[str]:
    """Whether it says who has written, and what the host has streamed was read past the cache."""
    read_back, mode = predicate.verification, predicate.overwrite.mode
    if mode not in FILL_MODES:
        yield "it doesn't say how it was written"
    if mode == STREAMED:
        if "streamed" not in predicate.technique:
            yield "its technique doesn't say that the host has streamed it"
        if not read_back.past_cache == read_back.host_past_cache == "o_direct":
            yield "what the host has streamed wasn't read back by O_DIRECT alone"


def _gaps_of_extent(predicate: Predicate) -> Iterator[str]:
    """Whether as much was read as it says, and as it has to be for what it says."""
    read_back = predicate.verification
    written = predicate.overwrite.bytes_written
    proven = vouched = read_back.bytes_proven
    match read_back.mode:
        case CheckMode.WHOLE:
            if proven != written:
                yield "not every byte that was written is proven"
        case CheckMode.SAMPLED:
            vouched = written
            if not MINIMUM_SAMPLE * written <= proven <= written:
                yield "the sample that was read is too small, or larger than the whole"
            if "sample" not in predicate.technique:
                yield "its technique doesn't say that only a sample was read"
        case _:
            yield "it doesn't say how much was read back"
    if read_back.coverage > vouched / predicate.medium.capacity_bytes + ROUNDING:
        yield "the coverage is more than the bytes that are proven"


def _gaps_of_network(predicate: Predicate) -> Iterator[str]:
    if predicate.network_restriction.result not in SALEABLE:
        yield "its network restriction forbids a sale"


def _gaps_of_confirmation(predicate: Predicate) -> Iterator[str]:
    operator = predicate.confirmation.operator
    confirmed = [each for each in predicate.decisions if each.gate is Gate.CONFIRM]
    if not confirmed or not confirmed[-1].approved:
        yield "no decision confirms it"
    elif confirmed[-1].operator != operator:
        yield "another person is named for the confirmation than the one who decided"
    others = [each.operator for each in predicate.decisions if each.gate is not Gate.CONFIRM]
    if not others:
        yield "no person is named beside the one who confirmed"
    if any(same_person(operator, other) for other in others):
        yield "the person who confirmed it also did the work: it needs a second person"


def _gaps_of_words(predicate: Predicate) -> Iterator[str]:
    """Each sentence has to be the one that its numbers make: nothing is said beside."""
    medium, overwrite = predicate.medium, predicate.overwrite
    not_reached = not_reached_of(
        medium,
        overwrite,
        predicate.in_use_before,
        trusts_reader=trusts_reader(predicate.bound_by),
    )
    told = {
        "technique": predicate.technique == technique_of(overwrite, predicate.verification),
        "standard": predicate.standard == Sentence.STANDARD,
        "medium.type": medium.type == Sentence.MEDIUM,
        "trusted.read_by": predicate.trusted.read_by == Sentence.READ_BY,
        "final_reset.kinds": set(predicate.final_reset.kinds) <= set(RESET_KINDS),
        "bound_by": set(predicate.bound_by) <= set(BONDS),
        "not_reached": predicate.not_reached == not_reached,
    }
    yield from (
        f"{place} isn't what the rest of it says" for place, same in told.items() if not same
    )


def _gaps_of_time(predicate: Predicate) -> Iterator[str]:
    for decision in predicate.decisions:
        if predicate.issued_at < decision.at:
            yield f"it was issued before {decision.gate} was decided"
    if predicate.issued_at < predicate.confirmation.at:
        yield "it was issued before it was confirmed"


def _gaps_of_room(predicate: Predicate) -> Iterator[str]:
    """Whether its overwrite went on until the storage was full."""
    free = predicate.in_use_before.free_after_overwrite_bytes
    if free > most_free_after_fill(predicate.medium.capacity_bytes):
        yield "more than last gaps was still free when the overwrite ended"


FORMS: Final[Mapping[str, Rules]] = {PREDICATE_TYPE: _gaps_of_v4}
"""The rules of each form that is read, by its predicate type: docs/extending.md, A second form."""
