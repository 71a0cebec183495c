"""What systemd hears of a daemon, what its interpreter is asked for, and how it ends."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from structlog.testing import capture_logs

from benchd.daemon.service_lifecycle import SWITCH_INTERVAL_S, keep_responsive, log_problems
from benchd.daemon.systemd_status import feed_watchdog, follow_status, status_text
from benchd.domain.ids import PortPath, SlotName
from benchd.domain.slot import ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.observe.announcing_ledger import keep_following
from benchd.observe.notify_socket import Notifier, watchdog_interval_s
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from tests.daemon.settling_rack import STEPS

PATIENCE_S = 30.0
INTERVAL_S = 0.15


class FakeManager:
    """A fake of systemd's end of the notify socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def next(self, within_s: float = PATIENCE_S) -> str:
        self._socket.settimeout(within_s)
        return self._socket.recv(4096).decode()

    def drain(self) -> None:
        self._socket.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(4096)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "path":
        return os.fspath(tmp_path / "notify")
    return f"@benchd-test-{os.getpid()}"


@pytest.fixture
def manager(address: str) -> Iterator[FakeManager]:
    manager = FakeManager(address)
    yield manager
    manager.close()


def test_states_arrive_on_a_path_and_on_an_abstract_name(
    address: str, manager: FakeManager
) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": address})
    notifier.ready()
    notifier.reloading()
    notifier.status("16 slots\nREADY=1, \x1b busy")
    notifier.alive()
    notifier.stopping()
    told = [manager.next() for _ in range(5)]
    assert told[0] == "READY=1"
    first, second = told[1].split("\n")
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0
    # A status can't smuggle in a state of its own.
    assert told[2] == "STATUS=16 slots READY=1, \x1b busy"
    assert told[3:] == ["WATCHDOG=1", "STOPPING=1"]


def test_a_manager_that_is_none_gone_or_full_costs_nothing(
    address: str, manager: FakeManager
) -> None:
    for nobody in ({}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}):
        Notifier.of(nobody).ready()
    notifier = Notifier(address)
    for _ in range(2000):
        notifier.alive()
    manager.close()
    notifier.ready()


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_interval_is_the_managers(environ: dict[str, str], interval: float | None) -> None:
    assert watchdog_interval_s(environ) == interval


def test_a_blocked_loop_misses_the_watchdog(address: str, manager: FakeManager) -> None:
    blocked, release, end = threading.Event(), threading.Event(), threading.Event()

    async def block() -> None:
        blocked.set()
        release.wait()  # what no code of benchd may do on its loop

    async def daemon() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(feed_watchdog, Notifier(address), INTERVAL_S, list[str])
            await anyio.sleep(INTERVAL_S)
            await block()
            await anyio.to_thread.run_sync(end.wait)
            group.cancel_scope.cancel()

    thread = threading.Thread(target=anyio.run, args=[daemon])
    thread.start()
    try:
        assert manager.next() == "WATCHDOG=1"
        assert blocked.wait(PATIENCE_S)
        manager.drain()
        with pytest.raises(TimeoutError):
            manager.next(within_s=20 * INTERVAL_S)
        release.set()
        assert manager.next() == "WATCHDOG=1"
    finally:
        release.set()
        end.set()
        thread.join()


def view(slot: str, state: SlotState, problem: ProblemCode | None = None) -> SlotView:
    return SlotView(
        slot=SlotName(slot),
        port_path=PortPath(f"pci-0-usb-0:{slot}"),
        state=state,
        problem=None if problem is None else ProblemView(code=problem),
    )


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_task_that_ended_misses_the_watchdog_and_is_told_once() -> None:
    fed: list[float] = []

    class CountingNotifier(Notifier):
        def alive(self) -> None:
            fed.append(anyio.current_time())

    ended: list[str] = []
    with capture_logs() as logs:
        async with anyio.create_task_group() as group:
            group.start_soon(feed_watchdog, CountingNotifier(None), 30.0, lambda: ended)
            await anyio.sleep(95)
            assert len(fed) == 10
            ended.append("A2")
            await anyio.sleep(300)
            assert len(fed) == 10
            group.cancel_scope.cancel()
    assert [(line["event"], line["ended_tasks"]) for line in logs] == [("watchdog_not_fed", ["A2"])]


@pytest.mark.asyncio
async def test_the_status_counts_slots() -> None:
    quiet = [SlotState.EMPTY, SlotState.FINISHED]
    busy = [SlotState.RUNNING, SlotState.SETTLING, SlotState.REPLUGGING]
    states = [*quiet, *busy, SlotState.AWAITING_OPERATOR]
    views = [view(f"A{n}", state) for n, state in enumerate(states)]
    assert status_text(views, Admission()) == "6 slots, 4 busy, 1 needs a person"
    views += [view("B1", SlotState.WAITING), view("B2", SlotState.QUARANTINED)]
    assert status_text(views, Admission()) == "8 slots, 4 busy, 3 need a person"
    assert status_text(views[:1], Admission()) == "1 slot, 0 busy, 0 need a person"


RACK_WIDE = {
    ProblemCode.DISK_FULL: "disk full",
    ProblemCode.LEDGER_BROKEN: "ledger broken",
    ProblemCode.NO_ADMINISTRATOR: "no administrator",
}


@pytest.mark.asyncio
@pytest.mark.parametrize("code", RACK_WIDE)
async def test_the_status_says_that_no_job_begins_and_why(code: ProblemCode) -> None:
    door = Admission()
    door.hold(code)
    runs, waits = view("A1", SlotState.RUNNING), view("A2", SlotState.WAITING, code)
    for views, line in (
        ([runs, waits], "2 slots, 1 busy, 1 needs a person"),
        ([waits], "1 slot, 0 busy, 1 needs a person"),
    ):
        assert status_text(views, door) == f"{line}, no job begins: {RACK_WIDE[code]}"
    assert status_text([], door).endswith(f"no job begins: {RACK_WIDE[code]}, no slots")
    door.release(code)
    assert status_text([runs], door) == "1 slot, 1 busy, 0 need a person"


@pytest.mark.asyncio
async def test_a_rack_without_slots_says_so() -> None:
    told = status_text([], Admission())
    assert told == "0 slots, 0 busy, 0 need a person, no job begins: no slots"


@pytest.mark.asyncio
async def test_a_rack_on_which_nothing_goes_on_says_what_its_slots_wait_for() -> None:
    views = [
        view("A1", SlotState.WAITING, ProblemCode.READER_GONE),
        view("A2", SlotState.WAITING, ProblemCode.ADB_SERVER_DOWN),
        view("A3", SlotState.WAITING, ProblemCode.READER_GONE),
        view("A4", SlotState.EMPTY),
    ]
    waits = "4 slots, 0 busy, 2 need a person, nothing goes on: adb server down, reader gone"
    assert status_text(views, Admission()) == waits
    # While others go on, what one slot waits for is a matter of that slot.
    views.append(view("A5", SlotState.RUNNING))
    assert status_text(views, Admission()) == "5 slots, 1 busy, 2 need a person"


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_the_status_tells_a_pause_for_as_long_as_it_lasts_and_a_drain() -> None:
    door, runs = Admission(), view("A1", SlotState.RUNNING)
    door.pause(60.0)
    paused = "1 slot, 1 busy, 0 need a person, no job begins: daemon paused"
    assert status_text([runs], door) == paused
    await anyio.sleep(61)
    assert status_text([runs], door) == "1 slot, 1 busy, 0 need a person"
    door.hold(ProblemCode.DISK_FULL)
    door.close()
    drains = "1 slot, 1 busy, 0 need a person, ending after the running jobs"
    assert status_text([runs], door) == drains


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_the_status_follows_the_board() -> None:
    told: list[str] = []

    class ListeningNotifier(Notifier):
        def status(self, text: str) -> None:
            told.append(text)

    board, door = RackBoard(), Admission()
    async with anyio.create_task_group() as group:
        group.start_soon(follow_status, ListeningNotifier(None), board, door)
        board.show(view("A1", SlotState.EMPTY))
        await anyio.sleep(60)
        for _ in range(50):
            board.show(view("A1", SlotState.RUNNING))
            board.show(view("A1", SlotState.SETTLING))
        await anyio.sleep(60)
        door.close()
        await anyio.sleep(60)
        group.cancel_scope.cancel()
    assert told == [
        "1 slot, 0 busy, 0 need a person",
        "1 slot, 1 busy, 0 need a person",
        "1 slot, 1 busy, 0 need a person, ending after the running jobs",
    ]


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_watchers_mistake_costs_the_daemon_nothing() -> None:
    failures: list[None] = []
    tries: list[None] = []

    async def stumble() -> None:
        tries.append(None)
        message = "a mistake in a subscriber"
        raise ValueError(message)

    async with anyio.create_task_group() as group:
        group.start_soon(keep_following, stumble, lambda: failures.append(None))
        await anyio.sleep(10.5)
        group.cancel_scope.cancel()
    assert len(failures) == len(tries) > 5


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_one_line_when_a_slot_breaks_and_one_when_it_recovers() -> None:
    board = RackBoard()
    with capture_logs() as logs:
        async with anyio.create_task_group() as group:
            group.start_soon(log_problems, board)
            for state, problem in (
                (SlotState.WAITING, ProblemCode.UNAUTHORIZED),
                (SlotState.WAITING, ProblemCode.UNAUTHORIZED),
                (SlotState.WAITING, ProblemCode.ADB_SERVER_DOWN),
                (SlotState.RUNNING, None),
                (SlotState.QUARANTINED, ProblemCode.SLOT_BROKEN),
            ):
                board.show(view("A1", state, problem))
                await anyio.sleep(10)
            board.arrange([])
            await anyio.sleep(10)
            group.cancel_scope.cancel()
    assert [(line["event"], line["problem"]) for line in logs] == [
        ("slot_problem", "unauthorized"),
        ("slot_problem_over", "unauthorized"),
        ("slot_problem", "slot_broken"),
    ]


@pytest.fixture
def put_back() -> Generator[None]:
    """The test process as it was."""
    gc.unfreeze()
    interval_s, threshold = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval_s)
    gc.set_threshold(*threshold)
    gc.unfreeze()


@pytest.mark.usefixtures("put_back")
def test_what_lives_long_is_never_collected_again() -> None:
    before = gc.get_freeze_count()
    keep_responsive()
    assert gc.get_freeze_count() > before + 1000
    assert len(gc.get_objects(generation=2)) < gc.get_freeze_count()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
    assert gc.isenabled()


AGAIN = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@asynccontextmanager
async def settling() -> AsyncGenerator[tuple[Process, Callable[[], Awaitable[str]]]]:
    """A rack of its own, and what tells its next step."""
    command = [sys.executable, "-m", "tests.daemon.settling_rack"]
    async with await anyio.open_process(command) as rack:
        assert rack.stdout is not None
        said = BufferedByteReceiveStream(rack.stdout)

        async def step() -> str:
            while (line := (await said.receive_until(b"\n", 4096)).decode()) not in STEPS:
                pass
            return line

        with anyio.fail_after(50):
            assert await step() == "ready"
            yield rack, step


@pytest.mark.asyncio
async def test_no_signal_ends_what_is_being_settled() -> None:
    async with settling() as (rack, step):
        assert rack.stdin is not None
        rack.send_signal(signal.SIGTERM)
        for due in ("settling", "closing", "closed"):
            assert await step() == due
            for number in AGAIN:
                rack.send_signal(number)
            await rack.stdin.send(b"go on\n")
        # Nor does one that comes when all is closed take the place of its exit code.
        assert await rack.wait() == 0


@pytest.mark.asyncio
async def test_no_flood_of_signals_keeps_it_from_its_end() -> None:
    """A pipe with a byte for each would be full, and the process hang in the signal's handler."""
    async with settling() as (rack, _step):
        assert rack.stdin is not None
        again = " && ".join(f"kill -{number.value} {rack.pid}" for number in AGAIN)
        async with await anyio.open_process(["sh", "-c", f"while {again}; do :; done"]):
            await rack.stdin.send(b"go on\n" * len(STEPS))
            assert await rack.wait() == 0
