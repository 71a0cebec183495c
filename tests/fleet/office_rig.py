"""The centre's read side on a real database, and racks that tell of jobs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
from starlette.types import ASGIApp

from benchd.certificate import SigningKey
from benchd.domain.evidence_json import FORM
from benchd.domain.ids import Evidence, JobId
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.fleet.counted_jobs import job_counting
from benchd.fleet.filed_jobs import job_filing
from benchd.fleet.fleet_database import open_database
from benchd.fleet.offices import Offices
from benchd.fleet.pages_app import create_pages_app
from benchd.fleet.record_follower import RecordFollower
from benchd.ledger.ledger_record import seal
from tests.certificate.certificate_rack import (
    ERASER,
    IMEI,
    ISSUED_AT,
    JOB,
    START,
    answer,
    issuer_of,
    proven_erasure,
    records_of_an_erasure,
)
from tests.fleet.centre_rig import NOW, Centre, centre
from tests.fleet.written_ledger import WrittenLedger

RECHECK = JobId("20261125-A1-0001")


class Drawn:
    """Entropy that tests foresee."""

    def __init__(self) -> None:
        self._count = 0

    def token(self, size_bytes: int) -> bytes:
        self._count += 1
        return bytes([self._count]) * size_bytes


def tell(ledger: WrittenLedger, entries: Iterable[Entry]) -> None:
    """Put these on a rack's record, after all that is there."""
    for entry in entries:
        sequence, previous = ledger.places[-1]
        row = seal(entry, sequence=sequence + 1, previous=previous)
        ledger.records.append((row.sequence, row.hash, row.body))


def certified(ledger: WrittenLedger, folder: Path, *, drawn: bool = False) -> bytes:
    """A whole erasure goes on a rack's record, with its certificate, which is given.

    That of one that was drawn stands in its recheck.
    """
    key = SigningKey(ledger.key)
    folder.mkdir()
    envelope = issuer_of(key, folder).issue(proven_erasure(), ISSUED_AT)
    opened = Entry(
        kind=EntryKind.JOB_OPENED,
        at=START,
        job=JOB,
        data={"recipe": "overwrite", "usb_serial": "R5CT10ABCDE"},
    )
    sold = {
        "outcome": Outcome.PASSED,
        "disposition": Disposition.SELLABLE,
        "reason": None,
        "detail": "",
        "certificate": envelope.decode(),
    }
    erased = [
        stored.entry
        for stored in records_of_an_erasure()
        if stored.entry.kind not in (EntryKind.JOB_OPENED, EntryKind.JOB_ENDED)
    ]
    if not drawn:
        tell(ledger, [opened, *erased, _at_end(EntryKind.JOB_ENDED, JOB, sold)])
        return envelope
    due = {"disposition": Disposition.HOLD, "reason": Reason.RECHECK_DUE, "certificate": None}
    draw = {"share": 0.1, "token": "0" * 16, "owed": [], "drawn": True}
    said = {"drawn_job": JOB, "screen_number": IMEI, "answer": answer(Gate.RECHECK, ERASER)}
    unsaid = dict.fromkeys(("usb_serial", "vendor_id", "product_id"))
    found = {**said, "interfaces": ["060101"], **unsaid}
    stage = {"stage": StageName.FIND_DRAWN, "outcome": Outcome.PASSED, "because": None}
    rest = {"form": FORM, "came_back": None, "evidence": found}
    recheck = [
        _at_end(EntryKind.RECHECK_DRAWN, JOB, draw),
        _at_end(EntryKind.JOB_ENDED, JOB, {**sold, **due}),
        _at_end(EntryKind.JOB_OPENED, RECHECK, {"recipe": "recheck", "usb_serial": ""}),
        _at_end(EntryKind.STAGE_ENDED, RECHECK, {**stage, **rest}),
        _at_end(EntryKind.JOB_ENDED, RECHECK, sold),
    ]
    tell(ledger, [opened, *erased, *recheck])
    return envelope


def _at_end(kind: EntryKind, job: JobId, data: Evidence) -> Entry:
    return Entry(kind=kind, at=ISSUED_AT, job=job, data=data)


@dataclass(frozen=True, kw_only=True)
class Office:
    """A centre, somebody with a token, and strangers."""

    centre: Centre
    offices: Offices
    filed: RecordFollower
    counted: RecordFollower
    secret: str
    http: httpx2.AsyncClient
    pages: ASGIApp

    async def find(self, number: str, secret: str | None = None) -> httpx2.Response:
        headers = {"authorization": f"Bearer {secret or self.secret}"}
        return await self.http.get("/v1/handsets", params={"number": number}, headers=headers)

    async def ask(self, path: str, **asked: str) -> Any:  # noqa: ANN401 - JSON
        headers = {"authorization": f"Bearer {self.secret}"}
        answer = await self.http.get(path, params=asked, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def standing(self, number: str, digest: str) -> tuple[str, str | None]:
        answer = await self.http.get(f"/v1/certificates/{number}/{digest}")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told.keys() == {"standing", "model"}
        return told["standing"], told["model"]


@asynccontextmanager
async def office(conninfo: str) -> AsyncGenerator[Office]:
    async with centre(conninfo) as here, open_database(conninfo) as database:
        offices, filed = Offices(database), job_filing(database)
        counted = job_counting(database)
        app = create_pages_app(database, filed, counted, anyio.Event(), lambda: NOW)
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://centre"
        ) as http:
            secret = await offices.add("kanda", 30, Drawn())
            yield Office(
                centre=here,
                offices=offices,
                filed=filed,
                counted=counted,
                secret=secret,
                http=http,
                pages=app,
            )
