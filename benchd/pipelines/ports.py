"""What stages ask of their slot, and those of Android of a handset over adb, as protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NoReturn, Protocol

from benchd.domain.fill import CheckOrder, CheckReport, DropReport, FillOrder, FillReport
from benchd.domain.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StandingFacts,
)
from benchd.domain.job import Decision, Gate
from benchd.domain.people import Actor
from benchd.domain.port import Absence, Attached
from benchd.domain.ports import Device, HostSamples, ProgressSink, Rest
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome
from benchd.domain.slot import Away, EarlierEnd, ProblemView, ProgressView

Vetting = Callable[[Actor, str, bool], Awaitable[None]]
"""Takes who answers, the note, and whether it is a yes; raises DecisionRefused for who may not give
this answer, or a note that it can't have."""


class AbsenceWindow(Protocol):
    """An open planned absence: until it closes, leaving the port doesn't abort the job."""

    async def departed(self) -> None:
        """Returns once the handset has left its port, at once if it has already."""
        ...

    async def absence(
        self, *, leave_within_s: float, return_within_s: float, why: Away = Away.RESTARTS
    ) -> Absence:
        """What the port shows; returns early once the handset has left and come back.

        `why` it is away is said on the wall.
        """
        ...


class Station(Protocol):
    """What a stage may ask of the slot that it runs in."""

    async def ask(
        self, gate: Gate, facts: Mapping[str, str], vet: Vetting | None = None
    ) -> Decision:
        """A person's answer, already in the ledger when it's returned.

        An answer that `vet` refuses isn't taken, and the question stands.
        """
        ...

    def planned_absence(self) -> AbstractAsyncContextManager[AbsenceWindow]:
        """A block in which the handset may leave its port.

        A handset that is away when the block ends counts as unplugged.
        """
        ...

    async def reopen(self, within_s: float) -> Device:
        """The device of this job, ready again on its port and with its identity checked.

        Raises StageFailed with `handset_lost` when it doesn't come, with `handset_changed`
        when another one did.
        """
        ...

    async def reader_back(self) -> None:
        """Returns once the slot's contactless reader answers again, shown as a problem till then.

        A person may have to plug it in, so there is no deadline; an unplug of the handset ends it.
        """
        ...

    async def counts_as_unplugged(self) -> NoReturn:
        """End the job as if the handset had left for good; what is on the port begins another."""
        ...

    async def may_destroy(self) -> None:
        """Returns once a job that has destroyed nothing yet may begin to."""
        ...

    def show_problem(self, problem: ProblemView | None) -> None:
        """Why the job can't go on just now; None once it goes on."""
        ...

    def port(self) -> Attached:
        """What is on the slot's port, as it was last enumerated."""
        ...

    def show_progress(self, progress: ProgressView) -> None:
        """How far the stage is."""
        ...

    def show_identity(self, facts: HandsetFacts) -> None:
        """Who the handset is."""
        ...

    def show_earlier(self, earlier: EarlierEnd | None) -> None:
        """How its last job has ended; None where it wasn't here, or tells no IMEI."""
        ...


class Handset(Device, Protocol):
    """One handset over adb, bound to the transport it was opened on.

    Beside what a device may raise, every method may raise HandsetStalled, StorageFault or
    AnswerNotRecognised.
    """

    async def identity(self) -> HandsetIdentity:
        """Who this handset says it is."""
        ...

    async def inspect(self) -> HandsetFacts:
        """Everything that the gates and the certificate need to know."""
        ...

    async def standing(self) -> StandingFacts:
        """Who it is and what the gates refuse by, read afresh."""
        ...

    async def sim(self) -> bool | None:
        """Whether a SIM is in it now; None where it doesn't tell."""
        ...

    async def battery(self) -> BatteryFacts:
        """How full and how warm the battery is now."""
        ...

    async def nfc_facts(self) -> NfcFacts:
        """Whether its radio and its screen are on; what it doesn't say clearly is unknown."""
        ...

    async def switch_nfc(self, *, on: bool) -> None:
        """Ask for its radio to be switched; what became of it `nfc_facts` tells.

        Off is for a short time only: by itself it goes on again.
        """
        ...

    async def reset_facts(self) -> ResetFacts:
        """The facts that only a reset changes, read afresh."""
        ...

    async def enable_test_harness(self) -> None:
        """Ask for the reset that keeps adb (Android 10 and later); its answer proves nothing."""
        ...

    async def open_page(self, page: Page) -> OpenedPage:
        """Wake the screen and open a page of the settings, for a person's eyes only."""
        ...

    async def leave_setup_out(self) -> ScreenOutcome:
        """Tell the system that its first setup is over, if it isn't."""
        ...

    async def fill(
        self, order: FillOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> FillReport:
        """Overwrite all the user storage that can be reached, each byte synced before it counts.

        While `rest` is due nothing is written, and nothing is waited for.
        """
        ...

    async def check(
        self, order: CheckOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> CheckReport:
        """Read back what is ordered past the handset's cache and compare it with the keystream."""
        ...

    def samples(self) -> AbstractAsyncContextManager[HostSamples]:
        """Samples of the fill, one after the other; they count once the block has ended well."""
        ...

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        """Delete all that the fill has made, or only what takes the last room."""
        ...

    async def take_back(self) -> None:
        """Remove what benchd has put on it, but for files of a fill: the last thing it's asked."""
        ...
