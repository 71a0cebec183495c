"""What a statement of any form has to say to be a certificate, and what it may not."""

from __future__ import annotations

from collections.abc import Iterator

from benchd.certificate.predicate import CommonPredicate, CommonStatement
from benchd.naming import same_person
from benchd.proof.network import SALEABLE
from benchd.proof.storage import FILL_MODES, STREAMED, CheckMode
from benchd.words.job import Gate, Outcome, StageName

ROUNDING = 1e-6
PROVEN_STAGES = (StageName.OVERWRITE, StageName.READ_BACK, StageName.CONFIRM)


def common_gaps(statement: CommonStatement, *, minimum_sample: float) -> Iterator[str]:
    """All that keeps it from being a certificate of its form, as far as forms agree."""
    predicate = statement.predicate
    yield from _gaps_of_subject(statement)
    yield from _gaps_of_wording(predicate)
    yield from _gaps_of_stages(predicate)
    yield from _gaps_of_verification(predicate)
    yield from _gaps_of_extent(predicate, minimum_sample)
    yield from _gaps_of_mode(predicate)
    yield from _gaps_of_network(predicate)
    yield from _gaps_of_confirmation(predicate)


def _gaps_of_subject(statement: CommonStatement) -> Iterator[str]:
    handset = statement.predicate.handset
    if len(statement.subject) != 1:
        yield "it is about more than one handset"
    elif statement.subject[0].name != f"{handset.manufacturer} {handset.model}":
        yield "its subject isn't the handset that it describes"


def _gaps_of_wording(predicate: CommonPredicate) -> Iterator[str]:
    for name, text in (("technique", predicate.technique), ("standard", predicate.standard)):
        if "purge" in text.casefold():
            yield f"{name} speaks of Purge, which an overwrite of flash never is"


def _gaps_of_stages(predicate: CommonPredicate) -> Iterator[str]:
    last = {stage.stage: stage.outcome for stage in predicate.stages}
    for stage, outcome in last.items():
        if outcome not in {Outcome.PASSED, Outcome.SKIPPED}:
            yield f"stage {stage} ended as {outcome}"
    for stage in PROVEN_STAGES:
        if last.get(stage) != Outcome.PASSED:
            yield f"stage {stage} hasn't passed"


def _gaps_of_verification(predicate: CommonPredicate) -> Iterator[str]:
    read_back = predicate.verification
    if read_back.bytes_bad != 0:
        yield "bytes were read back that aren't those written"
    if read_back.host_mismatches != 0:
        yield "the host's own samples differ from what was written"
    if read_back.coverage < read_back.minimum_coverage:
        yield "less of the storage is proven than the recipe asks for"
    if predicate.ledger.first_sequence > predicate.ledger.last_sequence:
        yield "its ledger records end before they begin"


def _gaps_of_mode(predicate: CommonPredicate) -> Iterator[str]:
    """Whether it says who has written, and what the host has streamed was read past the cache."""
    read_back, mode = predicate.verification, predicate.overwrite.mode
    if mode not in FILL_MODES:
        yield "it doesn't say how it was written"
    if mode == STREAMED:
        if "streamed" not in predicate.technique:
            yield "its technique doesn't say that the host has streamed it"
        if not read_back.past_cache == read_back.host_past_cache == "o_direct":
            yield "what the host has streamed wasn't read back by O_DIRECT alone"


def _gaps_of_extent(predicate: CommonPredicate, minimum_sample: float) -> Iterator[str]:
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
            if not minimum_sample * written <= proven <= written:
                yield "the sample that was read is too small, or larger than the whole"
            if "sample" not in predicate.technique:
                yield "its technique doesn't say that only a sample was read"
        case _:
            yield "it doesn't say how much was read back"
    if read_back.coverage > vouched / predicate.medium.capacity_bytes + ROUNDING:
        yield "the coverage is more than the bytes that are proven"


def _gaps_of_network(predicate: CommonPredicate) -> Iterator[str]:
    if predicate.network_restriction.result not in SALEABLE:
        yield "its network restriction forbids a sale"


def _gaps_of_confirmation(predicate: CommonPredicate) -> Iterator[str]:
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
