"""A queue of CUPS, by its own commands `lpstat` and `lp`."""

from __future__ import annotations

import os
import subprocess

import anyio

from benchd.domain.label import PrinterFault, PrinterTrouble

ASK_S = 5.0
SEND_S = 15.0
TITLE = "benchd"
"""CUPS shows the title of a job to everybody: it names no handset."""


class CupsWire:
    """Hands each label to a queue as it is; from then on it is CUPS that keeps it."""

    def __init__(self, queue: str) -> None:
        self._queue = queue

    async def send(self, label: bytes) -> None:
        """Returns once the queue has it; raises PrinterFault."""
        told = await _run(["lpstat", "-p", self._queue], b"", ASK_S, begun=False)
        # "printer Q is idle.  enabled since …", "printer Q disabled since …" and then the reason.
        if b" disabled since " in told.split(b"\n", 1)[0]:
            raise PrinterFault(PrinterTrouble.ATTENTION)
        command = ["lp", "-s", "-d", self._queue, "-o", "raw", "-t", TITLE, "-"]
        await _run(command, label, SEND_S, begun=True)


async def _run(command: list[str], given: bytes, within_s: float, *, begun: bool) -> bytes:
    """What it prints; a command that doesn't end in time may have done its work."""
    environment = {**os.environ, "LC_ALL": "C"}
    # Not through a pipe: a command that ends before it has read all would be a fault of its own.
    file = os.memfd_create("label")
    try:
        os.write(file, given)
        os.lseek(file, 0, os.SEEK_SET)
        with anyio.fail_after(within_s):
            done = await anyio.run_process(command, stdin=file, env=environment)
    except TimeoutError as error:
        raise PrinterFault(PrinterTrouble.NO_ANSWER, begun=begun) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise PrinterFault(PrinterTrouble.UNREACHABLE) from error
    finally:
        os.close(file)
    return done.stdout
