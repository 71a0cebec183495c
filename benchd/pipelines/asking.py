"""A question that something else may answer sooner than a person does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from benchd.errors import BenchdError

T = TypeVar("T")


async def ask_until(
    ask: Callable[[], Awaitable[T]], told: Callable[[], Awaitable[None]]
) -> T | None:
    """What was asked for; None where `told` returned first, and the question is withdrawn then.

    An answer that comes at the same moment is on record all the same: the proof weighs a no.
    """
    answer: T | None = None
    failure: BenchdError | None = None
    async with anyio.create_task_group() as group:

        async def until_told() -> None:
            await told()
            group.cancel_scope.cancel()

        group.start_soon(until_told)
        try:
            answer = await ask()
        except BenchdError as failed:
            # Told as it is, not inside the group's.
            failure = failed
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return answer
