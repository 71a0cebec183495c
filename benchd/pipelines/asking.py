"""A question that something else may answer sooner than a person does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from benchd.errors import StageFailed
from benchd.words.job import Decision


async def ask_until(
    ask: Callable[[], Awaitable[Decision]], told: Callable[[], Awaitable[None]]
) -> Decision | None:
    """Somebody's answer; None where `told` returned first, and the question is withdrawn then.

    An answer that comes at the same moment is on record all the same: the proof weighs a no.
    """
    decision: Decision | None = None
    failure: StageFailed | None = None
    async with anyio.create_task_group() as group:

        async def until_told() -> None:
            await told()
            group.cancel_scope.cancel()

        group.start_soon(until_told)
        try:
            decision = await ask()
        except StageFailed as failed:
            # Told as it is, not inside the group's.
            failure = failed
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return decision
