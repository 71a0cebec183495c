"""A handset over adb as the stages of Android ask for it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from benchd.domain.fill import CheckOrder, CheckReport, DropReport, FillOrder, FillReport
from benchd.domain.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StandingFacts,
)
from benchd.domain.ports import Device, HostSamples, ProgressSink, Rest
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome


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
