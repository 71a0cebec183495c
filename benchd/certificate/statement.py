"""Folds a proven erasure into the statement that is signed; every value comes from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from benchd.certificate.chip import chip_of
from benchd.certificate.document import METHOD, PREDICATE_TYPE, STATEMENT_TYPE
from benchd.errors import CertificateGap
from benchd.proof.erasure import VerifiedErasure, decisions, stage_records
from benchd.proof.evidence import EvidenceReader
from benchd.proof.network import look_up_result
from benchd.proof.storage import STREAMED, CheckMode
from benchd.words.ids import Evidence
from benchd.words.job import Disposition, Gate, Outcome, StageName
from benchd.words.record import EntryKind, StoredEntry

STANDARD = "NIST SP 800-88 Rev. 2, Clear"


def statement_of(
    erasure: VerifiedErasure, *, at: datetime, site: str, benchd_version: str
) -> Evidence:
    """The in-toto statement about one handset; raises CertificateGap for what isn't on record."""
    opened = _opened(erasure.records)
    inspect = _evidence(erasure, StageName.INSPECT)
    overwrite = _evidence(erasure, StageName.OVERWRITE)
    read_back = _evidence(erasure, StageName.READ_BACK)
    observe = _evidence(erasure, StageName.OBSERVE)
    recipe = EvidenceReader(opened.entry.data, "job_opened")
    return {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": [
            {
                "name": f"{inspect.text('manufacturer')} {inspect.text('model')}",
                "digest": {"sha256": erasure.evidence_digest()},
            }
        ],
        "predicate": {
            "issued_at": at.astimezone(UTC).isoformat(),
            "site": site,
            "benchd_version": benchd_version,
            "job": erasure.job,
            "slot": opened.entry.slot,
            "occupancy": opened.entry.occupancy,
            "handset": {
                **{
                    key: inspect.text(key)
                    for key in ("manufacturer", "model", "serial", "android", "build")
                },
                "imei": inspect.optional_text("imei"),
            },
            "medium": {
                "type": "flash memory built into the handset, its user storage",
                "file_system": inspect.text("file_system"),
                "capacity_bytes": read_back.whole("capacity_bytes"),
                "crypto_state": inspect.optional_text("crypto_state"),
                "crypto_type": inspect.optional_text("crypto_type"),
            },
            "method": METHOD,
            "technique": (
                f"one overwrite with a keystream ({overwrite.text('cipher')}) that only this job "
                f"had, {_written_by(overwrite)}"
                f"{_read_part(overwrite, read_back)}, then deleted and reset"
            ),
            "standard": STANDARD,
            "recipe": {"name": recipe.text("recipe"), "sha256": recipe.text("recipe_sha256")},
            "stages": _stages(erasure.records),
            "initialise": _initialise(erasure),
            "overwrite": {
                "cipher": overwrite.text("cipher"),
                "program_version": overwrite.text("program_version"),
                "mode": overwrite.text("mode"),
                "bytes_written": overwrite.whole("bytes_written"),
                "resumed_bytes": overwrite.whole("resumed_bytes"),
                "key_sha256": overwrite.text("key_sha256"),
            },
            "verification": {
                "mode": read_back.text("check_mode"),
                "sample_subsections": read_back.whole("sample_subsections"),
                "sample_places": read_back.whole("sample_places"),
                "bytes_proven": read_back.whole("bytes_proven"),
                "bytes_bad": read_back.whole("bytes_bad"),
                "coverage": read_back.number("coverage"),
                "coverage_of_free": read_back.number("coverage_of_free"),
                "minimum_coverage": read_back.number("minimum_coverage"),
                "past_cache": read_back.text("past_cache"),
                "host_samples": read_back.whole("host_samples"),
                "host_sample_bytes": read_back.whole("host_sample_bytes"),
                "host_past_cache": read_back.text("host_past_cache"),
                "host_mismatches": read_back.whole("host_mismatches"),
                "seed": read_back.text("seed"),
            },
            "network_restriction": _network_restriction(erasure.records),
            "felica": chip_of(erasure),
            "final_reset": {
                "kinds": list(observe.texts("kinds")),
                "absent_s": observe.number("absent_s"),
            },
            **_people(erasure.records),
            "not_reached": _not_reached(overwrite),
            "ledger": {
                "first_sequence": erasure.records[0].sequence,
                "last_sequence": erasure.records[-1].sequence,
                "head_hash": erasure.records[-1].hash_hex,
            },
            "disposition": Disposition.SELLABLE,
        },
    }


def _evidence(erasure: VerifiedErasure, stage: StageName) -> EvidenceReader:
    record = erasure.stages.get(stage)
    return EvidenceReader(record.evidence if record else {}, stage)


def _opened(records: Sequence[StoredEntry]) -> StoredEntry:
    for record in records:
        if record.entry.kind is EntryKind.JOB_OPENED:
            return record
    raise CertificateGap(("job_opened: there is no record of it",))


def _stages(records: Sequence[StoredEntry]) -> list[Evidence]:
    return [
        {
            "stage": attempt.stage,
            "outcome": attempt.outcome,
            "because": attempt.skipped_because,
            "started_at": attempt.started_at,
            "ended_at": attempt.ended_at,
        }
        for attempt in stage_records(records)
    ]


def _initialise(erasure: VerifiedErasure) -> Evidence:
    """What a reset has left, without the ids that Android gave the handset before and after."""
    record = erasure.stages[StageName.INITIALISE]
    evidence = _evidence(erasure, StageName.INITIALISE)
    skipped = record.outcome is Outcome.SKIPPED
    left = EvidenceReader(evidence.mapping("before" if skipped else "after"), "initialise")
    return {
        "outcome": record.outcome,
        "because": record.skipped_because,
        "method": None if skipped else evidence.text("method"),
        "account_count": left.whole("account_count"),
        "user_ids": list(left.numbers("user_ids")),
        "third_party_packages": left.whole("third_party_packages"),
        "used_bytes": left.whole("used_bytes"),
        "fresh_used_bytes": evidence.whole("fresh_used_bytes"),
    }


def _network_restriction(records: Sequence[StoredEntry]) -> Evidence:
    """The last look-up: its sign, and when it was made, since a carrier may change it later."""
    answers = [a for a in decisions(records) if a.text("gate") == Gate.NETWORK]
    if not answers:
        raise CertificateGap(("network: nobody has looked it up",))
    return {
        "result": look_up_result(answers[-1].text("note")),
        "looked_up_at": answers[-1].text("at"),
    }


def _people(records: Sequence[StoredEntry]) -> dict[str, Evidence | list[Evidence]]:
    answers: list[Evidence] = [
        {
            "gate": answer.text("gate"),
            "approved": answer.flag("approved"),
            "operator": answer.text("operator"),
            "note": answer.text("note"),
            "at": answer.text("at"),
        }
        for answer in decisions(records)
    ]
    confirmed = [answer for answer in answers if answer["gate"] == Gate.CONFIRM]
    if not confirmed:
        raise CertificateGap(("confirm: nobody has confirmed",))
    return {
        "decisions": answers,
        "confirmation": {"operator": confirmed[-1]["operator"], "at": confirmed[-1]["at"]},
    }


def _written_by(overwrite: EvidenceReader) -> str:
    if overwrite.text("mode") != STREAMED:
        return ""
    return "streamed by the host since no program could run on the handset, "


def _read_part(overwrite: EvidenceReader, read_back: EvidenceReader) -> str:
    if read_back.text("check_mode") == CheckMode.WHOLE:
        return "all of it read back and compared"
    share = read_back.whole("bytes_proven") / max(overwrite.whole("bytes_written"), 1)
    return (
        f"a sample of {share:.1%} of it, {read_back.whole('sample_places')} places in"
        f" {read_back.whole('sample_subsections')} subsections, read back and compared"
    )


def _not_reached(overwrite: EvidenceReader) -> list[str]:
    """Each class of storage that the overwrite can't get to, with its size where one is known."""
    used = overwrite.whole("used_bytes_before")
    reserved = overwrite.whole("reserved_bytes")
    written = overwrite.whole("bytes_written")
    missing = overwrite.whole("capacity_bytes") - written
    rest = max(missing - used - reserved, 0)
    by_host = (
        ["what a file system keeps apart for small files and directories: none were streamed"]
        if overwrite.text("mode") == STREAMED
        else []
    )
    return [
        f"{missing} bytes of the user storage, which are:",
        f"{used} bytes of it that the system itself occupied",
        f"{reserved} bytes of it that the file system reserves for the system",
        f"{rest} bytes of it that the file system keeps for itself: its tables and its last gaps",
        *by_host,
        "the file system's ledger, checkpoints and over-provisioning",
        "spare, worn and reserved cells of the flash memory, which its controller hides",
        "partitions outside of the user storage",
        "SIM cards and memory cards",
    ]
