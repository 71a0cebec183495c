"""A handset over adb: answers from its truth, or lies in the one thing that it lies in."""

from __future__ import annotations

from typing import Final

import anyio

from benchd.android.fill.keystream import AES_COUNTER, HostKeystream
from benchd.errors import AdbServerLost, HandsetGone, StageFailed
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.hands import Hands
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.schedule import Lie
from benchd.lab.adversity.truth import (
    CAPACITY_BYTES,
    GIB,
    SYSTEM_EXTENTS,
    HeldFile,
    Truth,
    digest,
)
from benchd.ports import ProgressSink, Rest
from benchd.proof.storage import EVICTED_BY_PROGRAM
from benchd.words.fill import (
    NOTHING_OF_THIS_JOB,
    CheckOrder,
    CheckReport,
    DropReport,
    FilledFile,
    FillOrder,
    FillReport,
    HostSample,
    TransferProgress,
)
from benchd.words.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StorageFacts,
)
from benchd.words.job import Reason

CALL_S: Final = 0.1
STEPS: Final = 5
STEP_S: Final = 20.0
CHECK_S: Final = 25.0
SHORT_FILL_SHARE: Final = 0.55
TAIL_EXTENTS: Final = 2
_WRONG_IMEI: Final = "490154203237518"
"""The example of 3GPP TS 23.003: nobody's."""
_KEYSTREAM: Final = HostKeystream()


class Server:
    """The adb server, as far as handsets feel it."""

    def __init__(self) -> None:
        self.up = True


class SimulatedHandset:
    """Implements `benchd.ports.Handset`, bound to one enumeration of one bay."""

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
        return _identity(await self._call("identity"))

    async def inspect(self) -> HandsetFacts:
        """What it says of itself."""
        truth = await self._call("inspect")
        used = _used_bytes(truth)
        return HandsetFacts(
            identity=_identity(truth),
            sdk=33,
            abi="arm64-v8a",
            storage=StorageFacts(
                capacity_bytes=CAPACITY_BYTES,
                used_bytes=used,
                free_bytes=CAPACITY_BYTES - used,
                file_system="f2fs",
            ),
            battery_percent=80,
            battery_temperature_c=28.0,
            crypto_state="encrypted",
            crypto_type="file",
            metadata_encryption=True,
            verified_boot_state="green",
            bootloader_locked=True,
            security_patch="2026-10-05",
            modification_signs=(),
            screen_lock=truth.accounts > 0,
            account_count=truth.accounts,
            user_ids=(0,),
            device_owner=False,
            felica_capable=truth.chip is not None,
            jpki_capable=False,
            removable_media=False,
            sim=False,
            telephony=True,
        )

    async def battery(self) -> BatteryFacts:
        """Well charged and cool."""
        await self._call("battery")
        return BatteryFacts(percent=80, temperature_c=30.0)

    async def nfc_facts(self) -> NfcFacts:
        """All is on."""
        await self._call("nfc_facts")
        return NfcFacts(nfc_on=True, screen_on=True, unlocked=True)

    async def reset_facts(self) -> ResetFacts:
        """What only a reset changes."""
        truth = await self._call("reset_facts")
        return ResetFacts(
            android_id=truth.android_id,
            account_count=truth.accounts,
            user_ids=(0,),
            used_bytes=_used_bytes(truth),
            third_party_packages=truth.apps,
            boot_count=truth.boot_count,
            test_harness=False,
            owner_files=truth.owner_files,
            call_count=0,
            contact_count=0,
            message_count=0,
        )

    async def enable_test_harness(self) -> None:
        """Reset itself, or only say so."""
        truth = await self._call("enable_test_harness")
        self._hands.begin_reset(self._bay, keeps_adb=True, real=truth.lie is not Lie.ANDROID_ID)

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
        for step in range(STEPS):
            await self._call("fill_step", STEP_S)
            for extent in wanted[step * len(wanted) // STEPS : (step + 1) * len(wanted) // STEPS]:
                _write(truth, extent)
            progress(TransferProgress(bytes_done=len(truth.files) * GIB, elapsed_s=STEP_S * step))
        return _report(
            truth, prior_bytes=prior, resumed_bytes=resumed, free_bytes_before=free_before
        )

    def _prior(self, truth: Truth, order: FillOrder) -> int:
        """What proves that this job has written to this handset before it was away, in bytes."""
        if truth.lie is Lie.PROGRAM:
            return order.prior_bytes
        key = digest(order.key)
        held = sum(_holds(truth, name, key) for name in truth.files) * GIB
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
                bad += 0 if _holds(truth, name, key) else part.size_bytes
        return CheckReport(
            bytes_proven=order.ordered_bytes - bad,
            bytes_shown=order.ordered_bytes - bad,
            bytes_bad=bad,
            bad_runs=(),
            small_same=order.small_files,
            past_cache="o_direct",
            elapsed_s=CHECK_S,
        )

    async def sample(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """What `dd` reads there."""
        truth = await self._call("sample", 0.01)
        file = truth.files.get(name)
        data = bytes(size_bytes)
        if file is not None and truth.lie is not Lie.DD:
            key = self._hands.keys.get(truth.contents[file.extent])
            if key is not None:
                data = _KEYSTREAM(AES_COUNTER, key, file.stream_offset + offset, size_bytes)
        return HostSample(data=data, past_cache=EVICTED_BY_PROGRAM)

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        """Delete names; what lies in the flash stays."""
        truth = await self._call("drop_tail" if only_tail else "drop")
        gone = [name for name in truth.files if name.startswith("tail-") or not only_tail]
        for name in gone:
            del truth.files[name]
        return DropReport(
            files_removed=len(gone),
            free_bytes=CAPACITY_BYTES - _used_bytes(truth),
            trim="not_allowed",
            trimmed_bytes=0,
        )

    async def aclose(self) -> None:
        """Nothing is held."""


def _identity(truth: Truth) -> HandsetIdentity:
    told = _WRONG_IMEI if truth.lie is Lie.IMEI else truth.imei
    return HandsetIdentity(
        serial=truth.serial,
        manufacturer="Sony",
        model=truth.model,
        android="13",
        build="TQ2A",
        imei=told if truth.tells_imei else None,
    )


def _used_bytes(truth: Truth) -> int:
    used = len(SYSTEM_EXTENTS) if truth.lie is Lie.DF else truth.used_extents
    return used * GIB


async def _rested(rest: Rest | None) -> None:
    while rest is not None and rest.due:
        await rest.changed()


def _write(truth: Truth, extent: int) -> None:
    """One more file: its place in the stream is its number, whatever extent it comes to lie in."""
    number = len(truth.files)
    is_tail = extent >= len(truth.contents) - TAIL_EXTENTS
    name = f"{'tail' if is_tail else 'fill'}-{number:06d}.dat"
    truth.files[name] = HeldFile(extent=extent, stream_offset=number * GIB)
    lost = truth.lie is Lie.PROGRAM or (truth.lie is Lie.FLASH and number % 2)
    if not lost:
        truth.contents[extent] = truth.files_key


def _holds(truth: Truth, name: str, key: str) -> bool:
    file = truth.files.get(name)
    return file is not None and truth.contents[file.extent] == key


def _report(
    truth: Truth, *, prior_bytes: int, resumed_bytes: int, free_bytes_before: int
) -> FillReport:
    return FillReport(
        program_version="1",
        cipher=AES_COUNTER,
        mode="o_direct",
        bytes_written=len(truth.files) * GIB,
        resumed_bytes=resumed_bytes,
        prior_bytes_proven=prior_bytes,
        files=tuple(
            FilledFile(name=name, stream_offset=file.stream_offset, size_bytes=GIB)
            for name, file in truth.files.items()
        ),
        small_files=3,
        small_bytes=3 * 3072,
        directories=0,
        logs="by_name_and_lifetime",
        full_s=1.0,
        capacity_bytes=CAPACITY_BYTES,
        free_bytes_before=free_bytes_before,
        free_bytes_after=0,
        used_bytes_before=(len(SYSTEM_EXTENTS) + len(truth.live)) * GIB,
        reserved_bytes=GIB,
        elapsed_s=STEP_S * STEPS,
    )
