"""The route by which another system finds the certificates of a handset, and what came after."""

# Annotations name what is made in the function, so they are read at once.

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query

from benchd.domain.disposal import DisposalState
from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.handset_file import CertifiedBy, CertifiedLine, JobLine
from benchd.domain.imei import is_imei
from benchd.domain.job import Disposition
from benchd.domain.token import Scope
from benchd.ledger.job_aftermath import HandsetSince, Since
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.certificate_status import envelope_of
from benchd.web.error_answers import INVALID, LEDGER, LONGEST_NAME
from benchd.web.records_objects import UptoObject
from benchd.web.serialiser import Foreign, Moment, Verbatim, WebObject
from benchd.web.service import ServedRack

Wanted = Annotated[str | None, Query(min_length=1, max_length=LONGEST_NAME)]


class FoundCertificateObject(WebObject):
    """A certificate of the rack's own ledger, and what was begun with its handset since."""

    number: Verbatim
    """The SHA-256 of its file."""
    job: Verbatim
    ended_at: Moment | None
    manufacturer: Foreign | None
    model: Foreign | None
    imeis: list[Foreign]
    lot: Foreign | None
    tag: Foreign | None
    disposition: Disposition | None
    """What the job said; a hold or a later job may say otherwise."""
    state: DisposalState | None
    newest: bool
    """Whether nothing was begun with the handset since, and it hasn't come in again."""
    later_jobs: list[Foreign]
    """What was begun since with it, or one that can't be told from it: their ends count now.

    Also the case under which it was entered by hand as one that can't be erased.
    """
    again_as: Foreign | None
    """Under which tag it has come in again since."""
    held_by: Foreign | None
    """Which other system holds it back: it isn't to be sold then, whatever is certified."""
    certificate_json: Verbatim
    certificate_pdf: Verbatim | None


class CertificatesObject(WebObject):
    """The newest certificate first."""

    certificates: list[FoundCertificateObject]
    doubted: list[Verbatim]
    """Jobs whose certificate the rack doesn't vouch for: it counts for nothing."""
    upto: UptoObject


def certificate_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/certificates`."""
    router = APIRouter(prefix="/api/v1/certificates", responses=INVALID | LEDGER)

    async def vouched(job: JobLine) -> bool:
        """The read model decides nothing: it is asked of the ledger."""
        try:
            envelope = await envelope_of(rack, job.job)
        except NotFound:
            return False
        return hashlib.sha256(envelope).hexdigest() == job.certificate

    async def told(line: CertifiedLine, since: HandsetSince) -> FoundCertificateObject:
        later = await since.of(line.job.job, await rack.ledger.entries(line.job.job))
        return _object(line, later, line.job.held_by(rack.holder))

    @router.get("")
    @served_to(AccessLevel.READ, token=Scope.CERTIFICATES_READ)
    async def certificates(
        imei: Wanted = None, tag: Wanted = None, number: Wanted = None
    ) -> CertificatesObject:
        """Those of one handset by its IMEI, one asset by its tag, or the one with a number.

        A number is that of the certificate (the SHA-256 of its file) or of its job.
        """
        lines = await rack.records.certified(*_asked(imei, tag, number))
        good = [line for line in lines if await vouched(line.job)]
        since = HandsetSince(rack.ledger, rack.intake.book)
        # The oldest first: what came in since is read once.
        found = [await told(line, since) for line in reversed(good)]
        return CertificatesObject.of(
            certificates=found[::-1],
            doubted=[line.job.job for line in lines if line not in good],
            upto=rack.records.upto,
        )

    return router


def _asked(imei: str | None, tag: str | None, number: str | None) -> tuple[CertifiedBy, str]:
    given = [
        (by, text)
        for by, text in (
            (CertifiedBy.IMEI, imei),
            (CertifiedBy.TAG, tag),
            (CertifiedBy.NUMBER, None if number is None else number.lower()),
        )
        if text is not None
    ]
    if len(given) != 1:
        raise UsageRefused("ask by one of these: imei, tag or number")
    if imei is not None and not is_imei(imei):
        raise UsageRefused("an IMEI has 15 digits with the right check digit")
    return given[0]


def _object(line: CertifiedLine, since: Since, holder: str | None) -> FoundCertificateObject:
    job = line.job
    # The read model knows by more, the ledger for certain.
    later = list(dict.fromkeys((*since.jobs, *line.later)))
    address = f"/api/v1/jobs/{job.job}/certificate"
    return FoundCertificateObject.of(
        job,
        since,
        number=job.certificate or "",
        newest=not later and since.again_as is None,
        later_jobs=later,
        held_by=holder,
        certificate_json=f"{address}.json",
        certificate_pdf=f"{address}.pdf",
    )
