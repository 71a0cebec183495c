"""Hooks as the daemon runs them; as a program, it keeps jobs and tells of them until it is killed.

`python -m tests.outbound.hooks.hook_daemon FOLDER SEED JOBS`
"""

from __future__ import annotations

import random
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from benchd.certificate import DsseIssuer, SigningKey, create_key, load_rack_key
from benchd.config import Settings, load_settings
from benchd.daemon.rack_hooks import Directing, HookBoard, HookLife, hook_settings_of
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import SqliteLedger, open_ledger
from benchd.observe.announcing_ledger import announcing, keep_following
from benchd.observe.metrics import RackMetrics
from benchd.outbound.hooks.hook_dispatcher import Hooks
from benchd.slots.board import RackBoard
from tests.outbound.hooks.hook_rig import START

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = '[[hooks]]\nname = "stock"\nurl = "{url}"\nsecret = "stock.secret"\n'
FAILED = {"outcome": "failed", "disposition": "hold", "reason": "storage_fault", "detail": ""}


def configuration(folder: Path, tables: str) -> Path:
    """A rack's configuration and what it names, in this folder."""
    create_key(folder / "key.pem")
    (folder / "recipes").mkdir()
    recipe = Path(__file__).parents[3] / "configs/recipes/overwrite.toml"
    (folder / "recipes/overwrite.toml").write_bytes(recipe.read_bytes())
    secret = folder / "stock.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    path = folder / "benchd.toml"
    path.write_text(
        '[site]\nname = "東京"\n[models]\nfresh_pictures = "fresh"\n'
        f'[ledger]\npath = "ledger.sqlite"\n{tables}'
    )
    return path


class Telling:
    """The hooks at work, and all around them that can be looked at."""

    def __init__(self, settings: Settings, key: SigningKey, stored: SqliteLedger) -> None:
        self.settings, self.stored = settings, stored
        self.metrics = RackMetrics(slots=[], recipes=[], stages=[], version="0", hooks=["stock"])
        self.hooks = Hooks([hook_settings_of(hook) for hook in settings.hooks])
        self.board = RackBoard(self.hooks.held.directed)
        followers = [self.hooks, Directing(self.board)]
        self.ledger = announcing(stored, followers, self.metrics.fault)
        folder = settings.ledger.path.parent
        issuer = DsseIssuer(key=key, directory=folder, site="東京", benchd_version="0")
        wall = HookBoard(self.board, self.metrics.hooks)
        self.life = HookLife(self.hooks, settings, self.ledger.append, issuer, wall)

    async def begun(self) -> None:
        """Wait until the hook hears of what comes next."""
        while not await self.stored.newest_of(EntryKind.HOOK_BEGUN):
            await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def telling(folder: Path) -> AsyncGenerator[Telling]:
    """Work by the configuration in this folder."""
    settings = load_settings(folder / "benchd.toml")
    key = load_rack_key(folder / "key.pem", {})
    async with (
        open_ledger(settings.ledger.path, head_key=key) as stored,
        anyio.create_task_group() as group,
    ):
        rack = Telling(settings, key, stored)
        group.start_soon(partial(keep_following, rack.life.run, rack.metrics.fault))
        yield rack
        group.cancel_scope.cancel()


async def live(folder: Path, seed: int, jobs: int) -> None:
    """Keep jobs of three handsets; without any, only tell of what is on record."""
    draw = random.Random(seed)
    async with telling(folder) as rack:
        for number in range(jobs):
            job = f"{seed}-{number}"
            handset = f"S{draw.randrange(3)}"
            opened = {"recipe": "overwrite", "usb_serial": handset}
            await rack.ledger.append(entry(EntryKind.JOB_OPENED, job, handset, opened))
            await rack.ledger.append(entry(EntryKind.JOB_ENDED, job, handset, FAILED))
            await anyio.sleep(draw.uniform(0, 0.02))
        await anyio.sleep_forever()


def entry(kind: EntryKind, job: str, slot: str, data: Evidence) -> Entry:
    return Entry(kind=kind, at=START, slot=SlotName(slot), job=JobId(job), data=data)


if __name__ == "__main__":
    anyio.run(live, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
