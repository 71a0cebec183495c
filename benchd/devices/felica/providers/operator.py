"""A person clears the chip: at a carrier's kiosk, in a shop, on the handset's own screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from benchd.devices.felica.providers.kinds import OptionRefused
from benchd.domain.clear_provider import (
    ClearCapabilities,
    ClearClaim,
    ClearMethod,
    ClearOrder,
    ClearOutcome,
)
from benchd.domain.handset import HandsetIdentity


class OperatorProvider:
    """Hands every order to a person at once."""

    def __init__(self, name: str) -> None:
        self._name = name

    def capabilities(self, identity: HandsetIdentity) -> ClearCapabilities:  # noqa: ARG002
        """A person can try anything."""
        return ClearCapabilities(
            methods=frozenset({ClearMethod.PERSON}),
            needs_network=False,
            needs_login=False,
            irreversible=True,
            max_s=1.0,
        )

    async def clear(self, order: ClearOrder) -> ClearClaim:  # noqa: ARG002
        """Ask for a person's hand."""
        return ClearClaim(
            provider=self._name,
            outcome=ClearOutcome.NEEDS_OPERATOR,
            detail="a person clears the chip",
        )

    async def abort(self) -> None:
        """Nothing runs."""


def operator(
    name: str,
    options: Mapping[str, object],
    folder: Path,  # noqa: ARG001 - every kind's signature
) -> Callable[[], OperatorProvider]:
    """The factory of this kind; it has no options."""
    for key in options:
        raise OptionRefused(key, "this kind of provider has no options")
    return lambda: OperatorProvider(name)
