"""How long people and racks wait for an answer where the centre knows very many jobs."""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import anyio
import httpx2
import psycopg
from anyio import to_thread

from benchd.daemon.system_clock import SystemEntropy
from benchd.domain.errors import BenchdError
from benchd.domain.handset_question import HandsetQuestion
from benchd.domain.ids import JobId
from benchd.domain.job import StageName
from benchd.fleet.filed_jobs import job_filing
from benchd.fleet.offices import Offices
from benchd.lab.benchmarks.fleet.bench_centre import BenchCentre, bench_centre
from benchd.lab.benchmarks.fleet.filled_jobs import fill, share_with_records
from benchd.lab.benchmarks.fleet.ingest import BatchNotTaken
from benchd.lab.benchmarks.fleet.synthetic_racks import RECORDS_PER_JOB, SyntheticRack
from benchd.lab.benchmarks.percentiles import percentile
from benchd.lab.benchmarks.synthetic_jobs import AGAIN_EVERY, Certified, Named, TakenIn
from benchd.lab.demo.private_postgres import Cluster
from benchd.ledger.fleet_question import NONCE_BYTES, encode_question
from benchd.outbound.fleet.centre_questions import LazyPoster
from benchd.outbound.fleet.ports import Taken
from benchd.outbound.http_post import Failure

RACKS: Final = 50
EVERY_S: Final = 0.25
"""The pages answer one source five times a second."""
QUESTIONS: Final = 10
"""For each look, since racks aren't slowed down: of 100 a p99 is the second longest, by chance."""
WITHIN_S: Final = 120.0
UNKNOWN: Final = 500_000_000
"""No job has so high a number, so its handset is none that the centre knows."""


class NotAnswered(BenchdError):
    """Raised where the centre doesn't answer what a bench asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """The times of one kind of question."""

    count: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """Each kind beside the others."""

    jobs: int
    filled_s: float
    database_bytes: int
    kinds: Mapping[str, Took]


NUMBERS: Final[Mapping[str, Callable[[int], str]]] = {
    "look-up of an IMEI": Named.imei,
    "an IMEI's last six": lambda number: Named.imei(number)[-6:],
    "a serial": Named.serial,
    "a serial's last four": lambda number: Named.serial(number)[-4:],
    "a tag": TakenIn.tag,
    "a whole job": Named.job,
    "a job's last ten": lambda number: Named.job(number)[-10:],
    "a whole certificate": Certified.certificate,
    "a certificate's first sixteen": lambda number: Certified.certificate(number)[:16],
    "what every job begins with": lambda _number: "2026",
    "what none begins or ends with": lambda number: f"{number:05d}Q{number:05d}",
}


def took(seconds: list[float]) -> Took:
    """Their percentiles."""
    return Took(
        count=len(seconds),
        p50_ms=percentile(seconds, 0.5) * 1000,
        p99_ms=percentile(seconds, 0.99) * 1000,
    )


async def measure_lookups(cluster: Cluster, *, jobs: int, looks: int) -> Lookups:
    """So many looks of each kind among so many jobs.

    Nobody looks before all that filling has written is on the disk: its writes aren't the centre's.
    Nor is a full collection of this process's own objects, which stops it for 0.1 s.
    """
    senders = [SyntheticRack(number) for number in range(RACKS)]
    chance = random.Random(1)  # noqa: S311 - what is looked for is no secret
    async with bench_centre(cluster, senders, "lookups", with_pages=True) as centre:
        filled_s = await _fill(centre, senders[0], jobs)
        gc.collect()
        gc.freeze()
        kinds = await _looks(centre, chance, jobs, looks)
        share = share_with_records(jobs)
        # A handset of that share, by its first job.
        questions = QUESTIONS * looks
        first = [chance.randrange(-(-jobs // 2 // share)) * share for _ in range(questions)]
        known = [Named.handset(number) for number in first]
        for kind, numbers in {
            "gate question": known,
            "the same of a handset that nobody knows": [UNKNOWN + n for n in range(questions)],
        }.items():
            kinds[kind] = await _questions(centre, senders[1], numbers)
        size = await to_thread.run_sync(partial(_size, centre.conninfo))
    return Lookups(jobs=jobs, filled_s=filled_s, database_bytes=size, kinds=kinds)


async def _looks(
    centre: BenchCentre, chance: random.Random, jobs: int, looks: int
) -> dict[str, Took]:
    secret = await Offices(centre.database).add("bench", 1, SystemEntropy())
    kinds: dict[str, Took] = {}
    async with httpx2.AsyncClient(
        base_url=str(centre.pages_url),
        timeout=WITHIN_S,
        headers={"authorization": f"Bearer {secret}"},
    ) as client:

        async def look(text: str) -> None:
            answer = await client.get("/v1/handsets", params={"number": text})
            if not answer.is_success:
                message = f"the centre's pages answered {answer.status_code}: {answer.text[:200]}"
                raise NotAnswered(message)

        for kind, of_job in NUMBERS.items():
            seconds: list[float] = []
            for _ in range(looks):
                text = of_job(chance.randrange(jobs))
                seconds.append(await _timed(partial(look, text)))
                await anyio.sleep(EVERY_S)
            kinds[kind] = took(seconds)
    return kinds


async def _questions(centre: BenchCentre, rack: SyntheticRack, handsets: Sequence[int]) -> Took:
    target = replace(centre.target(), timeout_s=WITHIN_S)
    poster, entropy = LazyPoster(target, rack.key.ring.rack, 1), SystemEntropy()
    seconds: list[float] = []
    try:
        for count, number in enumerate(handsets):
            imei = Named.imei(number)
            asks = HandsetQuestion(
                job=JobId(f"asking-{number}-{count}"),
                stage=StageName.GATES,
                imeis=(imei,),
                proven=(imei,),
                is_full=False,
                serial=Named.serial(number),
                model=None,
            )
            question = encode_question(asks, entropy.token(NONCE_BYTES), rack.key)

            async def ask(question: bytes = question) -> None:
                answer = await poster.post(question)
                if isinstance(answer, Failure):
                    message = f"a question wasn't answered: {answer.why}"
                    raise NotAnswered(message)

            seconds.append(await _timed(ask))
    finally:
        await poster.aclose()
    return took(seconds)


async def _timed(call: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


async def _fill(centre: BenchCentre, sender: SyntheticRack, jobs: int) -> float:
    rows = [sender.write() for _ in range(AGAIN_EVERY * RECORDS_PER_JOB)]
    client = centre.client_of(sender)
    taken = await client.take(sender.batch(rows))
    await client.aclose()
    if not isinstance(taken, Taken):
        message = f"the centre didn't take a batch: {taken.why}"
        raise BatchNotTaken(message)
    await job_filing(centre.database).catch_up()
    with psycopg.connect(centre.conninfo) as connection:
        found = connection.execute(
            "SELECT id FROM rack ORDER BY key_id <> %s, id", (sender.key.ring.rack,)
        )
        racks = [int(row[0]) for row in found]
    began = time.perf_counter()
    await to_thread.run_sync(partial(fill, centre.conninfo, racks, jobs))
    await to_thread.run_sync(partial(_write_out, centre.conninfo))
    return time.perf_counter() - began


def _write_out(conninfo: str) -> None:
    """What PostgreSQL has in its buffers, and what it has given the kernel without a log."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    os.sync()


def _size(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return 0 if found is None else int(found[0])
