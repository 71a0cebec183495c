"""All hooks of a rack, each in a task of its own; whatever they do, no job waits for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import anyio
import structlog
from anyio import to_thread

from benchd.domain.errors import HooksUnavailable, LedgerFault
from benchd.domain.hook import Direction
from benchd.domain.ids import JobId
from benchd.domain.record import Entry
from benchd.ledger.follower import Follower
from benchd.ledger.held_handsets import Held
from benchd.outbound.hooks.hook_delivery import HookSettings, HttpSender
from benchd.outbound.hooks.outbox import Outbox, OutboxParts

MANY_FAULTS: Final = 3
"""Without having come to rest in between: it won't come right by itself."""

_log = structlog.get_logger()


class Hooks:
    """Follows the ledger for each hook, as one of its subscribers."""

    def __init__(self, hooks: Sequence[HookSettings]) -> None:
        self._hooks = {each.terms.name: each for each in hooks}
        self._followers = {name: Follower() for name in self._hooks}
        self._parts: OutboxParts | None = None
        self.held = Held()
        """What counts of all answers, those to hooks that are configured no more too."""

    def stored(self, entry: Entry) -> None:
        """The ledger has another record; returns at once."""
        self.held.stored(entry)
        for follower in self._followers.values():
            follower.stored(entry)

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: its records are in the ledger."""
        del entry

    async def directions(self, job: JobId) -> Sequence[Direction]:
        """What receivers have asked for a job's handset, in the order of the ledger.

        What counts is always among it. The rest is told while the hooks' file has it.
        """
        counting, parts = self.held.counting(job), self._parts
        if parts is None:
            return counting
        try:
            listed = await to_thread.run_sync(
                partial(parts.store.directions, job), limiter=parts.thread
            )
        except HooksUnavailable:
            return counting
        return [*(told for told in counting if told not in listed), *listed]

    async def run(self, parts: OutboxParts) -> None:
        """Send until cancelled."""
        self._parts = parts
        try:
            async with anyio.create_task_group() as group:
                for hook in self._hooks.values():
                    group.start_soon(self._run_one, hook, parts)
        finally:
            self._parts = None

    async def _run_one(self, hook: HookSettings, parts: OutboxParts) -> None:
        name = hook.terms.name
        async with AsyncExitStack() as stack:
            make = partial(HttpSender, hook.target, now=_seconds_of(parts))
            sender = await to_thread.run_sync(make, limiter=parts.thread)
            stack.push_async_callback(sender.aclose)
            outbox, faults = Outbox(hook.terms, sender, parts), 0

            async def step() -> float:
                nonlocal faults
                rest_s = await outbox.step()
                faults = 0 if rest_s > 0 else faults
                parts.sink.faulty(name, is_so=faults >= MANY_FAULTS)
                return rest_s

            async def failed(fault: Exception) -> None:
                nonlocal outbox, faults
                faults += 1
                _log.warning("hooks_fault", hook=name, detail=str(fault))
                parts.sink.faulty(name, is_so=faults >= MANY_FAULTS)
                outbox = Outbox(hook.terms, sender, parts)

            await self._followers[name].run(step, failed, faults=(HooksUnavailable, LedgerFault))


def _seconds_of(parts: OutboxParts) -> Callable[[], float]:
    return lambda: parts.wall_clock().timestamp()
