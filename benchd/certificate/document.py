"""The certificate's document: an in-toto statement, what it has to say, and what it may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchd.certificate import chip, form
from benchd.certificate.form import Form
from benchd.people import same_person
from benchd.proof.floors import MINIMUM_SAMPLE
from benchd.proof.network import SALEABLE
from benchd.proof.storage import FILL_MODES, STREAMED, CheckMode
from benchd.words.ids import Evidence, JsonValue
from benchd.words.job import Disposition, Gate, Outcome, StageName

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:benchd:certificate-of-erasure:v1"
METHOD = "Clear"
"""An overwrite of flash through its controller is never more than that (SP 800-88, IEEE 2883)."""

ROUNDING = 1e-6
PROVEN_STAGES = (StageName.OVERWRITE, StageName.READ_BACK, StageName.CONFIRM)

_STATEMENT: Form = {
    "_type": form.exactly(STATEMENT_TYPE),
    "predicateType": form.exactly(PREDICATE_TYPE),
    "subject": form.list_of({"name": form.text, "digest": {"sha256": form.sha256}}),
    "predicate": {
        "issued_at": form.moment,
        "site": form.text,
        "benchd_version": form.text,
        "job": form.text,
        "slot": form.text,
        "occupancy": form.count,
        "handset": {
            "manufacturer": form.text,
            "model": form.text,
            "serial": form.text,
            "imei": form.text_or_null,
            "android": form.text,
            "build": form.text,
        },
        "medium": {
            "type": form.text,
            "file_system": form.text,
            "capacity_bytes": form.positive,
            "crypto_state": form.text_or_null,
            "crypto_type": form.text_or_null,
        },
        "method": form.exactly(METHOD),
        "technique": form.text,
        "standard": form.text,
        "recipe": {"name": form.text, "sha256": form.sha256},
        "stages": form.list_of(
            {
                "stage": form.text,
                "outcome": form.text,
                "started_at": form.moment,
                "ended_at": form.moment,
            }
        ),
        "initialise": {},
        "overwrite": {
            "cipher": form.text,
            "program_version": form.text,
            "mode": form.text,
            "bytes_written": form.positive,
            "resumed_bytes": form.count,
            "key_sha256": form.sha256,
        },
        "verification": {
            "mode": form.text,
            "sample_subsections": form.count,
            "sample_places": form.count,
            "bytes_proven": form.positive,
            "bytes_bad": form.count,
            "coverage": form.share,
            "coverage_of_free": form.share,
            "minimum_coverage": form.share,
            "past_cache": form.text,
            "host_samples": form.positive,
            "host_sample_bytes": form.positive,
            "host_past_cache": form.text,
            "host_mismatches": form.count,
            "seed": form.text,
        },
        "network_restriction": {"result": form.text, "looked_up_at": form.moment},
        "felica": chip.FORM,
        "final_reset": {"kinds": form.texts, "absent_s": form.seconds_or_null},
        "decisions": form.list_of(
            {
                "gate": form.text,
                "approved": form.flag,
                "operator": form.text,
                "note": form.anything,
                "at": form.moment,
            }
        ),
        "confirmation": {"operator": form.text, "at": form.moment},
        "not_reached": form.texts,
        "ledger": {
            "first_sequence": form.positive,
            "last_sequence": form.positive,
            "head_hash": form.sha256,
        },
        "disposition": form.exactly(Disposition.SELLABLE),
    },
}


def gaps_of(statement: JsonValue) -> tuple[str, ...]:
    """All that keeps a statement from being a certificate of erasure; empty where nothing does."""
    faults = tuple(form.faults_of(statement, _STATEMENT, "statement"))
    if faults or not isinstance(statement, Mapping):
        return faults
    predicate = _object(statement, "predicate")
    return (
        *_gaps_of_subject(statement, predicate),
        *_gaps_of_wording(predicate),
        *_gaps_of_stages(predicate),
        *_gaps_of_verification(predicate),
        *chip.gaps_of_chip(_object(predicate, "felica")),
        *_gaps_of_network(predicate),
        *_gaps_of_confirmation(predicate),
    )


def _gaps_of_subject(statement: Evidence, predicate: Evidence) -> Iterator[str]:
    subjects = _objects(statement, "subject")
    handset = _object(predicate, "handset")
    if len(subjects) != 1:
        yield "it is about more than one handset"
    elif subjects[0]["name"] != f"{handset['manufacturer']} {handset['model']}":
        yield "its subject isn't the handset that it describes"


def _gaps_of_wording(predicate: Evidence) -> Iterator[str]:
    for key in ("technique", "standard"):
        if "purge" in str(predicate[key]).casefold():
            yield f"{key} speaks of Purge, which an overwrite of flash never is"


def _gaps_of_stages(predicate: Evidence) -> Iterator[str]:
    last = {stage["stage"]: stage["outcome"] for stage in _objects(predicate, "stages")}
    for stage, outcome in last.items():
        if outcome not in {Outcome.PASSED, Outcome.SKIPPED}:
            yield f"stage {stage} ended as {outcome}"
    for stage in PROVEN_STAGES:
        if last.get(stage) != Outcome.PASSED:
            yield f"stage {stage} hasn't passed"


def _gaps_of_verification(predicate: Evidence) -> Iterator[str]:
    read_back = _object(predicate, "verification")
    if read_back["bytes_bad"] != 0:
        yield "bytes were read back that aren't those written"
    if read_back["host_mismatches"] != 0:
        yield "the host's own samples differ from what was written"
    if _number(read_back["coverage"]) < _number(read_back["minimum_coverage"]):
        yield "less of the storage is proven than the recipe asks for"
    yield from _gaps_of_extent(predicate)
    yield from _gaps_of_mode(predicate)
    ledger = _object(predicate, "ledger")
    if _number(ledger["first_sequence"]) > _number(ledger["last_sequence"]):
        yield "its ledger records end before they begin"


def _gaps_of_mode(predicate: Evidence) -> Iterator[str]:
    """Whether it says who has written, and what the host has streamed was read past the cache."""
    read_back = _object(predicate, "verification")
    mode = _object(predicate, "overwrite")["mode"]
    if mode not in FILL_MODES:
        yield "it doesn't say how it was written"
    if mode == STREAMED:
        if "streamed" not in str(predicate["technique"]):
            yield "its technique doesn't say that the host has streamed it"
        if not read_back["past_cache"] == read_back["host_past_cache"] == "o_direct":
            yield "what the host has streamed wasn't read back by O_DIRECT alone"


def _gaps_of_extent(predicate: Evidence) -> Iterator[str]:
    """Whether as much was read as it says, and as it has to be for what it says."""
    read_back = _object(predicate, "verification")
    written = _number(_object(predicate, "overwrite")["bytes_written"])
    proven = vouched = _number(read_back["bytes_proven"])
    match read_back["mode"]:
        case CheckMode.WHOLE:
            if proven != written:
                yield "not every byte that was written is proven"
        case CheckMode.SAMPLED:
            vouched = written
            if not MINIMUM_SAMPLE * written <= proven <= written:
                yield "the sample that was read is too small, or larger than the whole"
            if "sample" not in str(predicate["technique"]):
                yield "its technique doesn't say that only a sample was read"
        case _:
            yield "it doesn't say how much was read back"
    capacity = _number(_object(predicate, "medium")["capacity_bytes"])
    if _number(read_back["coverage"]) > vouched / capacity + ROUNDING:
        yield "the coverage is more than the bytes that are proven"


def _gaps_of_network(predicate: Evidence) -> Iterator[str]:
    if _object(predicate, "network_restriction")["result"] not in SALEABLE:
        yield "its network restriction forbids a sale"


def _gaps_of_confirmation(predicate: Evidence) -> Iterator[str]:
    operator = str(_object(predicate, "confirmation")["operator"])
    decisions = _objects(predicate, "decisions")
    confirmed = [decision for decision in decisions if decision["gate"] == Gate.CONFIRM]
    if not confirmed or not confirmed[-1]["approved"]:
        yield "no decision confirms it"
    elif confirmed[-1]["operator"] != operator:
        yield "another person is named for the confirmation than the one who decided"
    others = [str(d["operator"]) for d in decisions if d["gate"] != Gate.CONFIRM]
    if not others:
        yield "no person is named beside the one who confirmed"
    if any(same_person(operator, other) for other in others):
        yield "the person who confirmed it also did the work: it needs a second person"


def _object(parent: Evidence, key: str) -> Evidence:
    value = parent[key]
    return value if isinstance(value, Mapping) else {}


def _objects(parent: Evidence, key: str) -> list[Evidence]:
    value = parent[key]
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return [item for item in items if isinstance(item, Mapping)]


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
