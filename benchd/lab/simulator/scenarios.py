"""The stories that a virtual rack can tell: a handset, what becomes of it, how each must end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from benchd.lab.simulator.chips.plan import ChipPlan, ClearStory
from benchd.lab.simulator.handset_models import (
    AQUOS_SENSE_6,
    AQUOS_WISH_3,
    ARROWS_WE,
    GALAXY_A23,
    PIXEL_4A,
    XPERIA_10_II,
    XPERIA_ACE_III,
    XPERIA_Z5,
)
from benchd.lab.simulator.plan import (
    DEFAULT_CAPACITY_BYTES,
    MEBIBYTE,
    Account,
    Act,
    Dd,
    HandsetModel,
    HandsetPlan,
    TestHarness,
    Trigger,
)
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.words.job import Disposition, Gate, Outcome, Reason

LIVE_SHARE: Final = 0.45
"""How full a handset comes in that nobody has reset."""
PHOTOS_SHARE: Final = 0.08
"""With a few photos on it, it has no more in use than a fresh one may have."""
SHARED_SERIAL: Final = "0123456789ABCDEF"
"""What makers forget to replace: seen on many handsets at once."""
OWNERS_PACKAGES: Final = (
    "com.example.kakeibo",
    "jp.naver.line.android",
    "jp.paypay",
    "jp.co.yahoo.android.yjtop",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedEnd:
    """How a job on this handset must end."""

    outcome: Outcome
    disposition: Disposition
    reason: Reason | None = None


PASSED: Final = ExpectedEnd(outcome=Outcome.PASSED, disposition=Disposition.SELLABLE)


def failed(disposition: Disposition, reason: Reason) -> ExpectedEnd:
    """A job that must not pass."""
    return ExpectedEnd(outcome=Outcome.FAILED, disposition=disposition, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A handset and its end; `answers` are the operator's where they aren't approvals."""

    plan: HandsetPlan
    end: ExpectedEnd
    answers: Mapping[Gate, bool] = field(default_factory=dict[Gate, bool])

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.plan.name

    def handset(
        self,
        *,
        name: str,
        slot: int | None,
        copy: int = 0,
        capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
        write_bytes_per_s: int | None = None,
    ) -> HandsetPlan:
        """This scenario's handset, named, in a slot, of a certain size and speed.

        Each `copy` has numbers of its own, except where the serial is the story.
        """
        plan, faults = self.plan, self.plan.faults
        if write_bytes_per_s is not None:
            faults = replace(faults, write_bytes_per_s=write_bytes_per_s)
        shared = plan.serial == SHARED_SERIAL
        return replace(
            plan,
            name=name,
            slot=slot,
            serial=plan.serial if shared or not copy else _copied(plan.serial, copy),
            imei=plan.imei if not copy else _imei(int(plan.imei[:-1]) + 100 * copy),
            capacity_bytes=capacity_bytes,
            faults=faults,
        )


def _copied(serial: str, copy: int) -> str:
    """The serial of another handset of the same make; what tells scenarios apart stays."""
    return f"{serial[:-4]}{serial[-2:]}{copy:02}"


def _imei(body: int) -> str:
    """An IMEI from its first 14 digits, with the check digit of ISO/IEC 7812-1 (Luhn)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(f"{body:014}"))):
        doubled = digit if place % 2 else 2 * digit
        total += doubled - 9 if doubled > 9 else doubled
    return f"{body:014}{-total % 10}"


def _reset(name: str, model: HandsetModel, serial: str, imei: str) -> HandsetPlan:
    """A handset that its owner has reset before selling it."""
    return HandsetPlan(name=name, model=model, serial=serial, imei=imei)


def _live(name: str, model: HandsetModel, serial: str, imei: str) -> HandsetPlan:
    """A handset with its owner's photos, apps and databases, but no lock and no account."""
    return HandsetPlan(
        name=name,
        model=model,
        serial=serial,
        imei=imei,
        owner_share=LIVE_SHARE,
        packages=OWNERS_PACKAGES,
        calls=31,
        contacts=112,
        messages=240,
        boot_count=214,
    )


_OF_STORAGE_AND_CABLE: Final = (
    Scenario(
        plan=_reset("clean", XPERIA_ACE_III, "HQ633K0CQ8", "353871116120459"),
        end=PASSED,
    ),
    Scenario(
        plan=_live("live-data", AQUOS_SENSE_6, "356401820047713", "356401820047710"),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _reset("photos-only", XPERIA_ACE_III, "HQ633K0CV3", "353871116120525"),
            owner_share=PHOTOS_SHARE,
            boot_count=3,
        ),
        end=PASSED,
    ),
    Scenario(
        plan=_reset("same-serial-a", ARROWS_WE, SHARED_SERIAL, "357302115550187"),
        end=PASSED,
    ),
    Scenario(
        plan=_reset("same-serial-b", ARROWS_WE, SHARED_SERIAL, "357302115550195"),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _live("account-and-lock", GALAXY_A23, "R5CT60ABCDE", "350448713300272"),
            accounts=(Account(name="tanaka.hanako@example.jp"),),
            screen_lock=True,
        ),
        end=failed(Disposition.HOLD, Reason.LOCKED),
    ),
    Scenario(
        plan=replace(
            _reset("flash-loses-writes", PIXEL_4A, "09151JEC208372", "358125101234568"),
            faults=StorageFaults(lost=0.02, after_bytes=6 * MEBIBYTE, seed=20240611),
        ),
        end=failed(Disposition.DESTROY, Reason.STORAGE_FAULT),
    ),
    Scenario(
        plan=replace(
            _live("reset-lies", XPERIA_10_II, "QV7120K5CX", "359753100412304"),
            test_harness=TestHarness.LIES,
        ),
        end=failed(Disposition.HOLD, Reason.RESET_NOT_PROVEN),
    ),
    Scenario(
        plan=replace(
            _reset("modified-os", PIXEL_4A, "0B281JEC203991", "358125109876543"),
            verified_boot_state="orange",
            bootloader_locked=False,
            superuser=True,
        ),
        end=failed(Disposition.DESTROY, Reason.SYSTEM_MODIFIED),
    ),
    Scenario(
        plan=replace(
            _reset("unplugged", AQUOS_WISH_3, "358876243310925", "358876243310928"),
            triggers=(Trigger(at_fill_fraction=0.4, do=Act.UNPLUG, plug_back_after_s=1.5),),
        ),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _reset("hangs", XPERIA_ACE_III, "HQ633K0D17", "353871116120467"),
            triggers=(Trigger(at_fill_fraction=0.4, do=Act.HANG),),
        ),
        end=failed(Disposition.HOLD, Reason.HANDSET_STALLED),
    ),
)
_OF_CHIPS: Final = (
    Scenario(
        plan=replace(
            _reset("felica-in-use", XPERIA_ACE_III, "HQ633K0E52", "353871116120475"),
            chip=ChipPlan(profile="in_use"),
        ),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _reset("felica-not-clearable", ARROWS_WE, "R38N00A4F7", "357302115550203"),
            chip=ChipPlan(ic_type="14", profile="in_use", clear=ClearStory.UNSUPPORTED),
        ),
        end=failed(Disposition.DESTROY, Reason.FELICA_NOT_CLEARABLE),
    ),
    Scenario(
        plan=replace(
            _reset("felica-silent", AQUOS_WISH_3, "358876243310936", "358876243310936"),
            chip=ChipPlan(profile="in_use"),
            nfc_on=False,
        ),
        end=failed(Disposition.HOLD, Reason.FELICA_SILENT),
        answers={Gate.FELICA_RETIRED: False, Gate.FELICA_NO_CHIP: False},
    ),
    Scenario(
        plan=replace(
            _reset("felica-none", PIXEL_4A, "0C091JEC204415", "358125103344555"), felica=False
        ),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _reset("felica-retired", GALAXY_A23, "R5CT60ABF2H", "350448713300280"),
            chip=ChipPlan(retired=True),
        ),
        end=failed(Disposition.DESTROY, Reason.FELICA_RETIRED),
        # Its own screen says that it was retired, and that it has a chip.
        answers={Gate.FELICA_RETIRED: True, Gate.FELICA_NO_CHIP: False},
    ),
    Scenario(
        plan=replace(
            _reset("felica-clear-lies", XPERIA_10_II, "QV7120K6DY", "359753100412312"),
            chip=ChipPlan(profile="in_use", clear=ClearStory.LIES),
        ),
        end=failed(Disposition.DESTROY, Reason.FELICA_RESIDUE),
    ),
    Scenario(
        plan=replace(
            _reset("felica-swapped", AQUOS_SENSE_6, "356401820047721", "356401820047728"),
            chip=ChipPlan(profile="in_use", clear=ClearStory.SWAPS),
        ),
        end=failed(Disposition.HOLD, Reason.FELICA_INCONSISTENT),
    ),
)
_OF_THE_GATES: Final = (
    Scenario(
        plan=_live("jpki-unattested", AQUOS_SENSE_6, "356401820051044", "356401820051001"),
        end=failed(Disposition.HOLD, Reason.JPKI_NOT_ATTESTED),
        answers={Gate.JPKI: False},
    ),
    Scenario(
        plan=_live("consent-missing", XPERIA_ACE_III, "HQ633K0E21", "353871116120517"),
        end=failed(Disposition.HOLD, Reason.CONSENT_MISSING),
        answers={Gate.CONSENT: False},
    ),
    Scenario(
        plan=_reset("network-restricted", GALAXY_A23, "R5CT61FGHIJ", "350448713300355"),
        end=failed(Disposition.HOLD, Reason.NETWORK_RESTRICTED),
        answers={Gate.NETWORK: False},
    ),
    Scenario(
        plan=replace(
            _live("mdm", GALAXY_A23, "R5CT62KLMNO", "350448713300439"),
            device_owner="com.example.mdm/com.example.mdm.AdminReceiver",
        ),
        end=failed(Disposition.RETURN, Reason.MANAGED_DEVICE),
    ),
    Scenario(
        plan=replace(
            _reset("sd-card", XPERIA_10_II, "QV7120M8RT", "359753100412411"), memory_card=True
        ),
        end=failed(Disposition.HOLD, Reason.REMOVABLE_MEDIA),
    ),
    Scenario(
        plan=_reset("unsupported-model", XPERIA_Z5, "CB5A29XW7Q", "352590072214400"),
        end=failed(Disposition.HOLD, Reason.UNSUPPORTED_MODEL),
    ),
    Scenario(
        plan=replace(
            _reset("low-battery", ARROWS_WE, "F51B0000417X", "357302115550278"),
            battery_percent=24,
            charges_percent_per_s=1.5,
        ),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _reset("unauthorized", PIXEL_4A, "0C091JEC207736", "358125101239989"),
            authorized=False,
        ),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _reset("adb-disabled", AQUOS_WISH_3, "358876243311365", "358876243311306"),
            adb_enabled=False,
        ),
        end=PASSED,
    ),
)

_OF_PROGRAMS: Final = (
    Scenario(
        plan=replace(
            _live("no-native-programs", ARROWS_WE, "F51B0000425X", "357302115550286"),
            runs_programs=False,
            dd=Dd.DIRECT,
        ),
        end=PASSED,
    ),
    Scenario(
        plan=replace(
            _live("no-direct-reads", ARROWS_WE, "F51B0000433X", "357302115550294"),
            runs_programs=False,
        ),
        end=failed(Disposition.HOLD, Reason.UNSUPPORTED_MODEL),
    ),
    Scenario(
        plan=replace(
            _live("direct-reads-lie", ARROWS_WE, "F51B0000441X", "357302115550302"),
            runs_programs=False,
            dd=Dd.REMEMBERS,
        ),
        end=failed(Disposition.HOLD, Reason.UNSUPPORTED_MODEL),
    ),
)

_ALL: Final = (*_OF_STORAGE_AND_CABLE, *_OF_CHIPS, *_OF_THE_GATES, *_OF_PROGRAMS)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(
    {scenario.name: scenario for scenario in _ALL}
)
"""Every scenario by its name."""
