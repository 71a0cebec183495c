"""What the demo's daemon reads and leaves: one folder with configuration, keys and records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from benchd.certificate import create_key
from benchd.domain.job import StageName
from benchd.lab import simulator
from benchd.lab.simulator.addresses import port_path
from benchd.lab.simulator.chips import BASELINE
from benchd.lab.simulator.chips.reader_addresses import ReaderAddress
from benchd.lab.virtual_recipe import Parameters, recipe_text

CONFIG = """\
# Made by `benchd demo`: a virtual rack. Nothing in here is a real handset.
[site]
name = "仮想ラック / virtual rack (simulated, proves nothing about a real handset)"

[rack]
recipe = "overwrite"
settle_s = 0.2

[adb]
socket = {adb}
home = "adb"

[ledger]
path = "ledger.sqlite"

[certificate]
key = "certificate_key.pem"
directory = "certificates"

[dossiers]
directory = "dossiers"

[http]
socket = "benchd.sock"
listen = "127.0.0.1:{port}"
# A demo is there to be seen, and nobody in it is a real person.
anonymous = "read"

[recipes]
directory = "recipes"

[models]
# Their storage is smaller than that of any real handset.
folders = [{models}]
fresh_pictures = "fresh"

[felica]
pcscd = {pcscd}
# True of no real chip.
baselines = [{baseline}]
accept_simulated = true

# Asks the virtual rack to clear a chip; it may lie, like any provider.
[felica.providers.virtual]
kind = "simulated"
control = {control}
slots = {{ {numbers} }}

[[felica.clear]]
provider = "virtual"
"""

SLOT = """
[slots.{name}]
port = {port}
reader = {reader}
"""
SHIPPED_RECIPES = Path(__file__).parents[3] / "configs" / "recipes"

STAGES: Mapping[str, Parameters] = {
    StageName.GATES: {"charge_within_s": 120, "battery_every_s": 0.5},
    StageName.INITIALISE: {
        "fresh_used_bytes": 12 << 20,
        "leave_within_s": 5,
        "return_within_s": 120,
    },
    StageName.OVERWRITE: {"file_bytes": 16 << 20, "stall_s": 5},
    StageName.READ_BACK: {"minimum_coverage": 0.85, "host_samples": 16, "stall_s": 5},
    StageName.FELICA_CLEAR: {"return_within_s": 120},
    StageName.FINAL_RESET: {"leave_within_s": 60, "return_within_s": 120},
}
STAGE_DEADLINE_S = 300
LEARNERS_DEADLINE_S = 3600
"""A question is open for as long as its stage may take, and somebody reads the manual meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFolder:
    """Where everything of one demo is, and stays."""

    path: Path

    @property
    def config(self) -> Path:
        """The daemon's configuration."""
        return self.path / "benchd.toml"

    @property
    def socket(self) -> Path:
        """The daemon's API."""
        return self.path / "benchd.sock"

    @property
    def ledger(self) -> Path:
        """The daemon's ledger."""
        return self.path / "ledger.sqlite"

    @property
    def public_key(self) -> Path:
        """What certificates and ledger are verified with."""
        return self.path / "certificate_key.pem.pub"

    @property
    def log(self) -> Path:
        """What the daemon said."""
        return self.path / "benchd.log"

    def certificate(self, job: str) -> Path:
        """The file of a job's certificate."""
        return self.path / "certificates" / f"{job}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSlot:
    """One slot: its name, its number in the virtual rack, where its reader is."""

    name: str
    number: int
    reader: ReaderAddress
    recipe: str | None = None
    """A shipped one; None for the rack's own, which erases."""


def make_folder(
    path: Path,
    slots: Sequence[DemoSlot],
    *,
    port: int,
    control_socket: Path,
    adb_socket: Path,
    deadline_s: int = STAGE_DEADLINE_S,
) -> DemoFolder:
    """Write all that the daemon reads; the sockets are the rack's control desk's and its adb's.

    No stage, nor a question in it, takes longer than its deadline.
    """
    folder = DemoFolder(path=path)
    (path / "recipes").mkdir(parents=True)
    (path / "adb").mkdir()
    sockets = dict.fromkeys(str(slot.reader.socket) for slot in slots)
    text = CONFIG.format(
        adb=json.dumps(str(adb_socket)),
        port=port,
        pcscd=json.dumps(list(sockets)),
        baseline=json.dumps(str(BASELINE)),
        control=json.dumps(str(control_socket)),
        models=json.dumps(str(files(simulator) / "models")),
        numbers=", ".join(f"{slot.name} = {slot.number}" for slot in slots),
    )
    for slot in slots:
        text += SLOT.format(
            name=slot.name,
            port=json.dumps(port_path(slot.number)),
            reader=json.dumps(slot.reader.name),
        )
        if slot.recipe is not None:
            text += f"recipe = {json.dumps(slot.recipe)}\n"
            shutil.copy(SHIPPED_RECIPES / f"{slot.recipe}.toml", path / "recipes")
    folder.config.write_text(text, encoding="utf-8")
    recipe = recipe_text(
        STAGES,
        deadline_s=deadline_s,
        description_ja="上書き消去（仮想ラック）",
        description_en="Overwrite (virtual rack)",
    )
    (path / "recipes" / "overwrite.toml").write_text(recipe, encoding="utf-8")
    create_key(path / "certificate_key.pem")
    return folder
