"""The folder of a rack in a storm: its configuration, key and people; put back for each seed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Final
from unittest.mock import patch

import anyio

import benchd
from benchd.certificate import create_key, load_key
from benchd.config import Settings, load_settings
from benchd.daemon.rack_people import people_on_disk
from benchd.domain.ids import JobId, JsonValue, SlotName
from benchd.domain.people import By, Role
from benchd.domain.record import Entry, EntryKind
from benchd.domain.version_info import version
from benchd.lab.storm.machine import CHEAP
from benchd.ledger import open_ledger
from benchd.people.person_secrets import Secrets

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
CONFIG: Final = """\
site.name = "storm"
adb = {{ server = "external", socket = "adb.sock", home = "adb" }}
recipes.directory = "{recipes}"
ledger.path = "state/ledger.db"
certificate = {{ key = "key.pem", directory = "state/certificates" }}
dossiers.directory = "state/dossiers"
models.fresh_pictures = "fresh"
http = {{ socket = "benchd.sock", listen = "127.0.0.1:8420" }}
[slots.A1]
port = "pci-0000:03:00.0-usb-0:1.1"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who works here."""

    id: str
    name: str

    @property
    def badge(self) -> str:
        """What their badge says."""
        return f"STORM-{self.id.upper()}"

    @property
    def pin(self) -> str:
        """What they type."""
        return "271828"


WORKER: Final = Member(id="sato", name="Sato")
OTHER: Final = Member(id="tanaka", name="Tanaka")
SECOND: Final = Member(id="suzuki", name="Suzuki")
CHARGE: Final = Member(id="kato", name="Kato")
OLD_JOB: Final = JobId("20261123-00aa11bb22")
BEFORE: Final = datetime(2026, 11, 23, tzinfo=UTC)
NEWER: Final[Sequence[tuple[EntryKind, SlotName | None, dict[str, JsonValue]]]] = (
    (EntryKind.read("rack_joined"), None, {"form": 99}),
    (EntryKind.OCCUPANCY_OPENED, SlotName("A1"), {}),
    (EntryKind.JOB_OPENED, SlotName("A1"), {"recipe": "A1"}),
    (
        EntryKind.STAGE_ENDED,
        SlotName("A1"),
        {"stage": "look/deep", "outcome": "postponed", "form": 99},
    ),
    (EntryKind.read("handset_weighed"), SlotName("A1"), {"grams": 170}),
    (EntryKind.JOB_ENDED, SlotName("A1"), {"outcome": "postponed", "disposition": "refurbish"}),
)
CREW: Final[Sequence[Member]] = (WORKER, OTHER, SECOND, CHARGE)


class _Before:
    """The clock while people were enrolled: a day before."""

    def now(self) -> datetime:
        return BEFORE


class House:
    """One folder, and the settings that name it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        recipes = files(benchd).joinpath("..", "configs", "recipes")
        (folder / "benchd.toml").write_text(CONFIG.format(recipes=recipes), encoding="utf-8")
        self._empty()
        create_key(folder / "key.pem")
        version()  # asks git, once
        self.settings: Settings = load_settings(folder / "benchd.toml")
        with (
            patch("benchd.daemon.rack_people.Secrets", partial(Secrets, cost=CHEAP)),
            patch("benchd.daemon.rack_people.SystemClock", _Before),
        ):
            anyio.run(self._enrol)
        shutil.copytree(folder / "state", folder / "first")
        anyio.run(self._go_on_with_the_next_release)
        shutil.copytree(folder / "state", folder / "newer")

    async def _enrol(self) -> None:
        by = By(actor=None, source="storm")
        async with people_on_disk(self.settings) as people:
            for one in CREW:
                await people.add(by, one.id, name=one.name, reading="", roles=tuple(Role))
                await people.set_badge(by, one.id, one.badge)
                await people.set_pin(by, one.id, one.pin)

    async def _go_on_with_the_next_release(self) -> None:
        """It has written what this one can't read, and somebody has gone back to this one."""
        key = load_key(self.folder / "key.pem")
        async with open_ledger(self.settings.ledger.path, head_key=key) as ledger:
            for kind, slot, data in NEWER:
                occupancy = None if slot is None else 8
                job = OLD_JOB if data and slot else None
                await ledger.append(
                    Entry(kind=kind, at=BEFORE, slot=slot, occupancy=occupancy, job=job, data=data)
                )

    def put_back(self, *, newer: bool = False) -> None:
        """As on the first day, or after the next release was tried."""
        shutil.rmtree(self.folder / "state")
        shutil.copytree(self.folder / ("newer" if newer else "first"), self.folder / "state")

    def _empty(self) -> None:
        for name in ("state", "adb", "fresh", "state/certificates", "state/dossiers"):
            (self.folder / name).mkdir(exist_ok=True)


def memory() -> Path | None:
    """Where a folder costs no disk; None where there is no such place."""
    return MEMORY if MEMORY.is_dir() else None


_HOUSES: list[House] = []


def house() -> House:
    """This process' own."""
    if not _HOUSES:
        move_into(Path(tempfile.mkdtemp(prefix="storm-", dir=memory())))
    return _HOUSES[0]


def move_into(folder: Path) -> None:
    """Have it in this folder."""
    own = folder / str(os.getpid())
    own.mkdir()
    _HOUSES.append(House(own))


def leave_house() -> None:
    """Remove it."""
    while _HOUSES:
        shutil.rmtree(_HOUSES.pop().folder.parent, ignore_errors=True)
