"""From an order to a claim: the provider that the rules choose, with whatever it does wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import anyio
import structlog

from benchd.devices.felica.providers.carrier_rules import choose
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.clear_provider import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.plain_text import printable
from benchd.domain.ports import ClearProvider

ABORT_WITHIN_S: Final = 5.0
LONGEST_DETAIL: Final = 200
LONGEST_CODE: Final = 64

_log = structlog.get_logger()


async def clear_with(settings: FelicaSettings, order: ClearOrder) -> ClearClaim:
    """The claim of the provider for this order, bounded and printable. Raises nothing of its own.

    A provider that raises is a FATAL claim, one that takes too long is aborted and RETRYABLE.
    Being cancelled aborts it too.
    """
    name = choose(settings.rules, order.slot, order.identity)
    if name is None:
        return ClearClaim(
            provider="", outcome=ClearOutcome.UNSUPPORTED, detail="no provider for this handset"
        )
    try:
        claim = await _clear(settings.providers[name](), name, order)
        return replace(
            claim,
            provider=name,
            outcome=ClearOutcome(claim.outcome),
            detail=printable(claim.detail, LONGEST_DETAIL),
            report=_bounded(claim.report),
            vendor_code=_bounded(claim.vendor_code),
        )
    except Exception as mistake:  # noqa: BLE001 - somebody else's program: its mistake is a claim
        kind = type(mistake).__name__
        # Not the text, which may hold anything, a serial for example.
        _log.error("clear_provider_raised", provider=name, slot=order.slot, error=kind)
        return ClearClaim(
            provider=name, outcome=ClearOutcome.FATAL, detail=f"the provider raised {kind}"
        )


async def _clear(provider: ClearProvider, name: str, order: ClearOrder) -> ClearClaim:
    capabilities = provider.capabilities(order.identity)
    if not capabilities.methods:
        return ClearClaim(
            provider=name,
            outcome=ClearOutcome.UNSUPPORTED,
            detail="the provider can't do this handset",
        )
    ended = False
    try:
        with anyio.move_on_after(capabilities.max_s):
            claim = await provider.clear(order)
            ended = True
            return claim
        return ClearClaim(
            provider=name,
            outcome=ClearOutcome.RETRYABLE,
            detail=f"aborted after {capabilities.max_s:.0f} s",
        )
    finally:
        if not ended:
            with anyio.move_on_after(ABORT_WITHIN_S, shield=True):
                await provider.abort()


def _bounded(text: str | None) -> str | None:
    return None if text is None else printable(text, LONGEST_CODE) or None
