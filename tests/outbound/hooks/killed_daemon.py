"""A process that keeps jobs in a ledger and tells a hook of them, until it is killed.

Run as a program: killed_daemon.py FOLDER SEED JOBS.
"""

from __future__ import annotations

import random
import sys
from functools import partial
from pathlib import Path

import anyio

from benchd.certificate import DsseIssuer, load_rack_key
from benchd.config import load_settings
from benchd.daemon.rack_hooks import HookBoard, HookLife
from benchd.domain.ids import JobId, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.observe.announcing_ledger import announcing, keep_following
from benchd.observe.metrics import RackMetrics
from benchd.outbound.hooks.hook_dispatcher import Hooks
from benchd.slots.board import RackBoard
from tests.outbound.hooks.hook_rig import START

FAILED = {"outcome": "failed", "disposition": "hold", "reason": "storage_fault", "detail": ""}


async def live(folder: Path, seed: int, jobs: int) -> None:
    draw = random.Random(seed)
    settings = load_settings(folder / "benchd.toml")
    metrics = RackMetrics(slots=[], recipes=[], version="0", hooks=["stock"])
    key = load_rack_key(folder / "key.pem", {})
    async with open_ledger(settings.ledger.path, head_key=key) as stored:
        hooks = Hooks([hook.settings for hook in settings.hooks])
        ledger = announcing(stored, [hooks], lambda: None)
        issuer = DsseIssuer(key=key, directory=folder, site="東京", benchd_version="0")
        life = HookLife(
            hooks, settings, ledger.append, issuer, HookBoard(RackBoard(), metrics.hooks)
        )
        async with anyio.create_task_group() as group:
            group.start_soon(partial(keep_following, life.run, lambda: None))
            for number in range(jobs):
                job = f"{seed}-{number}"
                handset = f"S{draw.randrange(3)}"
                opened = {"recipe": "overwrite", "usb_serial": handset}
                await ledger.append(entry(EntryKind.JOB_OPENED, job, handset, opened))
                await ledger.append(entry(EntryKind.JOB_ENDED, job, handset, FAILED))
                await anyio.sleep(draw.uniform(0, 0.02))


def entry(kind: EntryKind, job: str, handset: str, data: dict[str, str]) -> Entry:
    slot = SlotName(handset)
    return Entry(kind=kind, at=START, slot=slot, job=JobId(job), data=dict(data))


if __name__ == "__main__":
    anyio.run(live, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
