"""A handset over adb: answers from its truth, or lies in the one thing that it lies in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import anyio

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.fill.keystream import AES_COUNTER, HostKeystream
from benchd.domain.errors import HandsetGone, StageFailed
from benchd.domain.fill import (
    NOTHING_OF_THIS_JOB,
    CheckOrder,
    CheckReport,
    DropReport,
    FillOrder,
    FillReport,
    HostSample,
    TransferProgress,
)
from benchd.domain.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StandingFacts,
)
from benchd.domain.job import Reason
from benchd.domain.ports import HostSamples, ProgressSink, Rest
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.drawn_hands import Hands
from benchd.lab.adversity.fresh_pictures import OWN_TYPE
from benchd.lab.adversity.kinds import Lie
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.truth import (
    CAPACITY_BYTES,
    GIB,
    Truth,
    digest,
)
from benchd.lab.adversity.truth_answers import (
    STEP_S,
    STEPS,
    facts_of_truth,
    holds,
    identity_of,
    report_of,
    used_bytes_of,
    write_extent,
)
from benchd.lab.usual_handset import JUST_RESET
from benchd.proof.storage_proof import EVICTION_SEEN

CALL_S: Final = 0.1
CHECK_S: Final = 25.0
SHORT_FILL_SHARE: Final = 0.55
_KEYSTREAM: Final = HostKeystream()


class Server:
    """The adb server, as far as handsets feel it."""

    def __init__(self) -> None:
        self.up = True


class SimulatedHandset:
    """`benchd.pipelines.ports.Handset`, bound to one enumeration of one bay."""

    def __init__(self, bay: Bay, server: Server, points: Points, hands: Hands) -> None:
        self._bay = bay
        self._server = server
        self._points = points
        self._hands = hands
        self._truth = bay.present()
        self._enumeration = bay.enumeration

    async def _call(self, point: str, takes_s: float = CALL_S) -> Truth:
        await anyio.sleep(takes_s)
        await self._points.passes(self._bay.slot, point).befall()
        self._still_there(point)
        return self._truth

    def _still_there(self, point: str) -> None:
        if not self._server.up:
            raise AdbServerLost(point)
        if self._bay.enumeration != self._enumeration or self._bay.handset is not self._truth:
            raise HandsetGone(point)

    async def identity(self) -> HandsetIdentity:
        """Who it says it is."""
        return identity_of(await self._call("identity"))

    async def inspect(self) -> HandsetFacts:
        """What it says of itself."""
        return facts_of_truth(await self._call("inspect"))

    async def standing(self) -> StandingFacts:
        """What forbids to erase it, now."""
        return facts_of_truth(await self._call("standing"))

    async def sim(self) -> bool | None:
        """Whether one is in it."""
        return (await self._call("sim")).sim

    async def battery(self) -> BatteryFacts:
        """Well charged and cool."""
        await self._call("battery")
        return BatteryFacts(percent=80, temperature_c=30.0)

    async def nfc_facts(self) -> NfcFacts:
        """All is on, unless its NFC was switched off."""
        truth = await self._call("nfc_facts")
        return NfcFacts(nfc_on=truth.nfc_on, screen_on=True, unlocked=True)

    async def switch_nfc(self, *, on: bool) -> None:
        """Switch its NFC; off is for a while, whoever goes away in the meantime."""
        truth = await self._call("nfc_on" if on else "nfc_off")
        truth.switch_nfc(on=on)
        if not on:
            self._hands.begin_switching_back(truth)

    async def take_back(self) -> None:
        """No truth of a handset holds benchd's programs."""
        await self._call("take_back")

    async def leave_dossier(self, name: str, why: str) -> str | None:
        """This rack keeps none."""
        del name, why
        return None

    async def reset_facts(self) -> ResetFacts:
        """What only a reset changes."""
        truth = await self._call("reset_facts")
        return replace(
            JUST_RESET,
            android_id=truth.android_id,
            account_count=truth.accounts,
            user_ids=truth.users,
            used_bytes=used_bytes_of(truth),
            third_party_packages=truth.apps + len(truth.packages),
            boot_count=truth.boot_count,
            owner_files=truth.owner_files,
            maker_accounts=truth.maker_accounts,
            maker_account_types=(OWN_TYPE,) if truth.maker_accounts else (),
            preinstalled=truth.packages,
        )

    async def enable_test_harness(self) -> None:
        """Reset itself, or only say so."""
        truth = await self._call("enable_test_harness")
        self._hands.begin_reset(self._bay, keeps_adb=True, real=truth.lie is not Lie.ANDROID_ID)

    async def open_page(self, page: Page) -> OpenedPage:
        """Whatever it says, nobody believes it."""
        self._still_there("open_page")
        return OpenedPage(page=page, outcome=ScreenOutcome.DONE)

    async def leave_setup_out(self) -> ScreenOutcome:
        """The same."""
        self._still_there("leave_setup_out")
        return ScreenOutcome.NOT_NEEDED

    async def fill(
        self, order: FillOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> FillReport:
        """Write the keystream into all that is free, extent by extent."""
        truth = await self._call("fill")
        self._hands.drew(order.key)
        await _rested(rest)
        prior = self._prior(truth, order)
        resumed = self._begin(truth, order)
        free_before = len(truth.free_extents()) * GIB
        wanted = truth.free_extents()
        if truth.lie is Lie.SHORT_FILL:
            wanted = wanted[: int(len(wanted) * SHORT_FILL_SHARE)]
        kept = min(truth.quota_extents, len(wanted))
        wanted = wanted[: len(wanted) - kept]
        for step in range(STEPS):
            await self._call("fill_step", STEP_S)
            if truth.faulty:
                truth.faulty = False
                raise StageFailed(Reason.STORAGE_FAULT, "a block can't be written")
            for extent in wanted[step * len(wanted) // STEPS : (step + 1) * len(wanted) // STEPS]:
                if extent not in truth.live:
                    write_extent(truth, extent)
            progress(TransferProgress(bytes_done=len(truth.files) * GIB, elapsed_s=STEP_S * step))
        return report_of(
            truth,
            prior_bytes=prior,
            resumed_bytes=resumed,
            free_bytes_before=free_before,
            free_bytes_after=kept * GIB,
        )

    def _prior(self, truth: Truth, order: FillOrder) -> int:
        """What proves that this job has written to this handset before it was away, in bytes."""
        if truth.lie is Lie.PROGRAM:
            return order.prior_bytes
        key = digest(order.key)
        held = sum(holds(truth, name, key) for name in truth.files) * GIB
        if order.prior_bytes and not held:
            raise StageFailed(Reason.HANDSET_CHANGED, NOTHING_OF_THIS_JOB)
        return min(held, order.prior_bytes)

    def _begin(self, truth: Truth, order: FillOrder) -> int:
        """What an earlier fill with this key holds, in bytes; anything else makes room."""
        if not order.resume or truth.files_key != digest(order.key):
            truth.files.clear()
        truth.files_key = digest(order.key)
        truth.filled_since_reset = True
        return len(truth.files) * GIB

    async def check(
        self, order: CheckOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> CheckReport:
        """Read back what is ordered."""
        truth = await self._call("check", CHECK_S)
        await _rested(rest)
        progress(TransferProgress(bytes_done=order.ordered_bytes, elapsed_s=CHECK_S))
        key = digest(order.fill.key)
        parts = order.files if order.ranges is None else order.ranges
        bad = 0
        if truth.lie is not Lie.PROGRAM:
            names = [file.name for file in order.files]
            for place, part in enumerate(parts):
                name = names[place if order.ranges is None else order.ranges[place].file]
                bad += 0 if holds(truth, name, key) else part.size_bytes
        return CheckReport(
            bytes_proven=order.ordered_bytes - bad,
            bytes_shown=order.ordered_bytes - bad,
            bytes_bad=bad,
            bad_runs=(),
            small_same=order.small_files,
            past_cache="o_direct",
            elapsed_s=CHECK_S,
        )

    @asynccontextmanager
    async def samples(self) -> AsyncGenerator[HostSamples]:
        """One shell for all of them, which has to be there still when it's let go of."""
        yield self
        self._still_there("sample")

    async def take(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """What `dd` reads there."""
        truth = await self._call("sample", 0.01)
        file = truth.files.get(name)
        data = bytes(size_bytes)
        if file is not None and truth.lie is not Lie.DD:
            key = self._hands.keys.get(truth.contents[file.extent])
            if key is not None:
                data = _KEYSTREAM(AES_COUNTER, key, file.stream_offset + offset, size_bytes)
        return HostSample(data=data, past_cache=EVICTION_SEEN)

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        """Delete names; what lies in the flash stays."""
        truth = await self._call("drop_tail" if only_tail else "drop")
        gone = [name for name in truth.files if name.startswith("tail-") or not only_tail]
        for name in gone:
            del truth.files[name]
        return DropReport(
            files_removed=len(gone),
            free_bytes=CAPACITY_BYTES - used_bytes_of(truth),
            trim="not_allowed",
            trimmed_bytes=0,
        )

    async def aclose(self) -> None:
        """Nothing is held."""


async def _rested(rest: Rest | None) -> None:
    while rest is not None and rest.due:
        await rest.changed()
