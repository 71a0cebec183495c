"""How a stage waits: what is left of its time, and a question that something else may answer."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import anyio

from benchd.domain.errors import BenchdError

T = TypeVar("T")


class StageTime:
    """The deadline of a job's running attempt; one at a time."""

    def __init__(self) -> None:
        self._attempt: anyio.CancelScope | None = None

    @contextmanager
    def limited(self, seconds: float) -> Generator[None]:
        """A block that may take so long; raises TimeoutError."""
        with anyio.fail_after(seconds) as attempt:
            self._attempt = attempt
            yield

    @property
    def left_s(self) -> float | None:
        """Seconds until the running attempt is given up; None where nothing ends it just now."""
        attempt = self._attempt
        if attempt is None or math.isinf(attempt.deadline):
            return None
        return max(attempt.deadline - anyio.current_time(), 0.0)

    @contextmanager
    def stands_still(self) -> Generator[None]:
        """A block that waits for other jobs: what they take is none of this one's time.

        What is waited for has to end by itself.
        """
        attempt = self._attempt
        if attempt is None:
            yield
            return
        left_s = attempt.deadline - anyio.current_time()
        attempt.deadline = math.inf
        try:
            yield
        finally:
            attempt.deadline = anyio.current_time() + left_s


async def ask_until(
    ask: Callable[[], Awaitable[T]], told: Callable[[], Awaitable[None]]
) -> T | None:
    """What was asked for; None where `told` returned first, and the question is withdrawn then.

    An answer that comes at the same moment is on record all the same: the proof weighs a no.
    """
    answer: T | None = None
    failure: BenchdError | None = None
    async with anyio.create_task_group() as group:

        async def until_ended() -> None:
            await told()
            group.cancel_scope.cancel()

        group.start_soon(until_ended)
        try:
            answer = await ask()
        except BenchdError as failed:
            # Told as it is, not inside the group's.
            failure = failed
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return answer
