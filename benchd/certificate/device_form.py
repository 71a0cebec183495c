"""Which form of certificate a kind of device gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchd.certificate.predicate import PREDICATE_TYPE
from benchd.certificate.signed_pictures import has_signed_picture
from benchd.certificate.statement import statement_of
from benchd.certificate.statement_check import FORMS, Rules
from benchd.domain.errors import CertificateGap
from benchd.domain.ids import ANDROID, DeviceKind
from benchd.proof.erasure import HandsetErasure, VerifiedErasure
from benchd.signing.key_ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """Who issues a certificate, and when."""

    at: datetime
    site: str
    site_address: str | None = None
    benchd_version: str
    benchd_commit: str
    ring: KeyRing
    """The rack's own keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateForm:
    """What a certificate of one kind of device says, and its rules."""

    kind: DeviceKind
    predicate_type: str
    statement_of: Callable[[VerifiedErasure, Issuing], object]
    """The statement, as a dataclass in JSON's names; raises CertificateGap."""
    rules: Rules
    """All that keeps a statement of this type from being a certificate."""


def _statement_of_handset(erasure: VerifiedErasure, issuing: Issuing) -> object:
    if not isinstance(erasure, HandsetErasure):
        raise CertificateGap(("only the erasure of a handset has a certificate of this form",))
    picture = erasure.evidence.initialise.picture
    if picture is not None and not has_signed_picture(issuing.ring, picture):
        raise CertificateGap(("initialise: the picture isn't signed by this rack",))
    return statement_of(
        erasure,
        at=issuing.at,
        site=issuing.site,
        site_address=issuing.site_address,
        benchd_version=issuing.benchd_version,
        benchd_commit=issuing.benchd_commit,
    )


HANDSET_FORM: Final = CertificateForm(
    kind=ANDROID,
    predicate_type=PREDICATE_TYPE,
    statement_of=_statement_of_handset,
    rules=FORMS[PREDICATE_TYPE],
)
