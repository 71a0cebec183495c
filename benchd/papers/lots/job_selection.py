"""Which jobs are asked for, as of one record of the ledger, with none left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

import anyio

from benchd.domain.errors import NotFound, RecordsUnavailable, UsageRefused
from benchd.domain.ids import JobId
from benchd.domain.lot_papers import AskedPapers, Listed, PapersOf
from benchd.ledger.records.records_access import Records
from benchd.proof.intake_book import IntakeBook, Lot

MOST_ASSETS: Final = 50_000
"""In one list, whether they have come or not; who has more asks by lot."""
WAIT_S: Final = 30.0
"""For a read model that is behind the ledger."""


class Chooser:
    """The read model says which jobs there are; a list that lacks one is refused, not signed."""

    def __init__(
        self, lists: Records, book: Callable[[], IntakeBook], head: Callable[[], int]
    ) -> None:
        """`head` is the number of the ledger's last record."""
        self._lists = lists
        self._book = book
        self.head = head

    async def choose(self, asked: AskedPapers) -> tuple[Listed, Sequence[Lot]]:
        """The jobs, and the lots that were asked for; none where it was a day.

        Raises NotFound, UsageRefused or RecordsUnavailable.
        """
        lots = self._lots(asked)
        head = self.head()
        try:
            with anyio.fail_after(WAIT_S):
                await self._lists.reached(head)
        except TimeoutError as error:
            message = "the file of records is behind the ledger: try again in a while"
            raise RecordsUnavailable(message) from error
        listed = await self._lists.jobs_of(asked, [lot.told.lot for lot in lots])
        if listed.upto.sequence < head:
            message = "the file of records is being made anew: try again in a while"
            raise RecordsUnavailable(message)
        self._refuse_gaps(listed, lots)
        if not listed.jobs and not any(lot.tags for lot in lots):
            message = f"there are no handsets of {asked.of} {asked.name}"
            raise NotFound(message)
        return listed, lots

    def _lots(self, asked: AskedPapers) -> Sequence[Lot]:
        if asked.of is PapersOf.DAY:
            return ()
        lots = [
            lot
            for lot in self._book().lots.values()
            if asked.name == (lot.told.lot if asked.of is PapersOf.LOT else lot.told.consignor)
        ]
        if not lots:
            message = f"there is no {asked.of} {asked.name}"
            raise NotFound(message)
        if sum(len(lot.tags) for lot in lots) > MOST_ASSETS:
            message = f"these are more than {MOST_ASSETS} assets: ask by lot or by day"
            raise UsageRefused(message)
        return lots

    def _refuse_gaps(self, listed: Listed, lots: Sequence[Lot]) -> None:
        """The book of intake is the ledger's own: it knows which jobs these lots had."""
        book, there = self._book(), {each.line.job for each in listed.jobs}
        for lot in lots:
            for tag in lot.tags:
                for bound in book.bound.get(tag, ()):
                    newer = bound.sequence > listed.upto.sequence
                    if not newer and book.of_job[bound.job] is bound:
                        _refuse_without(bound.job, there)


def _refuse_without(job: JobId, there: Collection[JobId]) -> None:
    if job not in there:
        message = f"the file of records lacks job {job}: make it anew (`benchd records rebuild`)"
        raise RecordsUnavailable(message)
