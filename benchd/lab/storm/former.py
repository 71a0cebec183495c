"""What stands in the place of each mend while its hole is open: the code as it was before."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, cast

import anyio
from anyio import to_thread

from benchd.daemon.signals import Heard
from benchd.domain.errors import LedgerFault
from benchd.domain.people import Person
from benchd.domain.record import EntryKind, StoredEntry
from benchd.people.login_throttle import Whom

if TYPE_CHECKING:
    from benchd.lab.storm.loop import StormLoop

# Row 1: one reader for all, whose ten seconds run while others are waited for.


async def one_reader(turns: Any, condition: str, values: Any) -> list[StoredEntry]:  # noqa: ANN401
    """A read whose deadline runs while it waits for its turn, and is a fault of the ledger."""
    try:
        with anyio.fail_after(turns._within_s):  # noqa: SLF001
            await turns._turn.acquire()  # noqa: SLF001
            with turns._asking(condition, values, 1e6) as asked:  # noqa: SLF001
                await asked.done.wait()
    except TimeoutError:
        raise LedgerFault("the ledger gave no answer within 10 s") from None
    found: list[StoredEntry] = asked.answer()
    return found


def with_slots(ledger: Any, append: Any, *, patient: bool = False) -> Any:  # noqa: ANN401
    """Visitors read by the slots' own reader."""
    from benchd.ledger.ledger_access import VisitedLedger  # noqa: PLC0415

    return VisitedLedger(ledger._store, ledger._slots, append, patient=patient)  # noqa: SLF001


async def asked_each_time(proofs: Any, job: Any, _view: Any) -> bool:  # noqa: ANN401
    """The ledger is asked by each who asks."""
    proven: bool = await proofs._is_proven(job)  # noqa: SLF001
    return proven


async def serve_all(
    _shares: Any,  # noqa: ANN401
    _visit: Any,  # noqa: ANN401
    app: Any,  # noqa: ANN401
    scope: Any,  # noqa: ANN401
    receive: Any,  # noqa: ANN401
    send: Any,  # noqa: ANN401
) -> None:
    """Whoever comes is served."""
    await app(scope, receive, send)


# Row 2: a job is asked what it goes by once, before what it waits for.


async def let_through(runner: Any, spec: Any) -> None:  # noqa: ANN401
    """Asked once before a stage, and before what it waits for."""
    if not spec.destructive:
        return
    context = runner._context  # noqa: SLF001
    before = getattr(runner, "last_let", None)
    runner.last_let = spec
    if before is not spec:
        context._grounds(context)  # noqa: SLF001
    if not runner._has_destroyed:  # noqa: SLF001
        await context.station.may_destroy()
        runner._has_destroyed = True  # noqa: SLF001


async def wait(_context: Any, wait: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
    """A wait that no withdrawal ends."""
    return await wait()


def refuse_nothing(_context: Any) -> None:  # noqa: ANN401
    """Right before an act nobody asks."""


# Row 3: tries count for a person, however they show who they are.


def by_person(claimed: Person | None, badge: str | None, person: str | None) -> Whom:
    """A person's tries are one count, with a badge or without."""
    return Whom(
        name=claimed.id if claimed else (badge or person or ""), is_known=claimed is not None
    )


async def admit(
    showing: Any,  # noqa: ANN401
    badge: str | None,
    person: str | None,
    _pin: str | None,
    source: str,
) -> float:
    """A source and a person keep out badge and PIN, too."""
    claimed, whom = showing._claimed(badge, person)  # noqa: SLF001
    held = [showing._tries.source_wait_s(source, by_badge=way) for way in (True, False)]  # noqa: SLF001
    wait_s = max(*held, showing._tries.wait_s(whom))  # noqa: SLF001
    if wait_s > 0:
        raise await showing._too_soon(claimed, wait_s, source)  # noqa: SLF001
    return 0.0


# Row 5: a word of the next release is no word.


def known_only(cls: type[EntryKind], word: str) -> EntryKind:
    """What isn't known raises."""
    return cls(word)


# Row 6: nobody's answers make no room.


def only_who_waits(inside: Sequence[Any], _upto: float | None) -> Any:  # noqa: ANN401
    """Who is told something makes no room."""
    waiting = [one for one in inside if one.waits_since is not None]
    return min(waiting, key=lambda one: one.waits_since, default=None)


@contextmanager
def as_many_as_come(_streams: Any, _whose: str) -> Generator[anyio.CancelScope]:  # noqa: ANN401
    """No stream makes room for another."""
    with anyio.CancelScope() as scope:
        yield scope


# Row 7: what is refused is looked at before the turn.


@asynccontextmanager
async def all_write(store: Any) -> AsyncGenerator[Any]:  # noqa: ANN401
    """Two write at once."""
    from benchd.intake.intake_store import Writer  # noqa: PLC0415

    yield Writer(store._ledger, store._clock, store.book)  # noqa: SLF001


@asynccontextmanager
async def all_bind(store: Any, job: Any, slot: Any) -> AsyncGenerator[Any]:  # noqa: ANN401
    """Two bind at once."""
    from benchd.intake.intake_store import Writer  # noqa: PLC0415

    writer = Writer(store._ledger, store._clock, store.book)  # noqa: SLF001

    async def keep(told: object) -> None:
        await writer.put(EntryKind.ASSET_BOUND, told, job=job, slot=slot)

    yield keep


# Row 8: only a worker's end is noticed.


async def one_beat(worker: Any) -> str:  # noqa: ANN401
    """A worker is asked once."""
    from benchd.devices.felica.worker.wire import encode  # noqa: PLC0415

    await worker._send(encode(worker._order.as_message()))  # noqa: SLF001
    await worker._beat()  # noqa: SLF001
    worker.answers = True
    await anyio.sleep_forever()
    return ""


# Row 10: another's lock is a fault.


def begin_once(store: Any) -> None:  # noqa: ANN401
    """Another's lock is a fault."""
    from benchd.domain.sql_statements import query  # noqa: PLC0415

    query(store._connection, "BEGIN IMMEDIATE")  # noqa: SLF001


# Row 11: the end, and what is read anew.


def hears_once(stop: Callable[[], None], reload: Callable[[], None]) -> Heard:
    """Signals are heard until the first that ends."""
    loop = cast("StormLoop", asyncio.get_running_loop())

    def heard(number: signal.Signals) -> bool:
        if number is signal.SIGHUP:
            reload()
        else:
            loop.heard = None
            stop()
        return True

    return heard


async def reload_bare(reloader: Any) -> None:  # noqa: ANN401
    """What raises while the configuration is read is nobody's."""
    reloader._settings = await to_thread.run_sync(  # noqa: SLF001
        reloader._read,  # noqa: SLF001
        limiter=reloader._limiter,  # noqa: SLF001
    )
    await reloader._apply(reloader._settings)  # noqa: SLF001


async def walk_to_the_end(ledger: Any, look: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Whoever waits for a walk can't go."""
    return await to_thread.run_sync(look, limiter=ledger._walks)  # noqa: SLF001


async def look_at_last(watch: Any) -> None:  # noqa: ANN401
    """Only a step since the last look counts."""
    before, watch._offset = watch._offset, watch._now_offset()  # noqa: SLF001
    watch._tell_synchronised()  # noqa: SLF001
    await watch._keep_step(before - watch._offset, "running", watch._running_jobs())  # noqa: SLF001
    watch._timekeeping.looked()  # noqa: SLF001
