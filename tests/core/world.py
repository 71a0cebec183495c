"""An in-memory rack for the core's tests: fakes behind every port, named as such.

`Phone` is a fake handset whose truth (what is really on it) is kept apart from what it says,
so that a test can let it lie, stall, vanish or change at any call.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import anyio

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.errors import (
    DecisionRefused,
    HandsetGone,
    LedgerFault,
    NotFound,
    StageFailed,
)
from benchd.domain.fill import (
    NOTHING_OF_THIS_JOB,
    BadRun,
    CheckOrder,
    CheckReport,
    DropReport,
    FilledFile,
    FillOrder,
    FillReport,
    HostSample,
    TransferProgress,
)
from benchd.domain.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    ModificationSource,
    NfcFacts,
    Package,
    ResetFacts,
    StandingFacts,
    Trait,
)
from benchd.domain.ids import ANDROID, DeviceAddress, JobId, PortPath, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.port import Attached, Detached, Liveness, PlugEvent
from benchd.domain.ports import ChipAccess, HostSamples, ProgressSink, Rest
from benchd.domain.record import OF_INTAKE, Entry, EntryKind, Receipt, StoredEntry
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome
from benchd.domain.slot import ProblemCode, QuestionView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import SlotPlace, Timing, Topology
from benchd.lab.usual_handset import JUST_RESET, USUAL
from benchd.ledger.held_handsets import Held
from benchd.ledger.ledger_record import GENESIS, seal
from benchd.pipelines.android import android_support
from benchd.pipelines.device_support import device_kinds
from benchd.pipelines.ports import Handset
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stage_contract import Stage
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.overwrite import OverwriteStage
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence.fresh_evidence import FreshPictures
from benchd.proof.stage_order import REQUIRED_STAGES
from benchd.slots.board import RackBoard
from benchd.slots.question_desk import Desk
from benchd.slots.slot_dependencies import NoReaders, RackParts
from benchd.slots.supervisor import Supervisor
from tests.imeis import imei
from tests.people.somebody import Everybody, somebody
from tests.told_jobs import handset_jobs

MIB = 1 << 20
CAPACITY = 64 * MIB
FRESH = 8 * MIB
STAGES = (*REQUIRED_STAGES, StageName.CERTIFY)
"""Those of an erasure; a recipe that erases nothing has others too."""
ADB = frozenset({"060101", "ff4201"})
MTP_ONLY = frozenset({"060101"})
CIPHER = "aes-128-ctr"
RESET_S = 45.0
NFC_BACK_ON_S = 60.0
DEADLINE_S = 3600.0
ANSWER_S = 86_400.0
SERIAL = "R5CT10ABCDE"
IMEI = "356938035643809"
"""Those of a handset of which nothing else is said."""
OF_SERIAL = "of its serial"
OTHER_IMEI = "490154203237518"
UNTOLD_IMEI = "352099001761481"
"""That of a handset that tells adb none."""
SOLD = (Outcome.PASSED, Disposition.SELLABLE, None)


class SteppingClock:
    """A fake clock that moves with the loop's virtual time."""

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=anyio.current_time())


class CountingEntropy:
    """Fake randomness: never the same twice, the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def token(self, size_bytes: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(str(self._count).encode()).digest(size_bytes)


def fake_keystream(cipher: str, key: bytes, offset: int, size_bytes: int) -> bytes:
    """A fake of the keystream: addressable by offset and different for every key and cipher."""
    pad = hashlib.shake_128(cipher.encode() + key).digest(4096)
    skipped = offset % len(pad)
    return (pad * ((skipped + size_bytes) // len(pad) + 1))[skipped : skipped + size_bytes]


class MemoryLedger:
    """A fake ledger in memory, chained like the real one; it can be told to fail."""

    def __init__(self) -> None:
        self.stored: list[StoredEntry] = []
        self.broken = False
        self.fail_on: Callable[[Entry], bool] = lambda _entry: False
        self.told: Callable[[Entry], None] = lambda _entry: None

    async def append(self, entry: Entry) -> Receipt:
        if self.broken or self.fail_on(entry):
            self.broken = True
            message = "the fake disk is full"
            raise LedgerFault(message)
        # What the real ledger refuses, this one refuses too.
        seal(entry, sequence=len(self.stored) + 1, previous=GENESIS)
        body = json.dumps(dict(entry.data), sort_keys=True, default=str)
        json.loads(body)
        last = self.stored[-1].hash_hex if self.stored else ""
        digest = hashlib.sha256((last + entry.kind + body).encode()).hexdigest()
        stored = StoredEntry(sequence=len(self.stored) + 1, entry=entry, hash_hex=digest)
        self.stored.append(stored)
        self.told(entry)
        return Receipt(sequence=stored.sequence, hash_hex=digest)

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        return [stored for stored in self.stored if stored.entry.job == job]

    async def open_jobs(self) -> Sequence[StoredEntry]:
        ended = {s.entry.job for s in self.of(EntryKind.JOB_ENDED)}
        return [s for s in self.of(EntryKind.JOB_OPENED) if s.entry.job not in ended]

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        mine = [s for s in self.stored if s.entry.slot == slot]
        newest = max((s.entry.occupancy or 0 for s in mine), default=0)
        return [s for s in mine if s.entry.occupancy == newest]

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        return handset_jobs(self.stored, trait, value, limit)

    async def records_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        told = [
            s
            for s in self.of(EntryKind.STAGE_ENDED)
            if str(_evidence_of(s.entry).get("imei")).startswith(tac)
        ]
        return told[:limit]

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        jobs = [s.entry.job for s in self.of(EntryKind.JOB_OPENED) if s.entry.job]
        return jobs[::-1][:limit]

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        return [s for s in self.stored if s.sequence >= since and s.entry.kind in OF_INTAKE]

    def of(self, kind: EntryKind) -> list[StoredEntry]:
        return [s for s in self.stored if s.entry.kind is kind]


def _evidence_of(entry: Entry) -> Mapping[str, object]:
    evidence = entry.data["evidence"]
    return dict(evidence) if isinstance(evidence, Mapping) else {}


class FakeIssuer:
    """A fake signer that still takes nothing but a VerifiedErasure."""

    def __init__(self, world: World | None = None) -> None:
        self.kept: dict[JobId, bytes] = {}
        self._world = world

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        assert isinstance(erasure, VerifiedErasure)
        job = erasure.job if erasure.recheck is None else erasure.recheck.job
        if self._world is not None:
            self._world.note_truth(job)
        return json.dumps({"job": job, "of": erasure.job, "at": at.isoformat()}).encode()

    def vouches(self, job: JobId, envelope: bytes, records: Sequence[StoredEntry]) -> bool:
        with suppress(ValueError):
            told = json.loads(envelope)
            return isinstance(told, dict) and told.get("job") == job
        return False

    async def keep(self, job: JobId, envelope: bytes) -> None:
        self.kept[job] = envelope


Fault = Callable[["Phone"], Awaitable[None]]


@dataclass(slots=True)
class Phone:
    """A fake handset: its truth, what it says, and its faults by name of the call."""

    serial: str = SERIAL
    imei: str | None = OF_SERIAL
    """What it tells over adb; handsets of other serials have other numbers."""
    second_imei: str | None = None
    screen_imei: str | None = None
    """What its own screen shows under *#06#; None: what it tells."""
    second_screen_imei: str | None = None
    """The second one that its screen shows, of one with two SIMs."""
    label: str | None = None
    """The tag on it that whoever reads its screen scans as well; None: they don't."""
    sim_slots: int | None = None
    telephony: bool | None = True
    android_id: str = "aaaa0000aaaa0000"
    accounts: int = 0
    maker_accounts: int = 0
    """No reset removes them."""
    maker_account_types: tuple[str, ...] = ("com.android.localphone",)
    preinstalled: tuple[Package, ...] = ()
    """Nor these, which count as installed apps."""
    users: tuple[int, ...] = (0,)
    apps: int = 0
    files: int | None = 0
    call_log: int | None = 0
    contacts: int | None = 0
    messages: int | None = 0
    boot_count: int | None = 1
    up_s: int | None = 600
    used_bytes: int = 2 * MIB
    screen_lock: bool | None = False
    signs: tuple[str, ...] = ()
    sign_sources: tuple[ModificationSource, ...] = tuple(ModificationSource)[:2]
    """Where these come from, if there are any."""
    frp_armed: bool | None = None
    sim_lock: bool | None = None
    crypto_state: str = "encrypted"
    battery_percent: int = 80
    charges_percent: int = 0
    """How much fuller the battery is each time that somebody looks."""
    warmth_c: list[float] = field(default_factory=lambda: [30.0])
    """How warm it is each time that somebody looks; the last for ever after."""
    fill_step_s: float = 5
    """How long each quarter of the fill takes."""
    rested: int = 0
    unfit: Exception | None = None
    """Why benchd can't even open it."""
    device_owner: bool = False
    lock_admins: tuple[str, ...] = ()
    felica_capable: bool | None = True
    jpki_capable: bool | None = None
    nfc_on: bool | None = True
    switches_nfc: bool = False
    """Whether its system lets adb switch its radio."""
    screen_on: bool | None = True
    unlocked: bool | None = True
    sim: bool | None = False
    removable_media: bool = False
    reset_lies: bool = False
    wipe_forgets: tuple[str, ...] = ()
    written_share: float = 0.93
    df_capacity_bytes: int | None = None
    """What `df` tells where that isn't what the fill program finds."""
    keeps_files: bool = False
    """Says that it has deleted what the fill has made, and hasn't."""
    bad_bytes: int = 0
    unproven_bytes: int = 0
    unshown_bytes: int = 0
    """Proven, but a cache may have answered for them."""
    past_cache: str = "evicted"
    host_past_cache: str = "eviction_seen"
    small_bad: int = 0
    held_key: bytes = b""
    held_bytes: int = 0
    """What of which key lies on it, as far as a fill has got."""
    free_after_fill_bytes: int = 0
    put_there: set[str] = field(default_factory=set)
    """What benchd has put on it beside the files of a fill."""
    filled: list[FillOrder] = field(default_factory=list)
    checked: list[CheckOrder] = field(default_factory=list)
    sample_differs: bool = False
    reset_absence_s: float = RESET_S
    returns: bool = True
    returns_as: Phone | None = None
    adb_after_final_reset: bool = False
    faults: dict[str, Fault] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    pages: list[Page] = field(default_factory=list)
    """Which pages of its settings it was asked to open."""
    page_outcome: ScreenOutcome = ScreenOutcome.DONE
    setup_outcome: ScreenOutcome = ScreenOutcome.NOT_NEEDED
    dossiers: list[str] = field(default_factory=list)
    """Why each one was left."""
    dossier_takes_s: float = 1.0
    leaves_dossiers: bool = True
    erased_for_real: bool = False
    wiped: bool = False
    dropped: bool = False

    def __post_init__(self) -> None:
        if self.imei == OF_SERIAL:
            number = int(hashlib.sha256(self.serial.encode()).hexdigest(), 16) % 10**6
            self.imei = IMEI if self.serial in (SERIAL, "") else imei(number)

    def identity(self) -> HandsetIdentity:
        return HandsetIdentity(
            serial=self.serial,
            manufacturer="Sony",
            model="SO-51C",
            android="13",
            build="TQ2A",
            imei=self.imei,
            second_imei=self.second_imei,
        )

    def facts(self) -> HandsetFacts:
        capacity = self.df_capacity_bytes or CAPACITY
        return replace(
            USUAL,
            **asdict(self.identity()),
            capacity_bytes=capacity,
            used_bytes=self.used_bytes,
            free_bytes=capacity - self.used_bytes,
            battery_percent=self.battery_percent,
            crypto_state=self.crypto_state,
            modification_signs=self.signs,
            modification_sources=self.sign_sources if self.signs else (),
            screen_lock=self.screen_lock,
            frp_armed=self.frp_armed,
            account_count=self.accounts,
            maker_accounts=self.maker_accounts,
            user_ids=self.users,
            device_owner=self.device_owner,
            lock_admins=self.lock_admins,
            felica_capable=self.felica_capable,
            jpki_capable=self.jpki_capable,
            removable_media=self.removable_media,
            sim=self.sim,
            telephony=self.telephony,
            sim_slots=self.sim_slots,
            sim_lock=self.sim_lock,
            sim_lock_source="gsm.sim.state=NETWORK_LOCKED" if self.sim_lock else None,
        )

    def wipe(self) -> None:
        """What a real reset does, less what the test says it forgets."""
        fresh = {
            "android_id": hashlib.sha256(self.android_id.encode()).hexdigest()[:16],
            "accounts": 0,
            "users": (0,),
            "apps": 0,
            # What it doesn't tell, it doesn't tell afterwards either.
            **{
                name: 0
                for name in ("files", "call_log", "contacts", "messages")
                if getattr(self, name) is not None
            },
            "boot_count": None if self.boot_count is None else 1,
            "used_bytes": 2 * MIB,
        }
        self.wiped = True
        for name, value in fresh.items():
            if name not in self.wipe_forgets:
                setattr(self, name, value)


async def hang(_phone: Phone) -> None:
    """The fault of a call that never returns."""
    await anyio.sleep_forever()


def raising(make: Callable[[], Exception], times: int = 10**6) -> Fault:
    """The fault of a call that fails so often in a row, then no more."""
    left = times

    async def fault(_phone: Phone) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise make()

    return fault


def failing(call: str, fault: Exception, *numbers: int) -> dict[str, Fault]:
    """The faults of a phone whose calls of this name fail: those of these numbers, or all."""

    async def fails(phone: Phone) -> None:
        if not numbers or phone.calls[call] in numbers:
            raise fault

    return {call: fails}


class FakeHandset:
    """A fake `benchd.pipelines.ports.Handset` of a Phone, bound to one enumeration."""

    def __init__(self, port: Port, access: FakeAccess) -> None:
        assert port.phone is not None
        self._port = port
        self._access = access
        self._phone = port.phone
        self._enumeration = port.enumeration
        self.closed = False

    async def _call(self, name: str) -> Phone:
        await anyio.sleep(0.1)
        self._phone.calls[name] += 1
        if not self._access.server_up:
            raise AdbServerLost(name)
        if self._port.enumeration != self._enumeration or self._port.phone is not self._phone:
            raise HandsetGone(name)
        fault = self._phone.faults.get(name)
        if fault is not None:
            await fault(self._phone)
        return self._phone

    async def identity(self) -> HandsetIdentity:
        return (await self._call("identity")).identity()

    async def inspect(self) -> HandsetFacts:
        return (await self._call("inspect")).facts()

    async def standing(self) -> StandingFacts:
        return (await self._call("standing")).facts()

    async def sim(self) -> bool | None:
        return (await self._call("sim")).sim

    async def battery(self) -> BatteryFacts:
        phone = await self._call("battery_percent")
        phone.battery_percent = min(100, phone.battery_percent + phone.charges_percent)
        warmth = phone.warmth_c.pop(0) if len(phone.warmth_c) > 1 else phone.warmth_c[0]
        return BatteryFacts(percent=phone.battery_percent, temperature_c=warmth)

    async def nfc_facts(self) -> NfcFacts:
        phone = await self._call("nfc_facts")
        return NfcFacts(nfc_on=phone.nfc_on, screen_on=phone.screen_on, unlocked=phone.unlocked)

    async def switch_nfc(self, *, on: bool) -> None:
        phone = await self._call("nfc_on" if on else "nfc_off")
        if phone.switches_nfc:
            phone.nfc_on = on
            if not on:
                self._port.world.group.start_soon(self._on_again, phone)

    async def _on_again(self, phone: Phone) -> None:
        await anyio.sleep(NFC_BACK_ON_S)
        phone.nfc_on = True

    async def take_back(self) -> None:
        phone = await self._call("take_back")
        phone.put_there.clear()

    async def leave_dossier(self, name: str, why: str) -> str | None:
        phone = self._phone
        await anyio.sleep(phone.dossier_takes_s)
        phone.dossiers.append(why)
        return name if phone.leaves_dossiers else None

    async def reset_facts(self) -> ResetFacts:
        phone = await self._call("reset_facts")
        return replace(
            JUST_RESET,
            android_id=phone.android_id,
            account_count=phone.accounts,
            maker_accounts=phone.maker_accounts,
            user_ids=phone.users,
            used_bytes=phone.used_bytes,
            third_party_packages=phone.apps + len(phone.preinstalled),
            maker_account_types=phone.maker_account_types if phone.maker_accounts else (),
            preinstalled=phone.preinstalled,
            boot_count=phone.boot_count,
            up_s=phone.up_s,
            owner_files=phone.files,
            call_count=phone.call_log,
            contact_count=phone.contacts,
            message_count=phone.messages,
        )

    async def enable_test_harness(self) -> None:
        phone = await self._call("enable_test_harness")
        if not phone.reset_lies:
            self._port.restart(ADB)

    async def open_page(self, page: Page) -> OpenedPage:
        phone = await self._call("open_page")
        phone.pages.append(page)
        return OpenedPage(page=page, outcome=phone.page_outcome, way="a page", woken=True)

    async def leave_setup_out(self) -> ScreenOutcome:
        return (await self._call("leave_setup_out")).setup_outcome

    async def fill(
        self, order: FillOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> FillReport:
        phone = await self._call("fill")
        found = phone.held_bytes if phone.held_key == order.key else 0
        phone.put_there |= {"benchd-fill", "benchd-cache", "benchd/lock"}
        if order.prior_bytes and not found:
            raise StageFailed(Reason.HANDSET_CHANGED, NOTHING_OF_THIS_JOB)
        self._port.fill_key = order.key
        phone.filled.append(order)
        written = int(CAPACITY * phone.written_share) // 4096 * 4096
        for step in range(1, 5):
            await anyio.sleep(phone.fill_step_s)
            while rest is not None and rest.due:
                phone.rested += 1
                await rest.changed()
            await self._call("fill_step")
            phone.held_key, phone.held_bytes = order.key, max(found, written * step // 4)
            progress(TransferProgress(bytes_done=written * step // 4, elapsed_s=5.0 * step))
        phone.erased_for_real = True
        half = order.file_bytes
        sizes = [min(half, written - at) for at in range(0, written, half)]
        return FillReport(
            program_version="1",
            cipher=CIPHER,
            mode="o_direct",
            bytes_written=written,
            resumed_bytes=found if order.resume else 0,
            prior_bytes_proven=min(found, order.prior_bytes),
            files=tuple(
                FilledFile(
                    name=f"{'tail' if i == len(sizes) - 1 else 'fill'}-{i:06d}.dat",
                    stream_offset=i * half,
                    size_bytes=size,
                )
                for i, size in enumerate(sizes)
            ),
            small_files=3,
            small_bytes=3 * 3072,
            directories=0,
            logs="by_name_and_lifetime",
            full_s=1.0,
            capacity_bytes=CAPACITY,
            free_bytes_before=CAPACITY - phone.used_bytes,
            free_bytes_after=phone.free_after_fill_bytes,
            used_bytes_before=phone.used_bytes,
            reserved_bytes=MIB,
            elapsed_s=20.0,
        )

    async def check(
        self, order: CheckOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> CheckReport:
        phone = await self._call("check")
        phone.checked.append(order)
        total = order.ordered_bytes
        await anyio.sleep(10)
        progress(TransferProgress(bytes_done=total, elapsed_s=10.0))
        bad = phone.bad_bytes
        return CheckReport(
            bytes_proven=total - bad - phone.unproven_bytes,
            bytes_shown=total - phone.unproven_bytes - phone.unshown_bytes,
            bytes_bad=bad,
            bad_runs=(BadRun(name=order.files[0].name, offset=0, size_bytes=bad),) if bad else (),
            small_same=order.small_files - phone.small_bad,
            past_cache=phone.past_cache,
            elapsed_s=10.0,
        )

    @asynccontextmanager
    async def samples(self) -> AsyncGenerator[HostSamples]:
        yield self
        await self._call("samples_end")

    async def take(self, name: str, offset: int, size_bytes: int) -> HostSample:
        phone = await self._call("sample")
        index = int(name[5:11])
        at = index * self._port.world.file_bytes + offset
        data = fake_keystream(CIPHER, self._port.fill_key, at, size_bytes)
        return HostSample(
            data=b"\0" * size_bytes if phone.sample_differs else data,
            past_cache=phone.host_past_cache,
        )

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        phone = await self._call("drop_tail" if only_tail else "drop")
        phone.dropped = not only_tail
        return DropReport(
            files_removed=1,
            free_bytes=0 if phone.keeps_files else CAPACITY - phone.used_bytes,
            trim="not_asked" if only_tail else "not_allowed",
            trimmed_bytes=0,
        )

    async def aclose(self) -> None:
        self.closed = True


class Port:
    """A fake USB port: what is plugged into it, and the events that it makes."""

    def __init__(self, world: World, slot: SlotName, number: int) -> None:
        self.world = world
        self.slot = slot
        self.port_path = PortPath(f"pci-0000:00:14.0-usb-0:{number}")
        self.address = DeviceAddress(f"usb:1-{number}")
        self.phone: Phone | None = None
        self.interfaces = ADB
        self.enumeration = 0
        self.attached = False
        self.authorized = True
        self.fill_key = b""

    def plug(self, phone: Phone, interfaces: frozenset[str] = ADB) -> None:
        self.phone = phone
        self.interfaces = interfaces
        self.attached = True
        self.enumeration = self.world.next_enumeration()
        self.world.tell(self.event())
        self.world.access.poke()

    def event(self) -> Attached:
        assert self.phone is not None
        return Attached(
            port_path=self.port_path,
            kind=ANDROID,
            address=self.address,
            attachment=f"boot:{self.enumeration}",
            interfaces=self.interfaces,
            usb_serial=self.phone.serial,
            vendor_id="0fce",
            product_id="020d",
            at_s=anyio.current_time(),
        )

    def unplug(self) -> None:
        self.attached = False
        self.enumeration = self.world.next_enumeration()
        self.world.tell(Detached(port_path=self.port_path, at_s=anyio.current_time()))
        self.world.access.poke()

    def restart(self, interfaces: frozenset[str]) -> None:
        """The phone wipes itself, leaves the port and comes back in the given mode."""
        self.world.group.start_soon(self._restart, interfaces)

    async def _restart(self, interfaces: frozenset[str]) -> None:
        phone = self.phone
        assert phone is not None
        phone.wipe()
        self.unplug()
        await anyio.sleep(phone.reset_absence_s)
        if phone.returns:
            self.plug(phone.returns_as or phone, interfaces)

    @property
    def liveness(self) -> Liveness:
        if not self.world.access.server_up:
            return Liveness.SERVER_DOWN
        if not self.attached or ADB_CLASS not in self.interfaces:
            return Liveness.ABSENT
        return Liveness.READY if self.authorized else Liveness.UNAUTHORIZED


ADB_CLASS = "ff4201"


class FakeAccess:
    """A fake adb server with all ports of the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.server_up = True
        self._changed = anyio.Event()

    def serve(self, *, up: bool) -> None:
        """The adb server dies or is started again."""
        self.server_up = up
        self.poke()

    def poke(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    @asynccontextmanager
    async def liveness(
        self, address: DeviceAddress
    ) -> AsyncGenerator[AsyncIterator[Liveness], None]:
        async def states() -> AsyncIterator[Liveness]:
            port = self._world.port_at(address)
            last: Liveness | None = None
            while True:
                changed = self._changed
                if port.liveness is not last:
                    last = port.liveness
                    yield last
                else:
                    await changed.wait()

        yield states()

    async def open(self, address: DeviceAddress) -> Handset:
        port = self._world.port_at(address)
        await anyio.sleep(0.05)
        match port.liveness:
            case Liveness.READY if port.phone is not None and port.phone.unfit is not None:
                raise port.phone.unfit
            case Liveness.READY:
                return FakeHandset(port, self)
            case Liveness.SERVER_DOWN:
                raise AdbServerLost(address)
            case _:
                raise HandsetGone(address)


class FakeHotplug:
    """A fake hot-plug source: what is plugged first, then what happens."""

    def __init__(self, world: World) -> None:
        self._world = world

    @asynccontextmanager
    async def events(self) -> AsyncGenerator[AsyncIterator[PlugEvent], None]:
        send, receive = anyio.create_memory_object_stream[PlugEvent](inf)
        for port in self._world.ports.values():
            if port.attached:
                send.send_nowait(port.event())
        self._world.listeners = [send.send_nowait]
        try:
            yield receive
        finally:
            self._world.listeners = []
            send.close()
            receive.close()


def before_first_reset(recipe: Recipe, stage: Stage) -> Recipe:
    """The same recipe with one more stage, which people answer, right before `initialise`."""
    names = [spec.name for spec in recipe.stages]
    at = names.index(StageName.INITIALISE)
    spec = StageSpec(stage=stage, deadline_s=ANSWER_S, attempts=3)
    return replace(recipe, stages=(*recipe.stages[:at], spec, *recipe.stages[at:]))


def make_recipe(**changes: Stage | None) -> Recipe:
    """The overwrite recipe with short deadlines; `changes` replace stages by their name."""
    set_up: dict[StageName, Stage] = {
        StageName.INITIALISE: InitialiseStage(fresh_used_bytes=FRESH),
        StageName.OVERWRITE: OverwriteStage(file_bytes=32 * MIB),
        StageName.READ_BACK: ReadBackStage(minimum_coverage=0.9),
    }
    stages: dict[StageName, Stage | None] = {
        name: set_up.get(name) or STAGE_CLASSES[name]() for name in STAGES
    }
    for name, stage in changes.items():
        stages[StageName(name)] = stage
    by_people = {
        StageName.GATES,
        StageName.FELICA_CHECK,
        StageName.FELICA_CLEAR,
        StageName.FELICA_RECHECK,
        StageName.FINAL_RESET,
        StageName.OBSERVE,
        StageName.CONFIRM,
    }
    return Recipe(
        name="overwrite",
        digest="0" * 64,
        stages=tuple(
            StageSpec(
                stage=stage,
                deadline_s=ANSWER_S if name in by_people else DEADLINE_S,
                attempts=3,
            )
            for name, stage in stages.items()
            if stage is not None
        ),
    )


class World:
    """A whole rack in memory; `run()` starts it, operators answer by themselves."""

    def __init__(
        self,
        slots: int = 1,
        *,
        recipe: Recipe | None = None,
        ledger: MemoryLedger | None = None,
        answers: Mapping[Gate, bool] | None = None,
        chips: ChipAccess | None = None,
        adjust: Callable[[RackParts], RackParts] = lambda parts: parts,
        models: ModelCatalogue | None = None,
        pictures: FreshPictures | None = None,
        recipe_of: Mapping[str, str] | None = None,
    ) -> None:
        self.group: anyio.abc.TaskGroup
        self.listeners: list[Callable[[PlugEvent], None]] = []
        self._enumerations = 0
        self.ports: dict[str, Port] = {
            f"A{n}": Port(self, SlotName(f"A{n}"), n) for n in range(1, slots + 1)
        }
        self.access = FakeAccess(self)
        self.ledger = ledger or MemoryLedger()
        self.held = Held()
        self.board = RackBoard(self.held.directed)
        self.clock = SteppingClock()
        self.entropy = CountingEntropy()
        self.issuer = FakeIssuer(self)
        self.passed_for_real: set[JobId] = set()
        self.desk = Desk(self.ledger, self.clock, Everybody())
        self.answers: dict[Gate, bool] = dict(answers or {})
        self.notes: dict[Gate, str] = {
            Gate.NETWORK: "○",
            Gate.SAME_HANDSET: "other, compared",
            Gate.SAME_HANDSET_HELD: "other, compared",
            Gate.DESTROYED_BEFORE: "基板を交換した",
        }
        """What they write where it isn't what the handset's own screen shows."""
        self.operators: dict[Gate, str] = {Gate.CONFIRM: "Suzuki"}
        self.does_final_reset = True
        self.after_guided_reset = ADB
        self.silent_in: StageName | None = None
        """In this stage the operators take a break."""
        self.file_bytes = 32 * MIB
        self.within_s = inf
        """How long a job may take at most. A deadline is a timer, to which virtual time may run
        while a thread takes real time: none where certificates are really kept."""
        self.parts = adjust(
            RackParts(
                ledger=self.ledger,
                kinds=device_kinds(android_support(self.access)),
                chips=chips or NoReaders(),
                issuer=self.issuer,
                board=self.board,
                desk=self.desk,
                clock=self.clock,
                entropy=self.entropy,
                keystream=fake_keystream,
                recipes={"overwrite": recipe or make_recipe()},
                models=models or ModelCatalogue(),
                pictures=pictures or FreshPictures(),
                timing=Timing(debounce_s=2.0),
            )
        )
        self.supervisor = Supervisor(
            Topology(
                {
                    port.slot: SlotPlace(
                        name=port.slot,
                        port_path=port.port_path,
                        recipe=(recipe_of or {}).get(port.slot, "overwrite"),
                    )
                    for port in self.ports.values()
                }
            ),
            self.parts,
            FakeHotplug(self),
        )

    def next_enumeration(self) -> int:
        self._enumerations += 1
        return self._enumerations

    def tell(self, event: PlugEvent) -> None:
        for listener in self.listeners:
            listener(event)

    def note_truth(self, job: JobId) -> None:
        """At the moment of certifying: was the handset in that slot really erased?"""
        view = next(v for v in self.board.views().values() if v.job == job)
        phone = self.ports[view.slot].phone
        if phone and phone.erased_for_real and phone.wiped and not phone.bad_bytes:
            self.passed_for_real.add(job)

    def port_at(self, address: DeviceAddress) -> Port:
        return next(port for port in self.ports.values() if port.address == address)

    def view(self, slot: str = "A1") -> SlotView:
        return self.board.views()[SlotName(slot)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the board shows it."""
        while not condition():
            await self.board.changed(self.board.version)

    async def until_state(self, state: SlotState, slot: str = "A1") -> SlotView:
        await self.until(lambda: SlotName(slot) in self.board.views())
        await self.until(lambda: self.view(slot).state is state)
        return self.view(slot)

    async def until_stage(self, stage: StageName, slot: str = "A1") -> None:
        await self.until(lambda: SlotName(slot) in self.board.views())
        await self.until(lambda: self.view(slot).stage is stage)

    async def until_question(self, gate: Gate | None = None, slot: str = "A1") -> QuestionView:
        """Wait until a slot waits for an answer, at this gate where one is given."""
        while True:
            view = self.board.views().get(SlotName(slot))
            question = view.question if view else None
            if question is not None and gate in (None, question.gate):
                return question
            await self.board.changed(self.board.version)

    async def until_problem(self, code: ProblemCode, slot: str = "A1") -> SlotView:
        """Wait until a slot waits, and hold it to what it says that it waits for."""
        view = await self.until_state(SlotState.WAITING, slot)
        assert view.problem is not None
        assert view.problem.code is code
        return view

    async def until_asked(self, gate: Gate, times: int = 1) -> None:
        """Wait until this was asked so often, in all slots together."""
        await self.until(lambda: self.asked().count(gate) >= times)

    async def at_work(self) -> None:
        """Every slot has a handset in the middle of its overwrite."""
        for port in self.ports.values():
            port.plug(Phone(serial=f"S-{port.slot}", used_bytes=30 * MIB))
        for slot in self.ports:
            await self.until_stage(StageName.OVERWRITE, slot)

    async def take_out(self, slot: str = "A1") -> SlotView:
        self.ports[slot].unplug()
        return await self.until_state(SlotState.EMPTY, slot)

    async def ran(
        self, phone: Phone | None = None, slot: str = "A1", interfaces: frozenset[str] = ADB
    ) -> SlotView:
        """The end of a job on the rack at work; what lay in its slot before is taken out."""
        if self.ports[slot].attached:
            await self.take_out(slot)
        self.ports[slot].plug(phone or Phone(), interfaces)
        return await self.finished(slot)

    async def finished(self, slot: str = "A1") -> SlotView:
        """The end of what runs in a slot."""
        with anyio.fail_after(self.within_s):
            return await self.until_state(SlotState.FINISHED, slot)

    async def end_of(
        self, phone: Phone | None = None, interfaces: frozenset[str] = ADB
    ) -> SlotView:
        """The end of one handset's job, for which the rack starts and stops."""
        async with self.running():
            return await self.ran(phone, interfaces=interfaces)

    async def sells(self, phone: Phone | None = None) -> SlotView:
        """The one handset is certified and may be sold."""
        view = await self.end_of(phone)
        assert ending(view) == SOLD, view
        assert view.job in self.issuer.kept
        return view

    async def refuses(self, phone: Phone | None, *reasons: Reason) -> SlotView:
        """The one handset fails for one of these reasons, and nothing is certified."""
        view = await self.end_of(phone)
        self.must_not_pass(view, *reasons)
        return view

    def must_not_pass(self, view: SlotView, *reasons: Reason) -> None:
        assert view.outcome is Outcome.FAILED
        assert view.disposition is not Disposition.SELLABLE
        assert view.reason in reasons
        assert not self.certified()

    def certified(self) -> bool:
        """Whether anything of this rack says that a handset may be sold."""
        return bool(self.issuer.kept) or any(
            end["disposition"] == Disposition.SELLABLE or end["certificate"] is not None
            for end in ended(self)
        )

    async def decide(
        self,
        gate: Gate,
        by: str = "Sato",
        note: str = "",
        *,
        approved: bool = True,
        asking: int | None = None,
    ) -> None:
        """Somebody answers what the first slot asks; raises what the desk refuses."""
        job = self.view().job
        assert job is not None
        await self.desk.decide(
            job, gate, approved=approved, by=somebody(by), note=note, asking=asking
        )

    def back_at_work(self) -> None:
        """The operators come back from their break."""
        self.silent_in = None
        self.board._wake()

    def attempts(self, stage: StageName) -> list[Mapping[str, Any]]:
        """What the ledger says of each ended attempt of a stage, in order."""
        ends = [stored.entry.data for stored in self.ledger.of(EntryKind.STAGE_ENDED)]
        return [data for data in ends if data["stage"] == stage]

    def evidence(self, stage: StageName) -> Mapping[str, Any]:
        """What the last attempt of a stage has put on record."""
        found: Mapping[str, Any] = self.attempts(stage)[-1]["evidence"]
        return found

    def questions(self, gate: Gate) -> list[Mapping[str, Any]]:
        """What the ledger says of each question that was asked at a gate."""
        asked = [stored.entry.data for stored in self.ledger.of(EntryKind.QUESTION_ASKED)]
        return [data for data in asked if data["gate"] == gate]

    def asked(self) -> list[str]:
        """The gates of all questions so far."""
        return [str(s.entry.data["gate"]) for s in self.ledger.of(EntryKind.QUESTION_ASKED)]

    async def proof(self, slot: str = "A1") -> tuple[JobId, list[StoredEntry]]:
        """A slot's job, and the records that its certificate rests on."""
        job = self.view(slot).job
        assert job is not None
        records = await self.ledger.entries(job)
        return job, [
            stored
            for stored in records
            if stored.entry.kind is not EntryKind.JOB_ENDED
            and stored.entry.data.get("stage") != StageName.CERTIFY
        ]

    def _on_screen(self, port: Port, gate: Gate) -> str:
        """What somebody reads on the screen of the handset that lies there."""
        if port.phone is None:
            return ""
        phone = port.phone
        shown = phone.screen_imei or phone.imei or UNTOLD_IMEI
        both = " ".join(filter(None, (shown, phone.second_screen_imei, phone.label)))
        confirmed = shown if phone.imei is None and phone.telephony else ""
        return {Gate.IMEI: both, Gate.SERIAL: phone.serial, Gate.CONFIRM: confirmed}.get(gate, "")

    async def _operate(self) -> None:
        """The operators: do what the question says, then answer it."""
        while True:
            version = self.board.version
            for view in self.board.views().values():
                if view.question is None or view.job is None or view.stage is self.silent_in:
                    continue
                gate = view.question.gate
                port = self.ports[view.slot]
                approved = self.answers.get(gate, True)
                if gate is Gate.OBSERVE and port.phone is not None:
                    # USB can't tell handsets with one serial apart once adb is gone: the
                    # person who looks has to, by the label that the question names.
                    approved = approved and port.phone.wiped
                if gate is Gate.FINAL_RESET and self.does_final_reset and approved:
                    phone = port.phone
                    keeps = phone is not None and phone.adb_after_final_reset
                    port.restart(ADB if keeps else MTP_ONLY)
                if gate is Gate.GUIDED_RESET and approved:
                    port.restart(self.after_guided_reset)
                await self._answer(view.job, gate, port, approved=approved)
            await self.board.changed(version)

    async def _answer(self, job: JobId, gate: Gate, port: Port, *, approved: bool) -> None:
        """Give an answer, and give it once more where it is refused: who is told to scan again."""
        for _ in range(2):
            with suppress(NotFound, DecisionRefused):
                await self.desk.decide(
                    job,
                    gate,
                    approved=approved,
                    by=somebody(self.operators.get(gate, "Sato")),
                    note=self.notes.get(gate, self._on_screen(port, gate)),
                )
                return

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """The rack at work; cancelled at the end as a stopping daemon is."""
        async with anyio.create_task_group() as self.group:
            await self.group.start(self.supervisor.run)
            self.group.start_soon(self._operate)
            yield
            self.group.cancel_scope.cancel()


def second_world(first: World, ledger: MemoryLedger) -> World:
    """The same rack: what is plugged in stayed plugged in."""
    world = World(len(first.ports), ledger=ledger)
    for name, new in world.ports.items():
        old = first.ports[name]
        new.phone, new.interfaces = old.phone, old.interfaces
        new.enumeration, new.attached = old.enumeration, old.attached
    world._enumerations = world.entropy._count = 1000
    return world


def untold(**changes: Any) -> Phone:  # noqa: ANN401 - fields of a phone
    """A handset that tells adb no IMEI, as from Android 14 on; its own screen shows it."""
    return Phone(imei=None, screen_imei=IMEI, **changes)


def waiting_recipe(return_within_s: float = 60) -> Recipe:
    """A fill whose cable was pulled out waits for it."""
    stage = OverwriteStage(file_bytes=32 * MIB, unplugged="wait", return_within_s=return_within_s)
    return make_recipe(overwrite=stage)


async def filling(phone: Phone, steps: int) -> None:
    """Until a phone has filled so many quarters of its storage."""
    with anyio.fail_after(600):
        while phone.calls["fill_step"] < steps:  # noqa: ASYNC110 - a counter tells nobody
            await anyio.sleep(0.5)


def ending(view: SlotView) -> tuple[Outcome | None, Disposition | None, Reason | None]:
    return view.outcome, view.disposition, view.reason


def ended(world: World) -> list[Mapping[str, object]]:
    """The ends of all jobs so far, in order."""
    return [stored.entry.data for stored in world.ledger.of(EntryKind.JOB_ENDED)]


def phone_like(phone: Phone, **changes: object) -> Phone:
    """Another phone that differs only in what is given."""
    return replace(phone, calls=Counter(), faults={}, pages=[], **changes)  # type: ignore[arg-type]
