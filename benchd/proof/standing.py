"""What forbids to erase a handset as it stands: one rule for gates, last reset and proof.

It is asked of facts in any of their forms: as they were read, as they are on record, as a dossier
tells them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from benchd.words.handset import OWNER, ModificationSource, UserKind
from benchd.words.job import Reason

SOURCES_TO_DESTROY: Final = 2
"""So many independent sources have to say that a system is modified before value is destroyed."""


class Standing(Protocol):
    """The facts that gates refuse by; None where one isn't known."""

    @property
    def modification_signs(self) -> tuple[str, ...] | None:
        """Each sign of a modified system."""
        ...

    @property
    def modification_sources(self) -> tuple[ModificationSource, ...] | None:
        """Where these come from."""
        ...

    @property
    def device_owner(self) -> bool | None:
        """Whether an organisation manages it."""
        ...

    @property
    def account_count(self) -> int | None:
        """Accounts of people, or of unknown types."""
        ...

    @property
    def unknown_account_types(self) -> tuple[str, ...] | None:
        """Those types."""
        ...

    @property
    def frp_account_types(self) -> tuple[str, ...] | None:
        """The types that keep it locked after a reset."""
        ...

    @property
    def frp_armed(self) -> bool | None:
        """Whether it is locked after a reset, by its own word."""
        ...

    @property
    def user_ids(self) -> tuple[int, ...] | None:
        """The owner and everybody else."""
        ...

    @property
    def user_kinds(self) -> tuple[UserKind, ...] | None:
        """What everybody else is."""
        ...

    @property
    def screen_lock(self) -> bool | None:
        """Whether it is closed."""
        ...

    @property
    def removable_media(self) -> bool | None:
        """Whether a card is in it."""
        ...

    @property
    def sim(self) -> bool | None:
        """Whether a SIM is in it."""
        ...


class Named(Protocol):
    """Who a handset says it is."""

    @property
    def serial(self) -> str:
        """Its serial."""
        ...

    @property
    def manufacturer(self) -> str:
        """Its maker."""
        ...

    @property
    def model(self) -> str:
        """Its model."""
        ...

    @property
    def imeis(self) -> tuple[str, ...]:
        """All IMEIs that it tells."""
        ...


def refusals(facts: Standing) -> Iterator[tuple[Reason, str]]:
    """All that forbids to erase this handset as it is, the gravest first.

    A SIM is the last: it is taken out while the job waits.
    """
    if facts.modification_signs:
        sources = frozenset(facts.modification_sources or ())
        proven = len(sources) >= SOURCES_TO_DESTROY
        reason = Reason.SYSTEM_MODIFIED if proven else Reason.SYSTEM_SUSPECT
        yield reason, "; ".join(facts.modification_signs)
    if facts.device_owner:
        yield Reason.MANAGED_DEVICE, "an organisation manages this handset"
    if facts.account_count or facts.screen_lock or facts.frp_armed:
        # A reset from the host would leave factory reset protection armed.
        yield Reason.LOCKED, "; ".join(_locks(facts))
    others = [number for number in facts.user_ids or () if number != OWNER]
    if others:
        # What a user holds that is closed to adb can't be counted: docs/adr/0020 says more.
        kinds = dict(zip(others, facts.user_kinds or (), strict=False))
        yield (
            Reason.OTHER_USER,
            ", ".join(f"user {number}: {kinds.get(number, 'unknown')}" for number in others),
        )
    if facts.removable_media:
        # Neither the overwrite nor a reset reaches it for certain.
        yield Reason.REMOVABLE_MEDIA, "a memory card or a USB drive is in it"
    if facts.sim:
        yield Reason.SIM_PRESENT, "a SIM is in it, or an eSIM in use"


def other_handset(first: Named, again: Named) -> str | None:
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
    told, told_again = set(first.imeis), set(again.imeis)
    return None if told <= told_again or told_again <= told else "IMEI"


def _locks(facts: Standing) -> Iterator[str]:
    yield f"{facts.account_count} accounts, screen lock {facts.screen_lock}"
    if facts.frp_armed:
        yield "factory reset protection is active"
    if facts.frp_account_types:
        yield f"a lock after the reset: {', '.join(facts.frp_account_types)}"
    if facts.unknown_account_types:
        yield f"of unknown type: {', '.join(facts.unknown_account_types)}"
