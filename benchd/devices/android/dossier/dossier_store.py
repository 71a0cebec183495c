"""Where the rack keeps dossiers of handsets that it couldn't inspect: the newest ones, masked."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import anyio
import structlog
from anyio import to_thread

from benchd.devices.android.dossier.dossier_files import DESCRIPTION, Recording, prepare
from benchd.devices.android.dossier.folder import write_folder
from benchd.devices.android.dossier.questionnaire import ask_everything
from benchd.devices.android.shell.commands import Shell
from benchd.devices.android.shell.script import Answer
from benchd.devices.android.shell.text import printable
from benchd.domain.dossier import Dossier, KeptDossier

T = TypeVar("T")

MOST_KEPT: Final = 50
ASKED_WITHIN_S: Final = 12.0
"""What the slot of a handset that has failed waits for the questions that weren't asked yet."""
DIRECTORY_MODE: Final = 0o700
_LONGEST_DESCRIPTION: Final = 64 * 1024

_log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


class DossierShelf:
    """The folder of a rack's own dossiers, each called after its job."""

    def __init__(self, directory: Path, *, now: Callable[[], datetime] = _now) -> None:
        self._directory = directory
        self._now = now
        # Masking takes seconds of a processor at worst: one at a time, and never on the loop.
        self._thread = anyio.CapacityLimiter(1)

    async def keep(
        self, name: str, shell: Shell, heard: Mapping[str, Answer], why: str
    ) -> str | None:
        """Leave a dossier of what was heard and of what the handset still says; its name.

        None where it couldn't be left, which is a line in the log. Never raises.
        """
        try:
            recording = await ask_everything(shell, heard, within_s=ASKED_WITHIN_S)
            if not recording.told:
                return None
            await self._in_thread(partial(self._write, name, recording, why))
        except Exception as mistake:  # noqa: BLE001 - it only helps: no job ends worse for it
            _log.warning("dossier_not_kept", detail=repr(mistake))
            return None
        return name

    async def prepare(self, recording: Recording) -> Dossier:
        """The files of a dossier that goes elsewhere."""
        return await self._in_thread(partial(prepare, recording, taken_at=self._now()))

    async def kept(self) -> tuple[KeptDossier, ...]:
        """What is there, the newest first."""
        return await self._in_thread(lambda: tuple(self._kept()))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._thread, abandon_on_cancel=True)

    def _write(self, name: str, recording: Recording, why: str) -> None:
        self._directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        files = prepare(recording, taken_at=self._now(), why=why).files
        write_folder(self._directory / name, files)
        for old in self._newest_first()[MOST_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        try:
            folders = [path for path in self._directory.iterdir() if not path.name.startswith(".")]
        except FileNotFoundError:
            return []
        return sorted(folders, key=lambda path: (_written_ns(path), path.name), reverse=True)

    def _kept(self) -> Iterator[KeptDossier]:
        for folder in self._newest_first():
            told = _description(folder)
            if told is not None:
                said = {key: printable(str(told.get(key, "")), 400) for key in _SHOWN}
                yield KeptDossier(name=folder.name, path=str(folder), **said)


_SHOWN: Final = ("taken_at", "model", "android", "why")


def _written_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _description(folder: Path) -> Mapping[str, object] | None:
    try:
        with (folder / DESCRIPTION).open("rb") as file:
            return tomllib.loads(file.read(_LONGEST_DESCRIPTION).decode())
    except (OSError, ValueError):
        return None
