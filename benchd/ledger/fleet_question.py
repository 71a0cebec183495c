"""A rack's signed question about a handset to the fleet's centre, and the centre's signed answer.

An answer names the question by its digest, and the question has a nonce: what was answered to
another handset, another rack or at another time answers nothing. No clock is compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.chip import is_fleet_chip
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json, to_json
from benchd.domain.handset_question import (
    LONGEST_WORD,
    MOST_FINDINGS,
    MOST_IMEIS,
    Asked,
    Elsewhere,
    ElsewhereFinding,
    HandsetQuestion,
    Lease,
)
from benchd.domain.ids import JobId, JsonValue
from benchd.domain.imei import is_imei
from benchd.domain.job import StageName
from benchd.signing import canonical
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from benchd.signing.signed_claim import encode_signed, is_signed

QUESTION_TYPE: Final = "urn:benchd:fleet-question:v1"
ANSWER_TYPE: Final = "urn:benchd:fleet-answer:v1"
NONCE_BYTES: Final = 32
MOST_NUMBER: Final = (1 << 63) - 1
LARGEST_HANDSET_QUESTION_BYTES: Final = 8 * 1024
ASKED_AT: Final = (
    StageName.GATES,
    StageName.CERTIFY,
    StageName.CERTIFY_DRAWN,
    StageName.LOOK,
)

_QUESTION: Final = b"benchd fleet question v1\n"
_ANSWER: Final = b"benchd fleet answer v1\n"


class QuestionRefused(ValueError):
    """What came isn't a question of this rack; the text says why, in words of benchd alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedQuestion:
    """A question whose signature holds."""

    asks: HandsetQuestion
    digest: str


def encode_question(asks: HandsetQuestion, nonce: bytes, key: SigningKey) -> bytes:
    """The question as it is sent, signed by the rack."""
    claim: dict[str, JsonValue] = {
        "type": QUESTION_TYPE,
        "rack": key.ring.rack,
        "nonce": nonce.hex(),
        "job": asks.job,
        "stage": asks.stage,
        "imeis": list(asks.imeis),
        "proven": list(asks.proven),
        "is_full": asks.is_full,
        "serial": asks.serial,
        "model": asks.model,
    }
    if asks.chip is not None:
        claim |= {"chip": asks.chip, "chip_tied": asks.chip_tied}
    if asks.lease is not None:
        claim["lease"] = asks.lease
    return encode_signed(claim, _QUESTION, key)


def decode_question(data: bytes, ring: KeyRing) -> ReceivedQuestion:
    """A question that this rack's present key has signed; raises QuestionRefused."""
    try:
        told = canonical.decode(data)
        match told:
            case {
                "type": "urn:benchd:fleet-question:v1",
                "rack": str() as rack,
                "nonce": str() as nonce,
                "job": str() as job,
                "stage": str() as stage,
                "imeis": list() as imeis,
                "proven": list() as proven,
                "is_full": bool() as is_full,
                "serial": (str() | None) as serial,
                "model": (str() | None) as model,
                "signature": str(),
                **others,
            } if others.keys() <= {"chip", "chip_tied", "lease"}:
                numbers, chip, lease = _numbers(imeis), _chip(others), _lease_number(others)
                signed = is_signed(told, _QUESTION, ring.trusted)
            case _:
                raise QuestionRefused("it doesn't have the form of a question")
    except ValueError as error:
        raise QuestionRefused("it doesn't have the form of a question") from error
    words = (job, serial or "-", model or "-")
    if any(not _is_word(word) for word in words) or len(nonce) != 2 * NONCE_BYTES:
        raise QuestionRefused("it doesn't have the form of a question")
    if rack != ring.rack or stage not in ASKED_AT or not signed:
        raise QuestionRefused("it isn't signed by the rack's key")
    return ReceivedQuestion(
        asks=HandsetQuestion(
            job=JobId(job),
            stage=StageName(stage),
            imeis=numbers,
            proven=tuple(each for each in numbers if each in proven),
            is_full=is_full,
            serial=serial,
            model=model,
            chip=chip,
            chip_tied=others.get("chip_tied") is True,
            lease=lease,
        ),
        digest=hashlib.sha256(data).hexdigest(),
    )


def encode_answer(
    question: ReceivedQuestion,
    findings: Sequence[ElsewhereFinding],
    lease: Lease | None,
    at: datetime,
    key: SigningKey,
) -> bytes:
    """The centre's answer, signed."""
    claim: dict[str, JsonValue] = {
        "type": ANSWER_TYPE,
        "question": question.digest,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "findings": [to_json(finding) for finding in findings[:MOST_FINDINGS]],
        "lease": None if lease is None else asdict(lease),
    }
    return encode_signed(claim, _ANSWER, key)


def decode_answer(data: bytes, question: bytes, centre: Ed25519PublicKey) -> Asked:
    """The answer to this very question, signed by the centre's key; raises ValueError.

    Once both hold, whatever stands in its findings holds the handset: what this release doesn't
    read of them is `Elsewhere.OTHER`.
    """
    match canonical.decode(data):
        case {"signature": str(), **claim} as told:
            pass
        case _:
            raise ValueError("it doesn't have the form of an answer")
    if not is_signed(told, _ANSWER, centre):
        raise ValueError("it isn't signed by the centre's key")
    if claim.get("question") != hashlib.sha256(question).hexdigest():
        raise ValueError("it answers another question")
    if found := _findings(claim.get("findings")):
        return Asked(findings=found, lease=None, reply=data.decode())
    match claim:
        case {
            "type": "urn:benchd:fleet-answer:v1",
            "question": str(),
            "at": str() as at,
            "findings": [],
            "lease": (dict() | None) as lease,
            **others,
        } if not others:
            datetime.fromisoformat(at)
            return Asked(findings=(), lease=_lease(lease), reply=data.decode())
        case _:
            raise ValueError("it doesn't have the form of an answer")


def _findings(told: JsonValue) -> tuple[ElsewhereFinding, ...]:
    each = told if isinstance(told, list) else [told] if told else []
    return tuple(_finding(one) for one in each[:MOST_FINDINGS])


def _finding(told: JsonValue) -> ElsewhereFinding:
    try:
        found = from_json(ElsewhereFinding, told, "finding")
    except CertificateGap:
        return ElsewhereFinding(kind=Elsewhere.OTHER)
    words = (found.rack, found.job, found.relation)
    is_readable = all(word is None or _is_word(word) for word in words)
    return found if is_readable else ElsewhereFinding(kind=found.kind)


def _lease(told: JsonValue) -> Lease | None:
    if told is None:
        return None
    try:
        lease = from_json(Lease, told, "lease")
    except CertificateGap as gap:
        raise ValueError(str(gap)) from gap
    if lease.number > MOST_NUMBER or not _is_word(lease.until):
        raise ValueError("its lease can't be kept")
    return lease


def _numbers(told: Sequence[JsonValue]) -> tuple[str, ...]:
    numbers = tuple(each for each in told if isinstance(each, str) and is_imei(each))
    if len(numbers) != len(told) or len(numbers) > MOST_IMEIS:
        raise QuestionRefused("its numbers aren't IMEIs")
    return numbers


def _chip(others: Mapping[str, JsonValue]) -> str | None:
    """The chip that it names, which older racks and those without the secret don't."""
    chip, tied = others.get("chip"), others.get("chip_tied", False)
    if others.keys().isdisjoint({"chip", "chip_tied"}):
        return None
    if not isinstance(chip, str) or not is_fleet_chip(chip) or not isinstance(tied, bool):
        raise QuestionRefused("its chip isn't a hash of one")
    return chip


def _lease_number(others: Mapping[str, JsonValue]) -> int | None:
    number = others.get("lease")
    if "lease" not in others:
        return None
    if type(number) is not int or not 0 < number <= MOST_NUMBER:
        raise QuestionRefused("its lease has no number")
    return number


def _is_word(word: str) -> bool:
    return 0 < len(word) <= LONGEST_WORD and word.isprintable()
