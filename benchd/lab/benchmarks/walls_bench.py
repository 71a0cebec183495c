"""`benchd bench walls`: a rack at work on an old ledger, among strangers and other work.

192 visitors ask for pages, as many hold event streams, as many guess at badges and PINs, and other
programs want the processors. What has to hold all the same is listed with its bound in `BOUNDS`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
from anyio import to_thread

from benchd.certificate import load_rack_key
from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.bench_report import Line, say, tell
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.crowd_rack import CrowdRack, crowd_rack
from benchd.lab.benchmarks.crowd.in_order import run_in_order
from benchd.lab.benchmarks.crowd.latencies import count_records, read_steps
from benchd.lab.benchmarks.crowd.measure import (
    MOST_PATIENCE_S,
    account_of,
    attended,
    require_passed,
    until_ended,
)
from benchd.lab.benchmarks.crowd.places import CrowdPlan, plan_of, slot_name
from benchd.lab.benchmarks.old_ledger import KEY, old_ledger
from benchd.lab.benchmarks.percentiles import percentile
from benchd.lab.benchmarks.visitors.network import addresses, enter_own_network
from benchd.lab.benchmarks.visitors.programs import (
    EXPECTED,
    STRANGER,
    Program,
    busy_neighbours,
    program,
)
from benchd.lab.demo.crew import SECOND, BadgeReaderHands
from benchd.lab.demo.demo_operators import ANSWERS_WITHIN_S, NO_TLS
from benchd.ledger.head import Head
from benchd.ledger.reader import LedgerReader

KINDS: Final = ("ask", "hold", "guess")
BOUNDS: Final[Mapping[str, float]] = {
    "/healthz": 1.0,
    "/metrics": 1.0,
    "look": 2.0,
    "stay": 2.0,
    "answer": 2.0,
}
"""The longest that each may take, in seconds, once strangers are there."""
HOST: Final = addresses(1, 1)[0]
PERSON: Final = addresses(2, 1)[0]
CREW: Final = addresses(3, 1)[0]
SOURCES_OF_A_KIND: Final = 8
STRANGERS_FROM: Final = 10
ANSWERED_BEFORE: Final = frozenset({404, 409})
PIECE_RECORDS: Final = 10_000


class WallDown(BenchdError):
    """Raised when something didn't hold."""


@dataclass(slots=True)
class _Answers:
    """How long the rack's own people waited for what they answered to be taken."""

    took_s: list[float] = field(default_factory=list[float])
    refused: Counter[int] = field(default_factory=Counter[int])

    def connect(self, rack: CrowdRack) -> httpx2.AsyncClient:
        """A connection over TCP, as a screen has it."""
        begun: dict[int, float] = {}

        async def begin(request: httpx2.Request) -> None:
            begun[id(request)] = time.monotonic()

        async def end(response: httpx2.Response) -> None:
            await response.aread()
            took_s = time.monotonic() - begun.pop(id(response.request))
            if response.request.url.path.endswith("/decisions"):
                self.took_s.append(took_s)
                # An answer to what was answered a moment ago is nobody's loss.
                if not response.is_success and response.status_code not in ANSWERED_BEFORE:
                    self.refused[response.status_code] += 1

        return httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(local_address=CREW, verify=NO_TLS),
            base_url=f"http://{rack.http_host}:{rack.http_port}",
            headers={"host": "localhost"},
            timeout=ANSWERS_WITHIN_S,
            event_hooks={"request": [begin], "response": [end]},
        )


def bench_walls(
    *,
    count: int,
    records: int,
    strangers: int,
    neighbours: int,
    patience: float,
    pace: CrowdPace,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Measure, print, and raise WallDown for what didn't hold."""
    old = old_ledger(records)
    enter_own_network()
    work = Path(tempfile.mkdtemp(prefix="bw-", dir=directory))
    load_before = os.getloadavg()
    try:
        figures = run_in_order(
            partial(
                measure_walls,
                plan_of(count, pace),
                work / "r",
                old,
                strangers=strangers,
                neighbours=neighbours,
                patience=patience,
            )
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    figures = {**figures, "load_average": [*load_before, *os.getloadavg()]}
    tell("walls", figures, lines_of(figures), as_json=as_json)
    if figures["broken"]:
        raise WallDown(f"didn't hold: {figures['broken']}")


async def measure_walls(
    plan: CrowdPlan, directory: Path, old: Path, *, strangers: int, neighbours: int, patience: float
) -> dict[str, JsonValue]:
    """One rack from its start to its last certificate, with all of them from its first plug on."""
    async with crowd_rack(directory, plan, http_host=HOST, old=old) as rack:
        before = count_records(rack.folder.ledger)
        say(f"a rack of {rack.slots} on a ledger of {before} records")
        start_s = await rack.start_daemon(core=None)
        answers = _Answers()
        await rack.watch.door.aclose()
        rack.watch.door = BadgeReaderHands(partial(answers.connect, rack))
        address = f"{HOST}:{rack.http_port}"
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(busy_neighbours(neighbours))
            shown = (SECOND.badge, SECOND.id, SECOND.pin, PERSON)
            expected, _ = await stack.enter_async_context(program(EXPECTED, address, *shown))
            crowds: dict[str, Program] = {}
            for place, kind in enumerate(KINDS):
                sources = addresses(STRANGERS_FROM + place * SOURCES_OF_A_KIND, SOURCES_OF_A_KIND)
                crowds[kind], _ = await stack.enter_async_context(
                    program(STRANGER, kind, address, slot_name(1), strangers, *sources)
                )
            say(f"{3 * strangers} strangers and {neighbours} busy neighbours are there")
            begun, begun_wall, before_s = time.monotonic(), time.time(), _turns_of(rack)
            async with attended(rack):
                await rack.hands.plug(within_s=0.1)
                with anyio.fail_after(MOST_PATIENCE_S):
                    await until_ended(rack)
                wall_s = time.monotonic() - begun
                ran_s, waited_s = (
                    now - then for now, then in zip(_turns_of(rack), before_s, strict=True)
                )
                rss_bytes = account_of(rack).daemon_rss_bytes
                told = await expected.ended()
                met = {kind: await crowd.asked() for kind, crowd in crowds.items()}
        lags = rack.lags_ms(begun_wall)
        code = await rack.stop_daemon()
        require_passed(read_steps(rack.folder.ledger, before), range(1, rack.slots + 1))
        after = count_records(rack.folder.ledger)
        await to_thread.run_sync(follow, rack.folder.ledger, before)
    took: dict[str, list[float]] = {**told["took_s"], "answer": answers.took_s}
    broken = broken_of(took, told["wrong"], patience)
    if answers.refused:
        broken.append(f"answers were refused: {dict(answers.refused)}")
    if code:
        broken.append(f"the daemon ended with {code}")
    return {
        "handsets": rack.slots,
        "records_before": before,
        "records": after - before,
        "start_s": round(start_s, 2),
        "wall_s": round(wall_s, 1),
        "loop_ran_s": round(ran_s, 1),
        "loop_waited_for_processor_s": round(waited_s, 1),
        "rss_mb": round(rss_bytes / 1e6, 1),
        "lag_p99_ms": round(percentile(lags, 0.99), 1),
        "lag_max_ms": round(max(lags), 1),
        "took_s": {name: _spread(values) for name, values in took.items()},
        "strangers": met,
        "neighbours": neighbours,
        "broken": list(broken),
    }


def broken_of(
    took: Mapping[str, Sequence[float]], wrong: Sequence[str], patience: float = 1.0
) -> list[str]:
    """What took longer than it may, and what was answered otherwise than it must be.

    `patience` widens the bounds, where the processors are others' too.
    """
    late = [
        f"{name} took {max(values):.2f} s, and {BOUNDS[name] * patience:g} s is the most"
        for name, values in took.items()
        if values and max(values) > BOUNDS.get(name, float("inf")) * patience
    ]
    missing = [f"{name} was never answered" for name in BOUNDS if not took.get(name)]
    return [*missing, *late, *wrong]


def follow(ledger: Path, sequence: int) -> None:
    """Raise LedgerBroken unless the chain holds from a record to its end."""
    key = load_rack_key(ledger.with_name(KEY), os.environ)
    with closing(LedgerReader(ledger)) as reader:
        [known] = reader.select("WHERE sequence = ?", (sequence,))
        end, walked = Head(sequence=known.sequence, hash=bytes.fromhex(known.hash_hex)), 1
        while walked:
            end, walked = reader.follow(end, PIECE_RECORDS, key.ring)


def lines_of(figures: Mapping[str, Any]) -> list[Line]:
    """The table."""
    lines = [
        Line(
            what=f"{figures['handsets']} handsets",
            figure=f"{figures['wall_s']} s",
            beside=f"start {figures['start_s']} s on {figures['records_before']} records;"
            f" {figures['rss_mb']} MB; the loop ran {figures['loop_ran_s']} s and waited"
            f" {figures['loop_waited_for_processor_s']} s for a processor;"
            f" lag p99 {figures['lag_p99_ms']} ms, at most {figures['lag_max_ms']} ms",
        )
    ]
    for name, spread in figures["took_s"].items():
        bound = f"{BOUNDS[name]:g} s is the most" if name in BOUNDS else ""
        told = ", ".join(f"{label} {value}" for label, value in spread.items())
        lines.append(Line(what=name, figure=told, beside=bound))
    for kind, met in figures["strangers"].items():
        lines.append(Line(what=f"strangers: {kind}", figure=str(met)))
    lines += [Line(what="DIDN'T HOLD", figure=one) for one in figures["broken"]]
    return lines


def _turns_of(rack: CrowdRack) -> tuple[float, float]:
    """How long the loop's thread has run, and how long it could have and others did.

    Source: "Scheduler Statistics" of the kernel's documentation, /proc/PID/schedstat.
    """
    pid = rack.daemon.pid if rack.daemon else 0
    ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()
    return int(ran) / 1e9, int(waited) / 1e9


def _spread(values: Sequence[float]) -> dict[str, JsonValue]:
    shares = {"p50_s": 0.5, "p99_s": 0.99, "max_s": 1.0}
    told = {name: round(percentile(values, share), 3) for name, share in shares.items()}
    return {"count": len(values), **told}
