"""What the core asks of the outside world, as protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from benchd.domain.authority import Action
from benchd.domain.chip import ChipScan
from benchd.domain.clear_provider import ClearCapabilities, ClearClaim, ClearOrder
from benchd.domain.fill import (
    HostSample,
    TransferProgress,
)
from benchd.domain.handset import (
    HandsetIdentity,
    Trait,
)
from benchd.domain.handset_question import Asked, HandsetQuestion, NotAsked
from benchd.domain.ids import DeviceAddress, JobId, PortPath, SlotName
from benchd.domain.people import Actor
from benchd.domain.port import Liveness, PlugEvent
from benchd.domain.record import Entry, Receipt, StoredEntry
from benchd.domain.slot import SlotView

ProgressSink = Callable[[TransferProgress], None]


class Clock(Protocol):
    """Wall time for records; durations use the event loop's clock."""

    def now(self) -> datetime:
        """The current time in UTC, with its zone."""
        ...


class Entropy(Protocol):
    """Where keys and sampling seeds come from."""

    def token(self, size_bytes: int) -> bytes:
        """Fresh bytes that nobody can foresee."""
        ...


class Keystream(Protocol):
    """The host's own computation of what the fill program has to write."""

    def __call__(self, cipher: str, key: bytes, offset: int, size_bytes: int) -> bytes:
        """The bytes [offset, offset + size_bytes) of the stream that `cipher` and `key` name."""
        ...


class HotplugSource(Protocol):
    """Where plug events come from."""

    def events(self) -> AbstractAsyncContextManager[AsyncIterator[PlugEvent]]:
        """Every port in use as an Attached first, then each change in order, none merged or lost.

        After an overflow the source enumerates again and yields what it takes to get from the
        last state it told to the present one.
        """
        ...


class Rest(Protocol):
    """Whether a handset has to rest for now: too hot, or nearly empty."""

    @property
    def due(self) -> bool:
        """Whether it has to rest at this moment."""
        ...

    async def changed(self) -> None:
        """Wait for the next time that this changes."""
        ...


class HostSamples(Protocol):
    """The host's own look at what lies in a handset's fill files."""

    async def take(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """Bytes of one file past the handset's cache, by `dd` and not by the fill program."""
        ...


class Device(Protocol):
    """A device on a slot's port, opened by its kind's access; what else it can do its kind knows.

    Every method may raise HandsetGone (it has left: nothing is known of what was asked), AccessLost
    or TransientFault. Cancelling a call returns at once and leaves no thread behind.
    """

    async def leave_dossier(self, name: str, why: str) -> str | None:
        """Keep on the rack what it has answered and still answers, without what is personal.

        Returns the dossier's name, None where none could be kept; never raises, takes seconds.
        """
        ...

    async def aclose(self) -> None:
        """Let go of it; never raises."""
        ...


Device_co = TypeVar("Device_co", bound=Device, covariant=True)


class DeviceAccess(Protocol[Device_co]):
    """The core's way to the devices of one kind; it alone understands their addresses."""

    def liveness(
        self, address: DeviceAddress
    ) -> AbstractAsyncContextManager[AsyncIterator[Liveness]]:
        """Whether what is at the address can be worked with now, then each change."""
        ...

    async def open(self, address: DeviceAddress) -> Device_co:
        """The device that is READY at this address, for as long as it isn't unplugged.

        Raises HandsetGone when there is none, AccessLost when there is no way to any, StageFailed
        for one that can't be worked with: no new attempt changes that.
        """
        ...


class ChipAccess(Protocol):
    """The contactless readers of the rack and the providers that clear chips.

    Cancelling a call returns at once. While a clear runs, the slot's field is off and the
    reader is free for the provider.
    """

    def reader(self, slot: SlotName) -> str | None:
        """What the configuration calls the slot's reader; None where the slot has none."""
        ...

    async def scan(self, slot: SlotName, *, passes: int, power_cycle: bool) -> ChipScan:
        """Look at the chip so many times; scans that differ make INCONSISTENT.

        A chip that doesn't answer is a verdict (SILENT), never an error. Raises ReaderGone
        while the slot's reader or its pcscd is away, ReaderFault when the reader failed,
        which another attempt may mend.
        """
        ...

    async def until_there(self, slot: SlotName) -> None:
        """Returns once the slot's reader answers again; at once where it does."""
        ...

    async def field_off(self, slot: SlotName) -> None:
        """Switch the field of the slot's reader off; it stays off until the next look.

        Does nothing where there is no reader. Raises ReaderFault where it can't be.
        """
        ...

    async def clear(self, order: ClearOrder) -> ClearClaim:
        """Have the provider that the configuration's rules choose clear the chip.

        NEEDS_OPERATOR asks for a person's hand (a kiosk, a shop), UNSUPPORTED says that no
        provider can do it. Never raises for what a provider does: that is a claim too.
        """
        ...


class ClearProvider(Protocol):
    """Something that can clear a chip; made anew for every order. See docs/clear-providers.md.

    Whatever it raises, the claim that is recorded is FATAL and the daemon goes on. Only a scan
    decides what became of the chip.
    """

    def capabilities(self, identity: HandsetIdentity) -> ClearCapabilities:
        """What it can do for this handset; does nothing and waits for nothing."""
        ...

    async def clear(self, order: ClearOrder) -> ClearClaim:
        """Clear the chip, or say why not.

        Cancelled when the handset is unplugged; let the cancellation through.
        """
        ...

    async def abort(self) -> None:
        """Stop a clear that took too long or whose handset is gone; has seconds to do so."""
        ...


class Ledger(Protocol):
    """The ledger as the core sees it; every method raises LedgerFault when it can't serve."""

    async def append(self, entry: Entry) -> Receipt:
        """Returns when the record is on disk; shielded from cancellation, bounded in time."""
        ...

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        """All records of one job in order, their hashes recomputed and compared."""
        ...

    async def open_jobs(self) -> Sequence[StoredEntry]:
        """The JOB_OPENED record of each job without JOB_ENDED."""
        ...

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        """All records of the last occupancy of a slot; empty where it never had one."""
        ...

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        """The newest jobs that tell this of their handset, and all that doom or have drawn it.

        The newest first. A handset may come back any number of times: no more than `limit` of
        those that neither doom nor have drawn it.
        """
        ...

    async def records_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        """Some records in which a handset told an IMEI of this type allocation code over adb."""
        ...

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        """The newest jobs first."""
        ...

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        """All records of intake (`OF_INTAKE`) from this number on, in order."""
        ...


class OtherRacks(Protocol):
    """What other racks know of a handset, by the fleet's centre: only ever reasons to hold it."""

    async def ask(self, question: HandsetQuestion) -> Asked | NotAsked:
        """Its answer to this question; bounded in time, never raises."""
        ...


class Authority(Protocol):
    """Who may do what, as it stands now."""

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        """Raise NotAllowed, with what is missing, unless they may and have shown enough."""
        ...


class Anchor(Protocol):
    """A place outside the rack that has seen the ledger's head; an older ledger can't deny it.

    Every method raises AnchorUnreachable when it can't serve.
    """

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        ...

    async def keep(self, signed_head: bytes) -> str:
        """Send a head; returns once it is kept, with the place's own receipt in short."""
        ...

    async def newest(self) -> bytes | None:
        """The newest head of this rack that it keeps; None where it has none yet."""
        ...


class Board(Protocol):
    """Where the present view of each slot is shown; a watcher may miss a step and read again."""

    def show(self, view: SlotView) -> None:
        """Replace what is shown of this slot."""
        ...

    def show_unknown_port(self, port_path: PortPath, *, attached: bool) -> None:
        """A handset sits in a port that no slot claims (or has left it)."""
        ...

    def arrange(self, slots: Collection[SlotName]) -> None:
        """Show these slots only, in this order: the configuration has changed."""
        ...

    def views(self) -> Mapping[SlotName, SlotView]:
        """Every slot as it is now."""
        ...
