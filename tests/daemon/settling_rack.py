"""`python -m tests.daemon.settling_rack`: a rack whose end takes as long as whoever reads wants."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from typing import cast

import anyio
from anyio import to_thread
from anyio.abc import TaskStatus

from benchd.daemon.reload import Reloader
from benchd.daemon.service_lifecycle import serve_rack
from benchd.daemon.signals import hear_signals
from benchd.observe.notify_socket import Notifier
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.slots.supervisor import Supervisor

STEPS = ("ready", "settling", "closing", "closed")
"""What is told in this order; each but the first waits for a line."""


def tell(step: str) -> None:
    sys.stdout.write(f"{step}\n")
    sys.stdout.flush()


async def take_time(step: str) -> None:
    """Told, and as slow as whoever has to be told of the next step."""
    with anyio.CancelScope(shield=True):
        tell(step)
        await to_thread.run_sync(sys.stdin.readline)


class SlowSupervisor:
    """A fake that settles its jobs slowly once it's cancelled."""

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        task_status.started()
        try:
            tell("ready")
            await anyio.sleep_forever()
        finally:
            await take_time("settling")

    def ended_tasks(self) -> list[str]:
        return []


class NothingToReload:
    """A fake: whoever asks is heard by nobody."""

    async def run(self) -> None:
        await anyio.sleep_forever()

    def ask(self) -> None:
        pass


async def main() -> None:
    with ExitStack() as until_end:
        await serve_rack(
            cast("Supervisor", SlowSupervisor()),
            board=RackBoard(),
            admission=Admission(),
            reloader=cast("Reloader", NothingToReload()),
            notifier=Notifier(None),
            failed=lambda: None,
            hear=partial(hear_signals, then_exit=True),
            until_end=until_end,
        )
        await take_time("closing")


def run() -> None:
    """As the command has it; what is left of the process takes its time as well."""
    anyio.run(main)
    tell("closed")
    sys.stdin.readline()


if __name__ == "__main__":
    run()
