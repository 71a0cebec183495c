"""Shell streams against a real adb server and Debian's adbd, with every way that they can end."""

from __future__ import annotations

import hashlib
import resource
import signal
import threading
import time
from pathlib import Path

import anyio
import pytest
from handset_rack import Daemon, kill_now, open_sockets, running_rack, until

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.shell.commands import complete
from benchd.devices.android.shell.packets import Output
from benchd.devices.android.shell.script import run_script
from benchd.domain.errors import (
    AnswerNotRecognised,
    HandsetGone,
    HandsetStalled,
    UnsupportedHandset,
)
from benchd.domain.port import Liveness

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]

MIB = 1 << 20


async def test_outputs_and_exit_codes_arrive_whole_whatever_becomes_of_the_input(
    tmp_path: Path,
) -> None:
    async with running_rack(tmp_path) as rack:
        shell = await rack.shell(await rack.plug())
        completed = await shell.run("echo out; echo err >&2; exit 7")
        assert (completed.exit_code, completed.stdout, completed.stderr) == (7, b"out\n", b"err\n")
        assert (await shell.run("kill -9 $$")).exit_code == 137
        # A short command is never taken for a lost handset.
        for _ in range(100):
            assert (await shell.run("exec true")).exit_code == 0
        # What is large arrives byte for byte, out and in.
        completed = await shell.run("seq 1 400000", maximum_output_bytes=4 * MIB)
        assert completed.stdout == "".join(f"{n}\n" for n in range(1, 400001)).encode()
        content = bytes(range(256)) * (3 * MIB // 256)
        completed = await shell.run("sha256sum", stdin=content)
        assert completed.stdout.split()[0].decode() == hashlib.sha256(content).hexdigest()
        # A command that reads no input still gives its exit code, and a script its answers.
        completed = await shell.run("exec sh -c 'exit 3'", stdin=bytes(8 * MIB))
        assert completed.exit_code == 3
        for _ in range(40):
            answers = await run_script(
                shell, {"full": "echo full; exit 1", "there": "echo there"}, stdin=bytes(MIB)
            )
            told = {name: (answer.status, answer.text) for name, answer in answers.items()}
            assert told == {"full": (1, "full\n"), "there": (0, "there\n")}


async def test_a_flood_is_cut_off(tmp_path: Path) -> None:
    async with running_rack(tmp_path) as rack:
        shell = await rack.shell(await rack.plug())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(AnswerNotRecognised, match="bytes of output"):
            await shell.run("exec cat /dev/zero", maximum_output_bytes=MIB)
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kib < 16 * 1024


async def test_cancelling_returns_at_once_and_ends_the_command(tmp_path: Path) -> None:
    async with running_rack(tmp_path) as rack:
        daemon = await rack.plug()
        shell = await rack.shell(daemon)
        mark = daemon.folder / "ended"
        sockets, threads = open_sockets(), threading.active_count()
        # Not `sleep & wait`: a signal that comes right before the shell waits is only seen after.
        async with shell.stream(
            f"trap 'echo hup > {mark}; exit' HUP; echo on; while :; do sleep 0.05; done"
        ) as run:
            assert await run.receive() == Output(b"on\n", is_error=False)
        cancelled_at = 0.0
        async with anyio.create_task_group() as tasks:
            started = anyio.Event()

            async def wait() -> None:
                async with shell.stream("echo on; exec sleep 60") as running:
                    await running.receive()
                    started.set()
                    await running.receive()

            tasks.start_soon(wait)
            await started.wait()
            cancelled_at = time.perf_counter()
            tasks.cancel_scope.cancel()
        assert time.perf_counter() - cancelled_at < 0.1
        await anyio.wait_all_tasks_blocked()
        assert open_sockets() == sockets
        assert threading.active_count() <= threads + 1
        await until(mark.exists)


async def test_a_daemon_that_hangs_stalls_and_one_that_is_killed_is_a_handset_gone(
    tmp_path: Path,
) -> None:
    async with running_rack(tmp_path) as rack:
        daemon = await rack.plug()
        shell = await rack.shell(daemon)
        daemon.send(signal.SIGSTOP)
        began = time.perf_counter()
        with pytest.raises(HandsetStalled):
            await shell.run("true", deadline_s=0.3)
        assert time.perf_counter() - began < 0.6
        daemon.send(signal.SIGCONT)
        assert (await shell.run("echo back")).stdout == b"back\n"
        async with shell.stream("echo done; exec sleep 60") as running:
            assert await running.receive() == Output(b"done\n", is_error=False)
            daemon.kill()
            with pytest.raises(HandsetGone):
                await running.receive()
        await rack.until(daemon, Liveness.OFFLINE)
        with pytest.raises(HandsetGone):
            await shell.run("true")
        # So it is while it floods.
        shell = await rack.shell(await rack.plug(daemon))
        async with shell.stream("exec cat /dev/zero") as running:
            for _ in range(50):
                await running.receive()
            daemon.kill()
            with pytest.raises(HandsetGone):
                await complete(running, b"", 1 << 40)


async def test_the_death_of_the_server_is_one_event_for_all_and_passes(tmp_path: Path) -> None:
    async with running_rack(tmp_path) as rack:
        daemons = [await rack.plug(), await rack.plug()]
        shells = [await rack.shell(daemon) for daemon in daemons]
        faults: list[BaseException] = []

        async def wait(shell_number: int) -> None:
            try:
                async with shells[shell_number].stream("echo on; exec sleep 60") as running:
                    await running.receive()
                    waiting.append(shell_number)
                    await running.receive()
            except (AdbServerLost, HandsetGone) as fault:
                faults.append(fault)

        waiting: list[int] = []
        async with rack.access.liveness(daemons[0].address) as states:
            assert await anext(states) is Liveness.READY
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait, 0)
                tasks.start_soon(wait, 1)
                await until(lambda: len(waiting) == 2)
                kill_now(rack.server.pid)
            assert [type(fault) for fault in faults] == [AdbServerLost, AdbServerLost]
            assert await anext(states) is Liveness.SERVER_DOWN
            with anyio.fail_after(5):
                assert await anext(states) is Liveness.ABSENT
        for daemon in daemons:
            await rack.connect(daemon)
            await rack.until(daemon, Liveness.READY)
            assert (await (await rack.shell(daemon)).run("exit 4")).exit_code == 4


async def test_an_id_of_an_earlier_server_never_reaches_another_handset(tmp_path: Path) -> None:
    async with running_rack(tmp_path) as rack:
        first = await rack.plug()
        shell = await rack.shell(first)
        assert shell._transport.transport_id == 1
        kill_now(rack.server.pid)
        await rack.until(first, Liveness.SERVER_DOWN)
        await rack.until(first, Liveness.ABSENT)
        other = await rack.plug()
        assert (await rack.shell(other))._transport.transport_id == 1
        with pytest.raises(AdbServerLost):
            await shell.run("touch wrong")
        assert not (other.folder / "wrong").exists()


async def test_a_replug_shows_even_if_the_list_never_was_empty(tmp_path: Path) -> None:
    async with running_rack(tmp_path) as rack:
        daemon = await rack.plug()
        async with rack.access.liveness(daemon.address) as states:
            assert await anext(states) is Liveness.READY
            daemon.kill()
            await rack.plug(daemon)
            seen = []
            with anyio.fail_after(5):
                while Liveness.READY not in seen:
                    seen.append(await anext(states))
        assert seen[:-1]
        assert Liveness.ABSENT in seen


async def test_a_handset_without_exit_codes_is_refused_and_recovery_is_the_wrong_mode(
    tmp_path: Path,
) -> None:
    async with running_rack(tmp_path) as rack:
        (tmp := rack.folder / "old").mkdir()
        old = Daemon(tmp, 16050, banner="device::ro.product.model=Old Phone;")
        rack.daemons.append(old)
        await rack.plug(old)
        with pytest.raises(UnsupportedHandset, match="exit codes"):
            await rack.access.open(old.address)
        (tmp := rack.folder / "recovery").mkdir()
        daemon = Daemon(tmp, 16051, banner="recovery::ro.product.model=Phone;")
        rack.daemons.append(daemon)
        daemon.start()
        await rack.connect(daemon)
        await rack.until(daemon, Liveness.WRONG_MODE)
        with pytest.raises(HandsetGone):
            await rack.access.open(daemon.address)
