"""A rack as a process of its own: the product's ledger, sender and questions, led by its stdin.

`python -m tests.fleet.faults.rack_program LEDGER KEY CENTRE_KEY URL NAME`. A line of JSON is a
command, and a line of JSON answers it. Time passes for the sender by the pauses that it asks for.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from benchd.daemon.system_clock import SystemEntropy
from benchd.domain.evidence_json import to_json
from benchd.domain.handset_question import HandsetQuestion, NotAsked
from benchd.domain.ids import JobId
from benchd.domain.job import StageName
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import SqliteLedger, open_ledger
from benchd.ledger.follower import open_feed
from benchd.ledger.ledger_store import LedgerStore
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.outbound.fleet.centre_questions import CentreQuestions, LazyPoster
from benchd.outbound.fleet.checkpoint_keeper import CheckpointKeeper, KeeperParts
from benchd.outbound.fleet.record_sender import LOOK_EVERY_S, RecordSender, SenderParts
from benchd.proof.evidence.other_racks_evidence import OtherRacksRecord
from benchd.signing.private_key import load_key
from benchd.signing.public_key import public_key_of
from tests.fleet.handset_stories import RackStory

SENDER_WAITS_S = 0.5
JOB_WAITS_S = 1.0
BEGAN = datetime(2026, 11, 24, 9, tzinfo=UTC)


@dataclass
class Heard:
    """What the rack's own metrics say."""

    since: float = 0
    forks: int = 0
    restores: int = 0

    def acknowledged(self, records: int) -> None:
        del records

    def failed(self) -> None:
        """It goes on nevertheless."""

    def waits_since(self, at: float) -> None:
        self.since = at

    def centre_reported(self, *, forks: int, restores: int, knows_more: bool) -> None:
        del knows_more
        self.forks, self.restores = forks, restores


class Story(RackStory):
    """What a job writes, kept until it is appended."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(name)
        self.said: list[tuple[EntryKind, dict[str, object], str]] = []
        self.skip(number - 1)

    def put(self, kind: str, data: object, job: str) -> None:
        assert isinstance(data, dict)
        self.said.append((EntryKind(kind), data, job))


@dataclass
class Rack:
    """What the commands work with."""

    name: str
    path: Path
    ledger: SqliteLedger
    sender: RecordSender
    questions: CentreQuestions
    heard: Heard
    at: list[float]
    clock_s: list[float] = field(default_factory=lambda: [0.0])

    async def append(self, kind: EntryKind, data: object, job: str | None = None) -> None:
        at = BEGAN + timedelta(seconds=self.at[0] + self.clock_s[0])
        named = None if job is None else JobId(job)
        await self.ledger.append(Entry(kind=kind, at=at, job=named, data=data))  # type: ignore[arg-type]

    async def tell(self, story: Story) -> None:
        for kind, data, job in story.said:
            await self.append(kind, data, job)
        story.said.clear()

    async def write(self, told: str, count: int) -> bool:
        for _ in range(count):
            await self.append(EntryKind.CONFIG_CHANGED, {"told": told})
        return True

    async def send(self, steps: int) -> bool:
        """So many steps at most; whether nothing is left to be sent."""
        for _ in range(steps):
            rest_s = await self.sender.step()
            self.at[0] += rest_s
            if rest_s == LOOK_EVERY_S and self.heard.since == 0:
                return True
        return False

    async def told(self) -> list[int]:
        return [self.heard.forks, self.heard.restores]

    async def clock(self, by_s: float) -> bool:
        self.clock_s[0] += by_s
        return True

    async def crush(self, number: int, imei: str) -> bool:
        story = Story(self.name, number)
        story.crushes(imei)
        await self.tell(story)
        return True

    async def begin(self, number: int, imei: str) -> str | None:
        """A job as far as its gates: its name, or None where it ended there."""
        story = Story(self.name, number)
        job = story.opens(imei)
        await self.tell(story)
        if self._has_crushed(imei):
            story.ends(job, "destroy", "destroyed_before")
        elif await self._asks(job, imei, StageName.GATES):
            return job
        else:
            story.ends(job, "hold", "held_elsewhere")
        await self.tell(story)
        return None

    async def finish(self, job: str, imei: str) -> bool:
        """The job's end: whether it is certified."""
        story = Story(self.name, 1)
        free = await self._asks(job, imei, StageName.CERTIFY)
        if free:
            story.ends(job, "sellable", None, "passed")
        else:
            story.ends(job, "hold", "held_elsewhere")
        await self.tell(story)
        return free

    async def _asks(self, job: str, imei: str, stage: StageName) -> bool:
        """Whether it may go on, by a recipe that says so where the centre can't be asked."""
        question = HandsetQuestion(
            job=JobId(job),
            stage=stage,
            imeis=(imei,),
            proven=(imei,),
            is_full=True,
            serial=f"HQ{imei[7:14]}",
            model="sony so-51c",
            lease=self._last_lease(job),
        )
        told = await self.questions.ask(question)
        await self.append(
            EntryKind.OTHER_RACKS_ASKED, to_json(OtherRacksRecord.of(stage, told)), job
        )
        return isinstance(told, NotAsked) or not told.findings

    def _on_record(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as file:
            rows = file.execute("SELECT body FROM record ORDER BY sequence")
            return [json.loads(row[0]) for row in rows]

    def _last_lease(self, job: str) -> int | None:
        """By its own ledger, as the product does."""
        told = [
            each["data"]["lease"]["number"]
            for each in self._on_record()
            if (each["kind"], each["job"]) == ("other_racks_asked", job) and each["data"]["lease"]
        ]
        return told[-1] if told else None

    def _has_crushed(self, imei: str) -> bool:
        """By its own ledger."""
        told = self._on_record()
        jobs = {
            each["job"]
            for each in told
            if each["kind"] == "job_ended" and each["data"]["disposition"] == "destroy"
        }
        return any(
            each["job"] in jobs
            and each["kind"] == "stage_ended"
            and each["data"]["evidence"].get("imei") == imei
            for each in told
        )


async def lead(rack: Rack) -> None:
    # What the product logs by default goes to stdout, too.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    while line := await to_thread.run_sync(sys.stdin.readline):
        name, *values = json.loads(line)
        answer = await getattr(rack, name)(*values)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


async def run(ledger: str, key_file: str, centre_key: str, url: str, name: str) -> None:
    path, at, heard = Path(ledger), [0.0], Heard()
    key = load_key(Path(key_file))
    centre = public_key_of(Path(centre_key).read_bytes())
    target = CentreTarget(
        url=url, key=centre, client=None, authority=None, timeout_s=SENDER_WAITS_S
    )
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_ledger(path, head_key=key))
        feed = await stack.enter_async_context(open_feed(path))
        line = HttpCentre(target, key.ring.rack)
        stack.push_async_callback(line.aclose)
        keeper = KeeperParts(
            feed=feed,
            file=path.with_suffix(".checkpoint"),
            record=opened.append,
            now=lambda: BEGAN + timedelta(seconds=at[0]),
            monotonic=lambda: at[0],
            centre=centre,
            rack=key.ring.rack,
        )
        parts = SenderParts(
            feed=feed,
            head=lambda: opened.head,
            key=key,
            checkpoints=CheckpointKeeper(keeper),
            monotonic=lambda: at[0],
            chance=lambda: 0.5,
            sink=heard,
        )
        poster = LazyPoster(replace(target, timeout_s=JOB_WAITS_S), key.ring.rack, 1)
        stack.push_async_callback(poster.aclose)
        questions = CentreQuestions(poster.post, centre, key, SystemEntropy())
        await lead(Rack(name, path, opened, RecordSender(line, parts), questions, heard, at))


def put_on_record(ledger: str, key_file: str, known: int) -> None:
    """What `benchd ledger restored` does to a ledger, without a rack's whole configuration."""
    store = LedgerStore(Path(ledger), load_key(Path(key_file)), behind=True)
    try:
        entry = Entry(kind=EntryKind.LEDGER_RESTORED, at=BEGAN, data={"because": "a dead disk"})
        store.number_on(entry, known=known)
    finally:
        store.close()


if __name__ == "__main__":
    if sys.argv[1] == "restored":
        put_on_record(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        anyio.run(partial(run, *sys.argv[1:]))
