"""After a restart of the daemon it is told what lies in every slot, then the jobs get on."""

from __future__ import annotations

import math
from typing import Final

import anyio

QUIET_S: Final = 0.3
"""No slot for so long: whatever is still to come isn't waited for."""
MOST_S: Final = 5.0
"""How long those that have answered wait for others at most, since the first of them."""


class RollCall:
    """Slots whose handset never left answer, each when its job has begun.

    A job's first questions are many and take the processor from the slots that nothing is known of
    yet: with 256 the last of them would be told of a second and a half later.
    """

    def __init__(self) -> None:
        self._answers = 0
        self._over = math.inf

    async def answer(self) -> None:
        """Returns once nobody has answered for a while, or it has taken long enough."""
        self._answers += 1
        self._over = min(self._over, anyio.current_time() + MOST_S)
        heard = 0
        with anyio.CancelScope(deadline=self._over):
            while heard != self._answers:
                heard = self._answers
                await anyio.sleep(QUIET_S)
