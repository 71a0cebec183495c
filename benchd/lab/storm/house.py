"""The folder of a rack in a storm: configuration, key, people; made once, put back for each seed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final
from unittest.mock import patch

import anyio

import benchd
from benchd.certificate import create_key
from benchd.config import Settings, load_settings
from benchd.daemon.people import people_on_disk
from benchd.lab.storm.machine import CHEAP
from benchd.people.secrets import Secrets
from benchd.revision import version
from benchd.words.people import By, Role

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
CREW: Final[Sequence[Member]] = (WORKER, OTHER, SECOND, CHARGE)


class House:
    """One folder, and the settings that name it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        recipes = files(benchd).joinpath("..", "configs", "recipes")
        (folder / "benchd.toml").write_text(CONFIG.format(recipes=recipes), encoding="utf-8")
        (folder / "first").mkdir()
        self._empty()
        create_key(folder / "key.pem")
        version()  # asks git, once
        self.settings: Settings = load_settings(folder / "benchd.toml")
        with patch("benchd.daemon.people.Secrets", lambda key: Secrets(key, CHEAP)):
            anyio.run(self._enrol)
        shutil.rmtree(folder / "first")
        shutil.copytree(folder / "state", folder / "first")

    async def _enrol(self) -> None:
        by = By(actor=None, source="storm")
        async with people_on_disk(self.settings) as people:
            for one in CREW:
                await people.add(by, one.id, name=one.name, reading="", roles=tuple(Role))
                await people.set_badge(by, one.id, one.badge)
                await people.set_pin(by, one.id, one.pin)

    def put_back(self) -> None:
        """As on the first day."""
        self._empty()
        shutil.rmtree(self.folder / "state")
        shutil.copytree(self.folder / "first", self.folder / "state")

    def _empty(self) -> None:
        for name in ("state", "adb", "fresh", "state/certificates", "state/dossiers"):
            (self.folder / name).mkdir(exist_ok=True)


@cache
def house() -> House:
    """This process' own."""
    return House(Path(tempfile.mkdtemp(prefix="storm-", dir=MEMORY if MEMORY.is_dir() else None)))


def leave_house() -> None:
    """Remove it."""
    if house.cache_info().currsize:
        shutil.rmtree(house().folder, ignore_errors=True)
        house.cache_clear()


def with_recipes(settings: Settings, **changed: object) -> Settings:
    """The same settings with other parts."""
    return replace(settings, **changed)  # type: ignore[arg-type]
