"""A hook that can't go on says so, and goes on as soon as it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.domain.errors import LedgerFault
from benchd.domain.record import StoredEntry
from benchd.domain.wakeup import Wakeup
from benchd.ledger import follower
from benchd.outbound.hooks.hook_dispatcher import MANY_FAULTS, Hooks
from benchd.outbound.hooks.hook_settings import HookSettings, Target
from benchd.outbound.hooks.webhook_signature import secret_of
from tests.outbound.hooks.hook_rig import TERMS, Sink, rig
from tests.outbound.hooks.test_signing import SECRET

pytestmark = pytest.mark.asyncio


class Watched(Sink):
    """Hears whether a hook is faulty."""

    def __init__(self) -> None:
        super().__init__()
        self.told = [False]
        self.changed = Wakeup()

    def faulty(self, hook: str, *, is_so: bool) -> None:
        if is_so is not self.told[-1]:
            self.told.append(is_so)
            self.changed.fire()


async def test_faults_that_come_again_and_again_are_told_until_they_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "AFTER_FAULT_S", 0.001)
    target = Target(url="http://127.0.0.1:1/", secrets=(secret_of(SECRET),), timeout_s=1)
    async with rig(tmp_path) as one:
        feed, faults = one.parts.feed, []
        read = feed.entries_after

        async def entries_after(sequence: int, most: int) -> Sequence[StoredEntry]:
            if len(faults) < MANY_FAULTS:
                faults.append(sequence)
                raise LedgerFault
            return await read(sequence, most)

        monkeypatch.setattr(feed, "entries_after", entries_after)
        sink = Watched()
        hooks = Hooks([HookSettings(terms=TERMS, target=target)])
        async with anyio.create_task_group() as group:
            group.start_soon(hooks.run, replace(one.parts, sink=sink))
            with anyio.fail_after(30):
                await sink.changed.until(lambda: len(sink.told) == 3)
            group.cancel_scope.cancel()
        assert sink.told == [False, True, False]
