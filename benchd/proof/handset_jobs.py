"""Every record of the ledger that may be of one handset: by numbers, serial, chips and label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchd.domain.handset import Trait
from benchd.domain.ids import JobId
from benchd.domain.ports import Ledger
from benchd.domain.record import StoredEntry
from benchd.proof.identity.placeholder_serials import is_filler
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of

MOST_JOBS = 100
"""The newest of each number, serial and chip, beside all that doom or have drawn a handset."""


async def records_of_handset(
    ledger: Ledger, seen: Sighting, labelled: Sequence[JobId] = ()
) -> list[StoredEntry]:
    """All records of other jobs that share something with this one or with its handset, in order.

    Its handset's other jobs may tell a number that this one doesn't: those of that number are
    among them too. `labelled` are jobs in which the same label was scanned. Whether they are of
    one handset `proof.identity` says.
    """
    search = _Search(ledger, seen)
    await search.add(labelled)
    while (due := search.next_trait()) is not None:
        await search.add(await ledger.handset_jobs(*due, MOST_JOBS))
    return search.records()


class _Search:
    """Looks up what the handset tells, until its jobs tell nothing new."""

    def __init__(self, ledger: Ledger, seen: Sighting) -> None:
        self._ledger = ledger
        self._me = seen
        self._records: dict[JobId, Sequence[StoredEntry]] = {}
        self._sightings: dict[JobId, Sighting] = {}
        self._looked_up: set[tuple[Trait, str]] = set()

    async def add(self, jobs: Sequence[JobId]) -> None:
        for job in jobs:
            if job != self._me.job and job not in self._records:
                self._records[job] = records = await self._ledger.entries(job)
                self._sightings[job] = sighting_of(job, records)

    def next_trait(self) -> tuple[Trait, str] | None:
        mine = Handsets(self._me, self._sightings.values()).mine if self._sightings else None
        for sighting in (self._me, *(mine.sightings if mine else ())):
            for trait in _traits_of(sighting):
                if trait not in self._looked_up:
                    self._looked_up.add(trait)
                    return trait
        return None

    def records(self) -> list[StoredEntry]:
        found = {each.sequence: each for records in self._records.values() for each in records}
        return [found[sequence] for sequence in sorted(found)]


def _traits_of(sighting: Sighting) -> Iterator[tuple[Trait, str]]:
    for imei in sorted(sighting.imeis):
        yield Trait.IMEI, imei
    for chip in sorted(sighting.chips):
        yield Trait.CHIP, chip
    for serial in sorted(sighting.serials):
        if not is_filler(serial):
            yield Trait.SERIAL, serial
