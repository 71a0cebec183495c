"""What stands in the place of each mend while its hole is open: the code as it was before."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import anyio
from anyio import to_thread

from benchd.errors import LedgerFault
from benchd.lab.adversity.holes import Replaced
from benchd.lab.storm.holes import Hole
from benchd.lab.storm.referee import Rule
from benchd.lab.storm.schedule import Kind
from benchd.people.tries import Whom
from benchd.words.people import Person
from benchd.words.record import EntryKind, StoredEntry

# Row 1: one reader for all, whose ten seconds run while others are waited for.


async def _one_reader(turns: Any, condition: str, values: Any) -> list[StoredEntry]:  # noqa: ANN401
    try:
        with anyio.fail_after(turns._within_s):  # noqa: SLF001
            await turns._turn.acquire()  # noqa: SLF001
            with turns._asking(condition, values, 1e6) as asked:  # noqa: SLF001
                await asked.done.wait()
    except TimeoutError:
        raise LedgerFault("the ledger gave no answer within 10 s") from None
    found: list[StoredEntry] = asked.answer()
    return found


def _with_slots(ledger: Any, append: Any, *, patient: bool = False) -> Any:  # noqa: ANN401
    from benchd.ledger.access import VisitedLedger  # noqa: PLC0415

    return VisitedLedger(ledger._store, ledger._slots, append, patient=patient)  # noqa: SLF001


async def _asked_each_time(proofs: Any, job: Any, _view: Any) -> bool:  # noqa: ANN401
    proven: bool = await proofs._is_proven(job)  # noqa: SLF001
    return proven


async def _serve_all(
    _shares: Any,  # noqa: ANN401
    _visit: Any,  # noqa: ANN401
    app: Any,  # noqa: ANN401
    scope: Any,  # noqa: ANN401
    receive: Any,  # noqa: ANN401
    send: Any,  # noqa: ANN401
) -> None:
    await app(scope, receive, send)


# Row 2: a job is asked what it goes by once, before what it waits for.


async def _let_through(runner: Any, spec: Any) -> None:  # noqa: ANN401
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


async def _wait(_context: Any, wait: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
    return await wait()


def _refuse_nothing(_context: Any) -> None:  # noqa: ANN401
    """Right before an act nobody asked."""


# Row 3: tries count for a person, however they show who they are.


def _by_person(claimed: Person | None, badge: str | None, person: str | None) -> Whom:
    return Whom(
        name=claimed.id if claimed else (badge or person or ""), is_known=claimed is not None
    )


async def _admit(
    showing: Any,  # noqa: ANN401
    badge: str | None,
    person: str | None,
    _pin: str | None,
    source: str,
) -> float:
    claimed, whom = showing._claimed(badge, person)  # noqa: SLF001
    held = [showing._tries.source_wait_s(source, by_badge=way) for way in (True, False)]  # noqa: SLF001
    wait_s = max(*held, showing._tries.wait_s(whom))  # noqa: SLF001
    if wait_s > 0:
        raise await showing._too_soon(claimed, wait_s, source)  # noqa: SLF001
    return 0.0


# Row 5: a word of the next release is no word.


def _known_only(cls: type[EntryKind], word: str) -> EntryKind:
    return cls(word)


# Row 6: nobody's answers make no room; a refusal is left at once.


def _only_who_waits(others: Sequence[Any]) -> Any:  # noqa: ANN401
    waiting = [one for one in others if one.waits_since is not None]
    return min(waiting, key=lambda one: one.waits_since, default=None)


@contextmanager
def _as_many_as_come(_streams: Any, _whose: str) -> Generator[anyio.CancelScope]:  # noqa: ANN401
    with anyio.CancelScope() as scope:
        yield scope


def _refuse_and_leave(door: Any) -> None:  # noqa: ANN401
    door._refused = True  # noqa: SLF001
    door.transport.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    door.transport.abort()


# Row 7: what is refused is looked at before the turn.


@asynccontextmanager
async def _all_write(store: Any) -> AsyncGenerator[Any]:  # noqa: ANN401
    from benchd.intake.store import Writer  # noqa: PLC0415

    yield Writer(store._ledger, store._clock, store.book)  # noqa: SLF001


@asynccontextmanager
async def _all_bind(store: Any, job: Any, slot: Any) -> AsyncGenerator[Any]:  # noqa: ANN401
    from benchd.intake.store import Writer  # noqa: PLC0415

    writer = Writer(store._ledger, store._clock, store.book)  # noqa: SLF001

    async def keep(told: object) -> None:
        await writer.put(EntryKind.ASSET_BOUND, told, job=job, slot=slot)

    yield keep


# Row 8: only a worker's end is noticed.


async def _one_beat(worker: Any) -> str:  # noqa: ANN401
    from benchd.felica.worker.wire import encode  # noqa: PLC0415

    await worker._send(encode(worker._order.as_message()))  # noqa: SLF001
    await worker._beat()  # noqa: SLF001
    worker.answers = True
    await anyio.sleep_forever()
    return ""


# Row 10: another's lock is a fault.


def _begin_once(store: Any) -> None:  # noqa: ANN401
    from benchd.statements import query  # noqa: PLC0415

    query(store._connection, "BEGIN IMMEDIATE")  # noqa: SLF001


# Row 11: the end, and what is read anew.


async def _hears_once(
    stop: Callable[[], None],
    reload: Callable[[], None],
    _until_end: object,
    *,
    task_status: Any,  # noqa: ANN401
) -> None:
    import signal  # noqa: PLC0415

    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            if number is signal.SIGHUP:
                reload()
            else:
                stop()
                return


async def _reload_bare(reloader: Any) -> None:  # noqa: ANN401
    reloader._settings = await to_thread.run_sync(  # noqa: SLF001
        reloader._read,  # noqa: SLF001
        limiter=reloader._limiter,  # noqa: SLF001
    )
    await reloader._apply(reloader._settings)  # noqa: SLF001


async def _walk_to_the_end(ledger: Any, look: Callable[[], Any]) -> Any:  # noqa: ANN401
    return await to_thread.run_sync(look, limiter=ledger._walks)  # noqa: SLF001


async def _look_at_last(watch: Any) -> None:  # noqa: ANN401
    before, watch._offset = watch._offset, watch._now_offset()  # noqa: SLF001
    watch._tell_synchronised()  # noqa: SLF001
    await watch._keep_step(before - watch._offset, "running", watch._running_jobs())  # noqa: SLF001
    watch._sink.looked()  # noqa: SLF001


def _put(module: str, name: str, by: object) -> Replaced:
    return Replaced(module=f"benchd.{module}", name=name, by=by)


READERS: Final = (
    _put("ledger.turns", "ReadTurns.surely", _one_reader),
    _put("ledger.turns", "ReadTurns.or_refuse", _one_reader),
    _put("ledger.access", "SqliteLedger.for_visitors", _with_slots),
)
NO_SHARES: Final = (
    _put("web.proofs", "Proofs._known", _asked_each_time),
    _put("web.shares", "Shares.serve", _serve_all),
)

ROW_HOLES: Final = (
    Hole(
        row=1,
        says="web and slots share one reader, whose deadline runs while it's waited for",
        needs=(Kind.SLOW_DISK,),
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=READERS,
    ),
    Hole(
        row=1,
        says="strangers have no share of their own, and each asks the ledger for a proof",
        needs=(Kind.PAGES, Kind.SLOW_DISK),
        shows_as=(Rule.ENDED, Rule.OTHERWISE, Rule.SLOW, Rule.PROBE),
        replaced=(*READERS, *NO_SHARES),
    ),
    Hole(
        row=2,
        says="an attestation that is withdrawn while the door is held is gone by",
        needs=(Kind.WITHDRAWN,),
        shows_as=(Rule.WITHDRAWN,),
        replaced=(
            _put("pipelines.runner", "JobRunner._let_through", _let_through),
            _put("pipelines.contract", "JobContext.while_it_stands", _wait),
            _put("pipelines.contract", "JobContext.refuse_withdrawn", _refuse_nothing),
        ),
    ),
    Hole(
        row=3,
        says="tries without a badge count against who shows one",
        needs=(Kind.SIGN_INS,),
        shows_as=(Rule.REFUSED,),
        replaced=(
            _put("people.showing", "_whom", _by_person),
            _put("people.showing", "Showing._admit", _admit),
        ),
    ),
    Hole(
        row=5,
        says="a record with a word of the next release ends the start",
        needs=(),
        next_release=True,
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=(_put("words.record", "EntryKind.read", classmethod(_known_only)),),
    ),
    Hole(
        row=6,
        says="anonymous event streams keep everybody out",
        needs=(Kind.STREAMS,),
        shows_as=(Rule.PROBE, Rule.SLOW, Rule.REFUSED),
        replaced=(
            _put("web.door", "_who_gives_way", _only_who_waits),
            _put("web.streams", "Streams.one_of", _as_many_as_come),
        ),
    ),
    Hole(
        row=6,
        says="a refusal ends before it was read",
        needs=(Kind.SOCKET,),
        shows_as=(Rule.RESET,),
        replaced=(_put("web.door", "DoorProtocol._refuse", _refuse_and_leave),),
    ),
    Hole(
        row=7,
        says="of two who say at once that an asset can't be erased both are told yes",
        needs=(Kind.UNERASABLE,),
        shows_as=(Rule.TWICE,),
        replaced=(_put("intake.store", "IntakeStore.writing", _all_write),),
    ),
    Hole(
        row=7,
        says="of two labels that are bound to a slot at once both are told yes",
        needs=(Kind.LABELS,),
        shows_as=(Rule.TWICE,),
        replaced=(_put("intake.store", "IntakeStore.binding", _all_bind),),
    ),
    Hole(
        row=8,
        says="a reader worker that was stopped counts as up",
        needs=(Kind.WORKER,),
        shows_as=(Rule.HELPER,),
        replaced=(_put("felica.worker.process", "ReaderWorker._missed_a_beat", _one_beat),),
    ),
    Hole(
        row=9,
        says="who reads nothing of papers holds their place for ever",
        needs=(Kind.PAPERS,),
        shows_as=(Rule.SLOW,),
        replaced=(_put("web.taken_in_time", "PIECE_WITHIN_S", 1e6),),
    ),
    Hole(
        row=10,
        says="another process' lock of a moment ends all jobs",
        needs=(Kind.LOCK,),
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=(_put("ledger.store", "LedgerStore._begin", _begin_once),),
    ),
    Hole(
        row=11,
        says="a second SIGTERM kills in the middle of the end",
        needs=(),
        signals=2,
        shows_as=(Rule.KILLED,),
        replaced=(_put("daemon.life", "_obey_signals", _hears_once),),
    ),
    Hole(
        row=11,
        says="a plug-in that raises at a reload ends the daemon",
        needs=(Kind.BAD_RELOAD,),
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=(_put("daemon.reload", "Reloader.reload", _reload_bare),),
    ),
    Hole(
        row=11,
        says="the end waits for a walk that hangs",
        needs=(Kind.HUNG_WALK,),
        shows_as=(Rule.DIDNT_END,),
        replaced=(_put("ledger.access", "SqliteLedger._walk", _walk_to_the_end),),
    ),
    Hole(
        row=11,
        says="small steps of the clock back never add up",
        needs=(Kind.CLOCK_CREEPS,),
        shows_as=(Rule.UNNOTICED,),
        replaced=(_put("daemon.clock_watch", "ClockWatch.look", _look_at_last),),
    ),
)
"""Rows 4 and 12 aren't here: docs/storm.md says which tests hold them."""
