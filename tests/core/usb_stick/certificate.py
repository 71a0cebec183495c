"""What a stick's certificate says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from benchd.certificate.device_form import CertificateForm, Issuing
from benchd.certificate.predicate import STATEMENT_TYPE, Digest, Subject
from benchd.certificate.statement_sections import LedgerSection
from benchd.domain.evidence_json import from_json
from benchd.domain.evidence_values import Moment, OneOrMore, Said
from benchd.domain.ids import JsonValue
from benchd.proof.erasure import VerifiedErasure

from .profile import STICK

STICK_TYPE: Final = "urn:test:certificate-of-a-stick:v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StickPredicate:
    """What is stated of the stick."""

    issued_at: Moment
    site: Said
    benchd_version: Said
    job: Said
    method: Literal["Overwrite"]
    ledger: LedgerSection


@dataclass(frozen=True, slots=True, kw_only=True)
class StickStatement:
    """The statement that is signed."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: OneOrMore[Subject]
    predicate: StickPredicate
    predicate_type: Annotated[
        Literal["urn:test:certificate-of-a-stick:v1"], Field(alias="predicateType")
    ]


def _statement_of(erasure: VerifiedErasure, issuing: Issuing) -> StickStatement:
    assert erasure.method == "Overwrite"
    return StickStatement(
        type_=STATEMENT_TYPE,
        predicate_type=STICK_TYPE,
        subject=(Subject(name="a stick", digest=Digest(sha256=erasure.evidence_digest())),),
        predicate=StickPredicate(
            issued_at=issuing.at,
            site=issuing.site,
            benchd_version=issuing.benchd_version,
            job=erasure.job,
            method=erasure.method,
            ledger=LedgerSection.of(erasure.records),
        ),
    )


def _rules(told: JsonValue) -> Iterator[str]:
    from_json(StickStatement, told, "statement")
    yield from ()


STICK_FORM: Final = CertificateForm(
    kind=STICK, predicate_type=STICK_TYPE, statement_of=_statement_of, rules=_rules
)
