"""What forbids to erase a handset as it stands: one rule for gates, last reset, proof, dossiers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchd.domain.handset import OWNER, HandsetNumbers, StandingFacts
from benchd.domain.job import Reason

SOURCES_TO_DESTROY: Final = 2
"""So many independent sources have to say that a system is modified before value is destroyed."""


NOTHING_FORBIDS: Final = StandingFacts(
    serial="",
    manufacturer="",
    model="",
    modification_signs=(),
    modification_sources=(),
    screen_lock=None,
    frp_armed=None,
    account_count=0,
    unknown_account_types=(),
    frp_account_types=(),
    user_ids=(OWNER,),
    user_kinds=(),
    device_owner=False,
    lock_admins=(),
    removable_media=False,
    sim=None,
)
"""What stands for facts that a dossier doesn't tell; no handset is ever taken for this one."""


def refusals(facts: StandingFacts) -> Iterator[tuple[Reason, str]]:
    """All that forbids to erase this handset as it is, the gravest first.

    A SIM is the last: it is taken out while the job waits.
    """
    if facts.modification_signs:
        sources = frozenset(facts.modification_sources)
        proven = len(sources) >= SOURCES_TO_DESTROY
        reason = Reason.SYSTEM_MODIFIED if proven else Reason.SYSTEM_SUSPECT
        yield reason, "; ".join(facts.modification_signs)
    if facts.device_owner:
        yield Reason.MANAGED_DEVICE, "an organisation or a lender manages this handset"
    if facts.account_count or facts.screen_lock or facts.frp_armed:
        # A reset from the host would leave factory reset protection armed.
        yield Reason.LOCKED, "; ".join(_locks(facts))
    others = [number for number in facts.user_ids if number != OWNER]
    if others:
        # What a user holds that is closed to adb can't be counted: docs/adr/0020 says more.
        kinds = dict(zip(others, facts.user_kinds, strict=False))
        yield (
            Reason.OTHER_USER,
            ", ".join(f"user {number}: {kinds.get(number, 'unknown')}" for number in others),
        )
    if facts.removable_media:
        # Neither the overwrite nor a reset reaches it for certain.
        yield Reason.REMOVABLE_MEDIA, "a memory card or a USB drive is in it"
    if facts.sim:
        yield Reason.SIM_PRESENT, "a SIM is in it, or an eSIM in use"


def other_handset(first: HandsetNumbers, again: HandsetNumbers) -> str | None:
    """What of a second look at a handset is another handset's; None where nothing is.

    What it tells in one look only contradicts nothing; which of two IMEIs comes first may change.
    """
    for name, one, other in (
        ("serial", first.serial, again.serial),
        ("maker", first.manufacturer, again.manufacturer),
        ("model", first.model, again.model),
    ):
        if one != other:
            return name
    told, imeis_again = set(first.imeis), set(again.imeis)
    return None if told <= imeis_again or imeis_again <= told else "IMEI"


def _locks(facts: StandingFacts) -> Iterator[str]:
    yield f"{facts.account_count} accounts, screen lock {facts.screen_lock}"
    if facts.frp_armed:
        yield "factory reset protection is active"
    if facts.frp_account_types:
        yield f"a lock after the reset: {', '.join(facts.frp_account_types)}"
    if facts.unknown_account_types:
        yield f"of unknown type: {', '.join(facts.unknown_account_types)}"
