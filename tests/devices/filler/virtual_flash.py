"""A virtual handset's storage, mounted for the fill program alone: inside a namespace of its own.

Usage: virtual_flash.py TRIALS FOLDER PROGRAM. Prints what each trial saw as one JSON list.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fill_program import check_request, fill_request, next_event, run, start, stdin_of, stdout_of

from benchd.devices.android.filler import Program

SIZE_BYTES = 12 << 20
FILE_BYTES = 2 << 20
PLACES = 20
UNPLUGS = 50
SHARE = 0.003
"""Of about 3,000 blocks about nine are hit, others with every seed."""


class Flash:
    """The storage process and its control lines."""

    def __init__(self, folder: Path) -> None:
        self.mounted = folder / "mounted"
        self.mounted.mkdir(parents=True)
        (folder / "chip").mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchd.lab.simulator.storage.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._number = 0
        self._say(
            mountpoint=str(self.mounted),
            directory=str(folder / "chip"),
            capacity_bytes=SIZE_BYTES,
            reserved_bytes=0,
            owner_share=0.0,
            swap_share=0.0,
            fill_marks=[],
            noexec=False,
            faults={},
        )
        assert self._hear()["event"] == "mounted"

    def _say(self, **line: object) -> None:
        stdin_of(self._process).write(json.dumps(line).encode() + b"\n")

    def _hear(self) -> dict[str, Any]:
        return json.loads(stdout_of(self._process).readline())

    def ask(self, do: str, **more: object) -> dict[str, Any]:
        self._number += 1
        self._say(id=self._number, do=do, **more)
        answer = self._hear()
        assert answer["id"] == self._number, answer
        assert "error" not in answer, answer
        return answer

    def faults(self, **faults: object) -> None:
        self.ask("faults", faults=faults)

    def renew(self) -> str:
        """A new file system on the same chip; gives the folder for the next fill."""
        self.faults()
        self.ask("reset")
        return str(self.mounted / "local" / "tmp" / "benchd")

    def end(self) -> None:
        stdin_of(self._process).close()
        self._process.wait()
        subprocess.run(["umount", "-l", self.mounted], check=False)


def request(folder: str, **changes: str | float) -> dict[str, Any]:
    asked = fill_request(folder, file_bytes=FILE_BYTES, progress_s=0.05)
    return {**asked, "headroom_bytes": 1 << 20, **changes}


def liar(fault: str, *, reading: bool = False) -> Callable[[Flash, Path], Iterator[dict[str, Any]]]:
    """Fills and checks on a chip with this fault in other places each time."""

    def trials(flash: Flash, program: Path) -> Iterator[dict[str, Any]]:
        for seed in range(PLACES):
            # A block that still holds the same key's stream is no block that was lost.
            asked = request(flash.renew(), key=f"{seed + 1:032x}")
            if not reading:
                flash.faults(**{fault: SHARE}, seed=seed)
            filled = run(program, "fill", asked)
            if reading:
                flash.faults(**{fault: SHARE}, seed=seed)
            seen: dict[str, Any] = {"fill": filled.exit_code, "filled": filled.last}
            if filled.exit_code == 0:
                checked = run(program, "check", check_request(asked, filled.last))
                seen |= {"check": checked.exit_code, "checked": checked.last}
            yield seen

    return trials


def refusing(flash: Flash, program: Path) -> Iterator[dict[str, Any]]:
    for _ in range(PLACES):
        asked = request(flash.renew())
        flash.faults(fsync_error=True)
        filled = run(program, "fill", asked)
        yield {"fill": filled.exit_code, "filled": filled.last}


def remembering(flash: Flash, program: Path) -> Iterator[dict[str, Any]]:
    """The chip drops every write, and the page cache answers whoever asks, as `dd` does here."""
    asked = request(flash.renew())
    filled = run(program, "fill", {**asked, "max_bytes": FILE_BYTES})
    path = Path(asked["directory"]) / filled.last["files"][0]["name"]
    meant = bytes(reversed(path.read_bytes()))
    flash.faults(lost=1.0)
    path.write_bytes(meant)
    remembered = dd(path)
    seen = [cache(program, "count", path), cache(program, "empty", path)]
    flash.faults()
    held = dd(path)
    yield {
        "seen": [*seen, cache(program, "count", path)],
        "remembered": remembered == meant,
        "held": held == meant,
        "checked": run(program, "check", check_request(asked, filled.last)).exit_code,
    }


def dd(path: Path) -> bytes:
    """What the handset's own tool reads, with options that each of them has."""
    command = ["dd", f"if={path}", "bs=4096"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def cache(fill_program: Path, command: str, path: Path) -> str:
    """What the program beside the one that fills says of the cache."""
    program = fill_program.with_name(fill_program.name.replace(Program.FILL, Program.CACHE))
    done = subprocess.run(
        [program, command, path, "0", str(FILE_BYTES)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip().rpartition(" ")[2]


@contextmanager
def filling(program: Path, asked: dict[str, Any]) -> Generator[subprocess.Popen[bytes]]:
    process = start(program, "fill", asked)
    with process:
        try:
            assert next_event(process)["event"] == "started"
            yield process
        finally:
            process.kill()


def stalling(flash: Flash, program: Path) -> Iterator[dict[str, Any]]:
    """The chip stops at a random moment: the program goes on speaking, but never of success."""
    chooser = random.Random(7)
    for _ in range(PLACES):
        asked = request(flash.renew())
        flash.faults(write_bytes_per_s=40 << 20)
        with filling(program, asked) as process:
            moment = chooser.randrange(SIZE_BYTES // 2)
            while next_event(process)["bytes"] < moment:
                pass
            flash.faults(stalled=True)
            heard = [next_event(process) for _ in range(6)]
            process.kill()
            flash.faults()  # or the killed process would wait for the chip for ever
            rest = stdout_of(process).read()
        yield {
            "events": [event["event"] for event in heard],
            "grown": heard[-1]["bytes"] - heard[-2]["bytes"],
            "done": b'"done"' in rest,
        }


def unplugging(flash: Flash, program: Path) -> Iterator[dict[str, Any]]:
    """The cable is pulled at a random moment, and the same fill is asked for again."""
    chooser = random.Random(11)
    folder = flash.renew()
    for number in range(UNPLUGS):
        asked = request(folder, key=f"{number + 1:032x}")
        flash.faults(write_bytes_per_s=100 << 20)
        moment = chooser.randrange(SIZE_BYTES)
        with filling(program, asked) as process:
            while held(folder) < moment and process.poll() is None:
                pass
            # Some handsets hang their programs up, on others these just find nobody reading.
            process.send_signal(chooser.choice([signal.SIGHUP, signal.SIGKILL]))
            process.wait()
        flash.faults()
        before = held(folder)
        written = flash.ask("facts")["written_bytes"]
        filled = run(program, "fill", {**asked, "resume": True})
        written = flash.ask("facts")["written_bytes"] - written
        checked = run(program, "check", check_request(asked, filled.last))
        yield {
            "held": before,
            "resumed": filled.last["resumed_bytes"],
            "bytes": filled.last["bytes"],
            "small": filled.last["small_bytes"],
            "written": written,
            "codes": [filled.exit_code, checked.exit_code],
            "proven": checked.last["bytes_proven"],
        }


def held(folder: str) -> int:
    """Whole blocks in the body files that are there."""
    sizes = [path.stat().st_size for path in Path(folder).glob("fill-*")]
    return sum(size // 4096 * 4096 for size in sizes)


TRIALS: dict[str, Callable[[Flash, Path], Iterator[dict[str, Any]]]] = {
    "lost": liar("lost"),
    "torn": liar("torn"),
    "repeated": liar("repeated"),
    "stuck": liar("stuck"),
    "write_error": liar("write_error"),
    "read_error": liar("read_error", reading=True),
    "fsync_error": refusing,
    "remembered": remembering,
    "stalled": stalling,
    "unplugged": unplugging,
}


def main() -> None:
    trials, folder, program = sys.argv[1:]
    flash = Flash(Path(folder))
    try:
        print(json.dumps(list(TRIALS[trials](flash, Path(program)))))  # noqa: T201
    finally:
        flash.end()


if __name__ == "__main__":
    main()
