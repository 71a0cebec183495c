"""Whether a handset that was re-checked may be sold under the certificate of an earlier job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchd.domain.ids import JobId
from benchd.domain.job import Reason
from benchd.domain.record import StoredEntry
from benchd.proof.identity.placeholder_serials import is_filler
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.traits import Relation
from benchd.proof.objections import gaps_since, stay_of_drawn
from benchd.proof.recheck_proof import up_to_end


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNamed:
    """The job whose end has the certificate that somebody names, with all that bears on it."""

    job: JobId
    records: Sequence[StoredEntry]
    drawn: Sequence[StoredEntry] = ()
    """Those of the job that was drawn, where the certificate is of that one's erasure."""
    others: Sequence[StoredEntry] = ()
    """Those of its handset's other jobs."""
    intake: Sequence[StoredEntry] = ()
    """What has come in since."""


def sold_under_gaps(
    job: JobId, own: Sequence[StoredEntry], named: CertificateNamed
) -> Iterator[str]:
    """Why the handset of a job that has re-checked it isn't sold under that certificate.

    Raises CertificateGap for records that can't be read.
    """
    met = sighting_of(named.job, named.records)
    if not named.records or not met.is_certified:
        yield f"job {named.job} has no certificate"
        return
    if named.records[-1].sequence > own[0].sequence:
        yield f"job {named.job} was certified after this re-check"
    erased = named.drawn or named.records
    yield from differing(_seen(job, own), _seen(named.job, erased))
    yield from _since(job, met, named)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenOfHandset:
    """What machines have told of the handset of one job."""

    serials: frozenset[str]
    chips: frozenset[str]
    imeis: frozenset[str]

    @classmethod
    def of(
        cls, *, serials: Iterable[str | None], chips: Iterable[str | None], imeis: Iterable[str]
    ) -> SeenOfHandset:
        """Without serials that are nobody's, and without what wasn't told."""
        return cls(
            serials=frozenset(serial for serial in serials if serial and not is_filler(serial)),
            chips=frozenset(chip for chip in chips if chip),
            imeis=frozenset(imeis),
        )


def _seen(job: JobId, records: Sequence[StoredEntry]) -> SeenOfHandset:
    met = sighting_of(job, records)
    usb = records[0].entry.data.get("usb_serial") if records else None
    serials = [*met.serials, usb if isinstance(usb, str) else None]
    return SeenOfHandset.of(serials=serials, chips=met.chips, imeis=met.imeis)


def differing(now: SeenOfHandset, then: SeenOfHandset) -> Iterator[str]:
    """Whatever both have told has to agree, and something has to."""
    pairs = ((now.serials, then.serials), (now.chips, then.chips), (now.imeis, then.imeis))
    told = [(mine, theirs) for mine, theirs in pairs if mine and theirs]
    if any(mine.isdisjoint(theirs) for mine, theirs in told):
        yield "it is of another handset, by serial, chip or IMEI"
    elif not told:
        yield "nothing that this re-check has read shows that it is of this handset"


def _since(job: JobId, met: Sighting, named: CertificateNamed) -> Iterator[str]:
    """What was done with that handset after the certificate speaks against it, a re-check doesn't.

    A later certificate is the one to be named.
    """
    mine = {job, named.job, *((named.drawn[0].entry.job,) if named.drawn else ())}
    certified_at = named.records[-1].sequence
    sightings = sightings_in(named.others)
    handsets = Handsets(met, sightings)
    for later in sightings:
        if later.job in mine or later.sequence < certified_at:
            continue
        if handsets.relation(later.job) is Relation.NONE:
            continue
        if later.end is None or later.end.data.get("reason") != Reason.RECHECKED:
            yield f"job {later.job} has come later"
    erased = named.drawn or named.records
    stay = stay_of_drawn(erased[0].entry.job or named.job, up_to_end(erased))
    yield from gaps_since(stay, named.intake)
