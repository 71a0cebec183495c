"""The stories that a virtual rack can tell: a handset, what becomes of it, how each must end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from benchd.domain.job import Disposition, Gate, Reason
from benchd.lab.simulator.chips.chip_plan import ChipPlan, ClearStory
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
    MEBIBYTE,
    Account,
    Act,
    Dd,
    TestHarness,
    Trigger,
)
from benchd.lab.simulator.scenario import (
    PASSED,
    SHARED_SERIAL,
    Scenario,
    failed,
    freshly_reset,
    in_use,
)
from benchd.lab.simulator.scenarios_of_makers import OF_MAKERS
from benchd.lab.simulator.storage.faults import StorageFaults

PHOTOS_SHARE: Final = 0.05
"""With a few photos on it, it has no more in use than a fresh one may have."""

_OF_STORAGE_AND_CABLE: Final = (
    Scenario(
        story="arrives reset",
        plan=freshly_reset("clean", XPERIA_ACE_III, "HQ633K0CQ8", "353871116120459"),
        end=PASSED,
    ),
    Scenario(
        story="the last owner's photos and apps are still on it",
        plan=in_use("live-data", AQUOS_SENSE_6, "356401820047713", "356401820047710"),
        end=PASSED,
    ),
    Scenario(
        story=(
            "photos, but no account, no app, and no more in use than on a fresh one: reset first"
        ),
        plan=replace(
            freshly_reset("photos-only", XPERIA_ACE_III, "HQ633K0CV3", "353871116120525"),
            owner_share=PHOTOS_SHARE,
            boot_count=3,
        ),
        end=PASSED,
    ),
    Scenario(
        story="two handsets with one serial",
        plan=freshly_reset("same-serial-a", ARROWS_WE, SHARED_SERIAL, "357302115550187"),
        end=PASSED,
    ),
    Scenario(
        story="two handsets with one serial",
        plan=freshly_reset("same-serial-b", ARROWS_WE, SHARED_SERIAL, "357302115550195"),
        end=PASSED,
    ),
    Scenario(
        story="Google account and PIN",
        plan=replace(
            in_use("account-and-lock", GALAXY_A23, "R5CT60ABCDE", "350448713300272"),
            accounts=(Account(name="tanaka.hanako@example.jp"),),
            screen_lock=True,
        ),
        end=failed(Disposition.HOLD, Reason.LOCKED),
    ),
    Scenario(
        story="acknowledges writes that it drops",
        plan=replace(
            freshly_reset("flash-loses-writes", PIXEL_4A, "09151JEC208372", "358125101234568"),
            faults=StorageFaults(lost=0.02, after_bytes=6 * MEBIBYTE, seed=20240611),
        ),
        end=failed(Disposition.DESTROY, Reason.STORAGE_FAULT),
    ),
    Scenario(
        story='answers "done" to a reset and does nothing',
        plan=replace(
            in_use("reset-lies", XPERIA_10_II, "QV7120K5CX", "359753100412304"),
            test_harness=TestHarness.LIES,
        ),
        end=failed(Disposition.HOLD, Reason.RESET_NOT_PROVEN),
    ),
    Scenario(
        story="unlocked bootloader, root",
        plan=replace(
            freshly_reset("modified-os", PIXEL_4A, "0B281JEC203991", "358125109876543"),
            verified_boot_state="orange",
            bootloader_locked=False,
            superuser=True,
        ),
        end=failed(Disposition.DESTROY, Reason.SYSTEM_MODIFIED),
    ),
    Scenario(
        story=(
            "cable out in mid-overwrite, back later: its first job is aborted, the next one passes"
        ),
        plan=replace(
            freshly_reset("unplugged", AQUOS_WISH_3, "358876243310925", "358876243310928"),
            triggers=(Trigger(at_fill_fraction=0.4, do=Act.UNPLUG, plug_back_after_s=1.5),),
        ),
        end=PASSED,
    ),
    Scenario(
        story="stops answering in mid-overwrite",
        plan=replace(
            freshly_reset("hangs", XPERIA_ACE_III, "HQ633K0D17", "353871116120467"),
            triggers=(Trigger(at_fill_fraction=0.4, do=Act.HANG),),
        ),
        end=failed(Disposition.HOLD, Reason.HANDSET_STALLED),
    ),
)
_OF_CHIPS: Final = (
    Scenario(
        story="Suica and others in the chip; a provider clears it",
        plan=replace(
            freshly_reset("felica-in-use", XPERIA_ACE_III, "HQ633K0E52", "353871116120475"),
            chip=ChipPlan(profile="in_use"),
        ),
        end=PASSED,
    ),
    Scenario(
        story="no provider can clear it",
        plan=replace(
            freshly_reset("felica-not-clearable", ARROWS_WE, "R38N00A4F7", "357302115550203"),
            chip=ChipPlan(ic_type="14", profile="in_use", clear=ClearStory.UNSUPPORTED),
        ),
        end=failed(Disposition.DESTROY, Reason.FELICA_NOT_CLEARABLE),
    ),
    Scenario(
        story="the chip doesn't answer",
        plan=replace(
            freshly_reset("felica-silent", AQUOS_WISH_3, "358876243310936", "358876243310936"),
            chip=ChipPlan(profile="in_use"),
            nfc_on=False,
        ),
        end=failed(Disposition.HOLD, Reason.FELICA_SILENT),
        answers={Gate.FELICA_RETIRED: False, Gate.FELICA_NO_CHIP: False},
    ),
    Scenario(
        story="a model without a chip: silence, its own word and a person's",
        plan=replace(
            freshly_reset("felica-none", PIXEL_4A, "0C091JEC204415", "358125103344555"),
            felica=False,
        ),
        end=PASSED,
    ),
    Scenario(
        story='silent, and its own screen says "taken out of use"',
        plan=replace(
            freshly_reset("felica-retired", GALAXY_A23, "R5CT60ABF2H", "350448713300280"),
            chip=ChipPlan(retired=True),
        ),
        end=failed(Disposition.DESTROY, Reason.FELICA_RETIRED),
        # Its own screen says that it was retired, and that it has a chip.
        answers={Gate.FELICA_RETIRED: True, Gate.FELICA_NO_CHIP: False},
    ),
    Scenario(
        story='the provider says "done", the chip isn\'t',
        plan=replace(
            freshly_reset("felica-clear-lies", XPERIA_10_II, "QV7120K6DY", "359753100412312"),
            chip=ChipPlan(profile="in_use", clear=ClearStory.LIES),
        ),
        end=failed(Disposition.DESTROY, Reason.FELICA_RESIDUE),
    ),
    Scenario(
        story="another chip answers at the re-check",
        plan=replace(
            freshly_reset("felica-swapped", AQUOS_SENSE_6, "356401820047721", "356401820047728"),
            chip=ChipPlan(profile="in_use", clear=ClearStory.SWAPS),
        ),
        end=failed(Disposition.HOLD, Reason.FELICA_INCONSISTENT),
    ),
)
_OF_THE_GATES: Final = (
    Scenario(
        story="nobody attests that its JPKI certificates have lapsed",
        plan=in_use("jpki-unattested", AQUOS_SENSE_6, "356401820051044", "356401820051001"),
        end=failed(Disposition.HOLD, Reason.JPKI_NOT_ATTESTED),
        answers={Gate.JPKI: False},
    ),
    Scenario(
        story="nobody attests that its owner agreed to clear the chip",
        plan=replace(
            in_use("consent-missing", XPERIA_ACE_III, "HQ633K0E21", "353871116120517"),
            # Nobody is asked of a chip that has nothing to lose.
            chip=ChipPlan(profile="in_use"),
        ),
        end=failed(Disposition.HOLD, Reason.CONSENT_MISSING),
        answers={Gate.CONSENT: False},
    ),
    Scenario(
        story="赤ロム: its network may be locked for it",
        plan=freshly_reset("network-restricted", GALAXY_A23, "R5CT61FGHIJ", "350448713300355"),
        end=failed(Disposition.HOLD, Reason.NETWORK_RESTRICTED),
        answers={Gate.NETWORK: False},
    ),
    Scenario(
        story="a company manages it",
        plan=replace(
            in_use("mdm", GALAXY_A23, "R5CT62KLMNO", "350448713300439"),
            device_owner="com.example.mdm/com.example.mdm.AdminReceiver",
        ),
        end=failed(Disposition.RETURN, Reason.MANAGED_DEVICE),
    ),
    Scenario(
        story="a memory card is in it",
        plan=replace(
            freshly_reset("sd-card", XPERIA_10_II, "QV7120M8RT", "359753100412411"),
            memory_card=True,
        ),
        end=failed(Disposition.HOLD, Reason.REMOVABLE_MEDIA),
    ),
    Scenario(
        story="benchd has no way to erase it",
        plan=freshly_reset("unsupported-model", XPERIA_Z5, "CB5A29XW7Q", "352590072214400"),
        end=failed(Disposition.HOLD, Reason.UNSUPPORTED_MODEL),
    ),
    Scenario(
        story="too low to begin: waits, and goes on when it's charged",
        plan=replace(
            freshly_reset("low-battery", ARROWS_WE, "F51B0000417X", "357302115550278"),
            battery_percent=5,
            charges_percent_per_s=1.0,
        ),
        end=PASSED,
    ),
    Scenario(
        story="hasn't let the rack's adb in: waits, and goes on when it's put right",
        plan=replace(
            freshly_reset("unauthorized", PIXEL_4A, "0C091JEC207736", "358125101239989"),
            authorized=False,
        ),
        end=PASSED,
    ),
    Scenario(
        story="USB debugging is off: waits, and goes on when it's put right",
        plan=replace(
            freshly_reset("adb-disabled", AQUOS_WISH_3, "358876243311365", "358876243311306"),
            adb_enabled=False,
        ),
        end=PASSED,
    ),
)

_OF_PROGRAMS: Final = (
    Scenario(
        story="no program may run on it: the host streams the overwrite over adb",
        plan=replace(
            in_use("no-native-programs", ARROWS_WE, "F51B0000425X", "357302115550286"),
            runs_programs=False,
            dd=Dd.DIRECT,
        ),
        end=PASSED,
    ),
    Scenario(
        story=(
            "runs no program either, and its `dd` can't read past the cache: nothing is "
            "proven, nothing reset"
        ),
        plan=replace(
            in_use("no-direct-reads", ARROWS_WE, "F51B0000433X", "357302115550294"),
            runs_programs=False,
        ),
        end=failed(Disposition.HOLD, Reason.UNSUPPORTED_MODEL),
    ),
    Scenario(
        story="runs no program either; its `dd` says it could and is answered from memory",
        plan=replace(
            in_use("direct-reads-lie", ARROWS_WE, "F51B0000441X", "357302115550302"),
            runs_programs=False,
            dd=Dd.REMEMBERS,
        ),
        end=failed(Disposition.HOLD, Reason.UNSUPPORTED_MODEL),
    ),
)

_ALL: Final = (*_OF_STORAGE_AND_CABLE, *_OF_CHIPS, *_OF_THE_GATES, *_OF_PROGRAMS, *OF_MAKERS)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(
    {scenario.name: scenario for scenario in _ALL}
)
"""Every scenario by its name."""
