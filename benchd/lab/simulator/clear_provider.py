"""A clear provider for the virtual rack: asks the rack to clear, and passes on what it says.

It stands in for a licensed tool where there is only a virtual chip. Like one it may lie: what
it says is a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

import anyio
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from benchd.domain.clear_provider import (
    ClearCapabilities,
    ClearClaim,
    ClearMethod,
    ClearOrder,
    ClearOutcome,
)
from benchd.domain.errors import UsageRefused
from benchd.domain.handset import HandsetIdentity
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.lines.child import RackBroken

NAME: Final = "simulated"
CLEAR_WITHIN_S: Final = 60.0

_ALLOWED: Final = "allowed are control, a virtual rack's socket, and slots, its number of each slot"


class SimulatedClearProvider:
    """One clear on the rack with this control socket; `slots` are the numbers of the slots."""

    def __init__(self, control_socket: Path, slots: Mapping[str, int]) -> None:
        self._control_socket = control_socket
        self._slots = slots
        self._running = anyio.CancelScope()

    def capabilities(self, identity: HandsetIdentity) -> ClearCapabilities:  # noqa: ARG002
        """The same for every virtual handset: which of them can be cleared, the clear shows."""
        return ClearCapabilities(
            methods=frozenset({ClearMethod.TOOL}),
            needs_network=False,
            needs_login=False,
            irreversible=True,
            max_s=CLEAR_WITHIN_S,
        )

    async def clear(self, order: ClearOrder) -> ClearClaim:
        """Have the chip in the order's slot cleared."""
        began_s = anyio.current_time()
        outcome, code, detail = ClearOutcome.RETRYABLE, None, "aborted"
        with self._running:
            outcome, code, detail = await self._ask(order)
        return ClearClaim(
            provider=NAME,
            outcome=outcome,
            detail=detail,
            report=f"simulated-{order.job}",
            vendor_code=code,
            elapsed_s=anyio.current_time() - began_s,
        )

    async def abort(self) -> None:
        """Wait no longer; what the rack has begun it may still finish."""
        self._running.cancel()

    async def _ask(self, order: ClearOrder) -> tuple[ClearOutcome, str | None, str]:
        number = self._slots.get(order.slot)
        if number is None:
            return ClearOutcome.UNSUPPORTED, None, "no virtual reader in this slot"
        try:
            async with RackHands.connect(self._control_socket) as hands:
                said = await hands.chips.clear(number)
        except UsageRefused:
            return ClearOutcome.RETRYABLE, None, "nothing to clear in this slot"
        except (OSError, RackBroken):
            return ClearOutcome.RETRYABLE, None, "the virtual rack doesn't answer"
        return said.outcome, said.code, said.detail


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class _Options:
    control: str
    slots: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")],
        Annotated[int, Field(ge=1, strict=True)],
    ]


def simulated(
    name: str, options: Mapping[str, object], folder: Path
) -> Callable[[], SimulatedClearProvider]:
    """The factory for the configuration's `kind = "simulated"`.

    Options: `control`, the path of the rack's control socket, and `slots`, the rack's number of
    each slot. Raises ValueError for any others.
    """
    del name
    try:
        found = TypeAdapter(_Options).validate_python(dict(options))
    except ValidationError:
        raise ValueError(_ALLOWED) from None
    return lambda: SimulatedClearProvider(folder / found.control, found.slots)
