"""Whether a handset is proven costs the ledger one read, however many ask however often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio
import pytest

from benchd.domain.errors import LedgerBusy, LedgerFault
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome
from benchd.domain.record import StoredEntry
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from tests.web.web_fakes import BEGAN, JOB, FakeRack, running_view
from tests.web.web_running import Browser

pytestmark = pytest.mark.asyncio

PROOF = "/api/v1/slots/A1/proof"


def sold() -> SlotView:
    return replace(
        running_view(),
        state=SlotState.FINISHED,
        outcome=Outcome.PASSED,
        disposition=Disposition.SELLABLE,
    )


class CountedLedger:
    """Counts its reads, which may fail."""

    def __init__(self, rack: FakeRack) -> None:
        self._entries = rack.ledger.entries
        self.asked = 0
        self.fault: Exception | None = None

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self.fault is not None:
            raise self.fault
        return await self._entries(job)


@pytest.fixture
def ledger(rack: FakeRack, monkeypatch: pytest.MonkeyPatch) -> CountedLedger:
    rack.board.show(sold())
    rack.ledger.keep_job(
        outcome="passed", disposition="sellable", reason=None, certificate='{"payload": ""}'
    )
    counted = CountedLedger(rack)
    monkeypatch.setattr(rack.ledger, "entries", counted.entries)
    return counted


async def test_row_1_however_many_ask_the_ledger_is_read_once(
    ledger: CountedLedger, visit: Browser
) -> None:
    told: list[object] = []
    async with visit() as client:

        async def ask() -> None:
            told.append((await client.get(PROOF)).json()["proven"])

        for _ in range(2):
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(ask)
        await client.get("/api/v1/queue")
    assert told == [True] * 20
    assert ledger.asked == 1


async def test_row_1_what_the_slot_puts_on_record_is_asked_for_anew(
    rack: FakeRack, ledger: CountedLedger, visit: Browser
) -> None:
    async with visit() as client:
        assert (await client.get(PROOF)).json()["proven"] is True
        rack.issuer.doubts = {JOB}
        rack.board.show(replace(sold(), since=BEGAN))
        assert (await client.get(PROOF)).json()["proven"] is False
        rack.board.show(running_view())
        assert (await client.get(PROOF)).json()["proven"] is False
        rack.board.show(sold())
        rack.issuer.doubts = set()
        assert (await client.get(PROOF)).json()["proven"] is True
    assert ledger.asked == 3


@pytest.mark.parametrize(
    ("fault", "code", "again"),
    [(LedgerBusy("busy"), "ledger_busy", "1"), (LedgerFault("gone"), "ledger_fault", None)],
)
async def test_row_1_what_could_not_be_read_is_neither_proven_nor_remembered(
    ledger: CountedLedger, visit: Browser, fault: Exception, code: str, again: str | None
) -> None:
    async with visit() as client:
        ledger.fault = fault
        refused = await client.get(PROOF)
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == code
        assert refused.headers.get("retry-after") == again
        assert (await client.get("/api/v1/queue")).status_code == 200
        ledger.fault = None
        assert (await client.get(PROOF)).json()["proven"] is True
