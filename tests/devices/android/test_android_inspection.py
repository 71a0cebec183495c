"""Facts put together from whole handsets' answers, and which of them one lie or silence changes."""

from __future__ import annotations

import asyncio
import struct

import pytest
from handset_fakes import ScriptedShell, answer, names
from structlog.testing import capture_logs

from benchd.devices.android.facts.battery_wear import LOOK_FOR_GAUGES
from benchd.devices.android.facts.capability import LOOK_FOR_FELICA
from benchd.devices.android.facts.inspection import (
    STORAGE_LOOK_EVERY_S,
    read_battery_facts,
    read_facts,
    read_identity,
    read_nfc_facts,
    read_reset_facts,
    read_sim,
    read_standing,
)
from benchd.devices.android.facts.owner import (
    COUNT_CALLS,
    COUNT_CONTACTS,
    COUNT_FILES,
    COUNT_MMS,
    COUNT_SMS,
)
from benchd.devices.android.facts.statfs import ASK_STATFS
from benchd.devices.android.facts.superuser import LOOK_FOR_SUPERUSER
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import (
    AnswerNotRecognised,
    StageFailed,
    StorageContradicts,
    UnsupportedHandset,
)
from benchd.domain.evidence_json import from_json, to_json
from benchd.domain.handset import BatteryMethod, BatteryWear, NfcFacts
from benchd.domain.job import Reason
from benchd.lab.simulator.answers import parcel_dump
from benchd.proof.floors import LEAST_FREE_DRIFT_BYTES, MOST_FREE_DRIFT

pytestmark = pytest.mark.asyncio

IMEI = "service call iphonesubinfo 1 s16 com.android.shell"
SECOND_IMEI = "service call iphonesubinfo 4 i32 1 s16 com.android.shell"
SECOND_IMEI_BEFORE_11 = "service call iphonesubinfo 3 i32 1 s16 com.android.shell"
TOLD_IMEI, OTHER_IMEI = "490154203237518", "356938035643809"
WITHOUT_IMEI = [name for name in names("imei") if name not in ("imei-10", "imei-12-oppo")]
PACKAGES = "pm list packages -u --user 0"
FRP = "settings get --user 0 global secure_frp_mode"
HEALTH = "dumpsys android.hardware.health.IHealth/default"
WORN = (
    "getHealthInfo -> HealthInfo{batteryCycleCount: 312, batteryFullChargeUah: 4071000,"
    " batteryFullChargeDesignCapacityUah: 4410000, batteryHealthData: (null)}\n"
)
FRP_IN_SECURE = "settings get --user 0 secure secure_frp_mode"


def aquos(**changes: str | tuple[int, str]) -> ScriptedShell:
    """A handset fresh from its reset."""
    answers: dict[str, str | tuple[int, str]] = {
        "getprop": answer("getprop-15-aquos-test-harness"),
        IMEI: answer("imei-10"),
        SECOND_IMEI: answer("imei-16-null"),
        SECOND_IMEI_BEFORE_11: answer("imei-16-other-string"),
        "df -k /data": answer("df-16-pixel-8-pro"),
        "cat /proc/mounts": answer("mounts-16-f2fs"),
        ASK_STATFS: answer("statfs-16-pixel-8-pro"),
        "dumpsys account": answer("account-16-none"),
        "pm list users": answer("users-8-one"),
        "dumpsys battery": answer("battery-16-pixel-8-pro"),
        HEALTH: WORN,
        "dumpsys batteryproperties": "",
        LOOK_FOR_GAUGES: "looked everywhere\n",
        "dumpsys device_policy": answer("policy-16-none"),
        "dumpsys trust": answer("trust-16-open"),
        LOOK_FOR_SUPERUSER: "looked everywhere\n",
        "pm list features": answer("features-15-wallet"),
        PACKAGES: answer("packages-15-wallet"),
        LOOK_FOR_FELICA: "/vendor/etc/felica\nlooked everywhere\n",
        "sm list-volumes all": answer("volumes-16-no-card"),
        "sm list-disks": "",
        "settings get --user 0 secure android_id": "51b6be48bac8c569\n",
        "settings get --user 0 global nfc_on": "1\n",
        "dumpsys nfc": answer("nfc-13-on-unlocked"),
        "settings get --user 0 global boot_count": "2\n",
        FRP: "0\n",
        FRP_IN_SECURE: "null\n",
        "cat /proc/uptime": "214.07 803.51\n",
        "pm list packages -3 -f --user 0": "",
        COUNT_FILES: "/whole\n1\n",
        COUNT_CALLS: "No result found.\n",
        COUNT_CONTACTS: "No result found.\n",
        COUNT_SMS: "No result found.\n",
        COUNT_MMS: "No result found.\n",
    }
    return ScriptedShell(answers | changes)


@pytest.mark.parametrize("properties", names("getprop"))
async def test_facts_are_of_the_types_that_are_on_record(properties: str) -> None:
    shell = aquos(getprop=answer(properties))
    made = [read_facts, read_standing, read_reset_facts, read_nfc_facts, read_identity]
    for make in made:
        try:
            facts = await make(shell)
        except StageFailed:
            continue
        assert from_json(type(facts), to_json(facts), properties) == facts


async def test_facts() -> None:
    facts = await read_facts(aquos())
    assert facts.identity.serial == "0000000000000015"
    assert facts.identity.manufacturer == "SHARP"
    assert facts.identity.model == "SH-00A"
    assert (facts.identity.android, facts.identity.build) == ("15", "SE037")
    assert facts.identity.imei == "490154203237518"
    assert (facts.sdk, facts.abi) == (35, "arm64-v8a")
    assert (facts.capacity_bytes, facts.free_bytes) == (CAPACITY, FREE)
    assert (facts.statfs_capacity_bytes, facts.statfs_free_bytes) == (CAPACITY, FREE)
    assert (facts.battery_percent, facts.battery_temperature_c) == (22, 28.0)
    assert facts.battery_wear == BatteryWear(
        health_percent=92,
        health_method=BatteryMethod.HEALTH_SERVICE_CAPACITY,
        cycles=312,
        cycles_method=BatteryMethod.HEALTH_SERVICE,
    )
    assert (facts.crypto_state, facts.crypto_type) == ("encrypted", "file")
    assert facts.metadata_encryption is True
    assert (facts.verified_boot_state, facts.bootloader_locked) == ("green", True)
    assert facts.security_patch is None
    assert facts.modification_signs == ()
    assert facts.screen_lock is None
    assert (facts.account_count, facts.user_ids, facts.device_owner) == (0, (0,), False)
    assert (facts.felica_capable, facts.jpki_capable, facts.removable_media) == (True, True, False)
    with_a_card = await read_facts(aquos(**{"sm list-disks": "disk:179,64\n"}))
    assert with_a_card.removable_media is True, "though Android can't read it"
    assert facts.sim is None
    assert facts.frp_armed is False
    assert (facts.sim_lock, facts.sim_lock_source) == (None, None)


async def test_row_7_what_the_gates_refuse_by_is_read_by_few_questions_and_alike() -> None:
    shell = aquos()
    standing = await read_standing(shell)
    facts = await read_facts(aquos())
    for name in type(standing).__dataclass_fields__:
        assert getattr(standing, name) == getattr(facts, name), name
    heavy = ("pm list features", PACKAGES, "df -k /data")
    assert not [script for script in shell.commands if any(each in script for each in heavy)]


@pytest.mark.parametrize(
    ("told", "armed"),
    [
        ({FRP: "1\n"}, True),
        ({FRP: "0\n"}, False),
        ({FRP: "null\n"}, None),
        ({FRP: "null\n", FRP_IN_SECURE: "1\n"}, True),
        ({FRP: "0\n", FRP_IN_SECURE: "1\n"}, True),
        ({FRP: (255, "Security exception"), FRP_IN_SECURE: (1, "")}, None),
    ],
)
async def test_row_8_whether_frp_is_armed_is_read_where_it_is_told(
    told: dict[str, str | tuple[int, str]], armed: bool | None
) -> None:
    assert (await read_standing(aquos(**told))).frp_armed is armed
    assert (await read_facts(aquos(**told))).frp_armed is armed


async def test_row_8_a_word_on_frp_that_nobody_knows_is_a_problem() -> None:
    for told in ("2\n", "\n", "true\n", "1\n0\n"):
        with pytest.raises(AnswerNotRecognised, match="secure_frp_mode"):
            await read_standing(aquos(**{FRP: told}))


async def test_row_8_a_sim_lock_is_told_by_a_sim_that_is_refused() -> None:
    properties = answer("getprop-15-aquos-test-harness") + "[gsm.sim.state]: [{}]\n"
    facts = await read_facts(aquos(getprop=properties.format("NETWORK_LOCKED,ABSENT")))
    assert facts.sim is True
    assert (facts.sim_lock, facts.sim_lock_source) == (True, "gsm.sim.state=NETWORK_LOCKED")
    facts = await read_facts(aquos(getprop=properties.format("LOADED")))
    assert (facts.sim_lock, facts.sim_lock_source) == (None, None)
    assert await read_sim(aquos(getprop=properties.format("ABSENT,ABSENT"))) is False
    assert await read_sim(aquos(getprop=properties.format("ABSENT,NOT_READY"))) is None


async def test_facts_of_a_handset_that_is_in_use_and_changed() -> None:
    shell = aquos(getprop=answer("getprop-12-custom-rom"))
    shell.answers |= {
        IMEI: (1, ""),
        "dumpsys account": answer("account-14-two-users"),
        "pm list users": answer("users-14-work"),
        "dumpsys device_policy": answer("policy-12-owner"),
        "dumpsys trust": answer("trust-9-locked"),
        LOOK_FOR_SUPERUSER: "/sbin/su\nlooked everywhere\n",
    }
    facts = await read_facts(shell)
    assert facts.identity.imei is None
    assert facts.modification_signs[-1] == "su at /sbin/su"
    assert facts.modification_signs[0] == "ro.boot.verifiedbootstate=orange"
    assert (facts.account_count, facts.user_ids, facts.device_owner) == (3, (0, 10), True)
    assert facts.screen_lock is True
    assert facts.crypto_state == "unencrypted"
    assert facts.metadata_encryption is None


NFC_ON = "mState=on\nmScreenState=ON_UNLOCKED\n"
NFC_UNKNOWN = NfcFacts(nfc_on=None, screen_on=None, unlocked=None)


@pytest.mark.parametrize(
    ("setting", "dump", "facts"),
    [
        ("1\n", NFC_ON, NfcFacts(nfc_on=True, screen_on=True, unlocked=True)),
        ((1, "1\n"), (1, NFC_ON), NFC_UNKNOWN),
        ("1\n", (20, "Can't find service: nfc\n"), NFC_UNKNOWN),
    ],
)
async def test_a_refusal_says_nothing_of_nfc(
    setting: str | tuple[int, str], dump: str | tuple[int, str], facts: NfcFacts
) -> None:
    shell = aquos(**{"settings get --user 0 global nfc_on": setting, "dumpsys nfc": dump})
    assert await read_nfc_facts(shell) == facts


IN_WORDS = struct.pack("<ii", 0, len(OTHER_IMEI)) + OTHER_IMEI.encode("utf-16-le") + bytes(2)


@pytest.mark.parametrize(
    ("asked", "told", "imeis"),
    [
        (SECOND_IMEI, parcel_dump(IN_WORDS), (TOLD_IMEI, OTHER_IMEI)),
        (SECOND_IMEI_BEFORE_11, parcel_dump(IN_WORDS), (TOLD_IMEI, OTHER_IMEI)),
        (SECOND_IMEI, answer("imei-12-oppo"), (TOLD_IMEI, OTHER_IMEI)),
        (SECOND_IMEI, answer("imei-10"), (TOLD_IMEI,)),
    ],
    ids=["two radios", "before Android 11", "in the form of a real handset", "one told twice"],
)
async def test_both_imeis_of_a_handset_with_two_radios(
    asked: str, told: str, imeis: tuple[str, ...]
) -> None:
    assert (await read_identity(aquos(**{asked: told}))).imeis == imeis


@pytest.mark.parametrize("name", WITHOUT_IMEI)
async def test_a_second_imei_that_cannot_be_read_is_unknown(name: str) -> None:
    told = answer(name)
    identity = await read_identity(aquos(**{SECOND_IMEI: told, SECOND_IMEI_BEFORE_11: told}))
    assert identity.imeis == (TOLD_IMEI,)
    assert (await read_identity(aquos(**{IMEI: told}))).imei is None


async def test_reset_facts() -> None:
    facts = await read_reset_facts(aquos())
    assert facts.android_id == "51b6be48bac8c569"
    assert (facts.account_count, facts.user_ids) == (0, (0,))
    assert facts.used_bytes == 94844540 * 1024
    assert (facts.third_party_packages, facts.boot_count, facts.up_s) == (0, 2, 214)
    assert facts.test_harness is True
    assert (facts.owner_files, facts.call_count) == (0, 0)
    assert (facts.contact_count, facts.message_count) == (0, 0)
    other = await read_reset_facts(aquos(getprop=answer("getprop-10-xperia")))
    assert other.test_harness is False


async def test_what_an_owner_left_is_counted() -> None:
    shell = aquos()
    shell.answers |= {
        COUNT_FILES: "/whole\n8\n",
        COUNT_CALLS: "Row: 0 _id=3\nRow: 1 _id=12\n",
        COUNT_CONTACTS: "Row: 0 _id=1\n",
        COUNT_SMS: "Row: 0 _id=1\n",
        COUNT_MMS: "Row: 0 _id=1\nRow: 1 _id=2\n",
    }
    facts = await read_reset_facts(shell)
    assert (facts.owner_files, facts.call_count) == (7, 2)
    assert (facts.contact_count, facts.message_count) == (1, 3)


@pytest.mark.parametrize(
    ("command", "answered"),
    [
        (COUNT_FILES, ""),
        (COUNT_FILES, "12\n"),
        (COUNT_FILES, "/whole\n/whole\n3\n"),
        (COUNT_FILES, "/whole\nmany\n"),
        (COUNT_CALLS, ""),
        (COUNT_CALLS, "Error while accessing provider:call_log\n"),
        (COUNT_CALLS, "No result found.\nRow: 0 _id=1\n"),
        (COUNT_CONTACTS, "Row: 0 _id=1, display_name=Hanako\n"),
        (COUNT_SMS, "java.lang.SecurityException: Permission Denial\n"),
        (COUNT_MMS, "[ERROR] Unsupported argument\n"),
    ],
)
async def test_what_cannot_be_counted_is_unknown_and_never_none(
    command: str, answered: str
) -> None:
    facts = await read_reset_facts(aquos(**{command: answered}))
    counts = (facts.owner_files, facts.call_count, facts.contact_count, facts.message_count)
    assert counts.count(None) == 1
    assert [count for count in counts if count is not None] == [0, 0, 0]


async def test_identity_falls_back_and_the_battery_is_read_alone() -> None:
    rooted = await read_identity(aquos(getprop=answer("getprop-13-rooted-pixel")))
    assert rooted.serial == "00000000000013"
    honor = await read_identity(aquos(getprop=answer("getprop-14-honor")))
    assert honor.manufacturer == "HONOR"
    shell = aquos()
    assert (await read_battery_facts(shell)).percent == 22
    assert [c for c in shell.commands if "getprop" in c] == []


@pytest.mark.parametrize("told", ["", "garbage\n", (20, "Can't find service\n"), (1, "")])
@pytest.mark.parametrize("asked", [HEALTH, "dumpsys batteryproperties", LOOK_FOR_GAUGES])
async def test_what_tells_nothing_of_the_battery_holds_no_handset(
    asked: str, told: str | tuple[int, str]
) -> None:
    facts = await read_facts(aquos(**{asked: told}))
    expected = None if asked == HEALTH else 312
    assert facts.battery_cycles == expected
    assert facts.battery_percent == 22


EVERY_PART = [
    "getprop",
    "df -k /data",
    "cat /proc/mounts",
    "dumpsys account",
    "pm list users",
    "dumpsys battery",
    "dumpsys device_policy",
    "dumpsys trust",
    LOOK_FOR_SUPERUSER,
    LOOK_FOR_FELICA,
    "sm list-volumes all",
]
MAY_BE_EMPTY = ["pm list features", PACKAGES, "sm list-disks"]


@pytest.mark.parametrize(
    ("command", "broken"),
    [
        *((command, broken) for command in EVERY_PART for broken in ("", "garbage\n", "failed")),
        *((command, broken) for command in MAY_BE_EMPTY for broken in ("garbage\n", "failed")),
        *((command, "failed, empty") for command in MAY_BE_EMPTY),
        (ASK_STATFS, ""),
        (ASK_STATFS, "garbage\n"),
        (ASK_STATFS, "4096 4096 1 2 3\n"),
    ],
)
async def test_every_part_must_be_there(command: str, broken: str) -> None:
    failed = {"failed": (1, str(aquos().answers[command])), "failed, empty": (1, "")}
    given = failed.get(broken, broken)
    with pytest.raises(AnswerNotRecognised):
        await read_facts(aquos(**{command: given}))


@pytest.mark.parametrize("silent", ["pm list features", PACKAGES])
async def test_a_silent_package_manager_never_means_that_there_is_no_chip(silent: str) -> None:
    overseas = {
        "pm list features": answer("features-16-overseas"),
        PACKAGES: answer("packages-16-overseas"),
        LOOK_FOR_FELICA: "looked everywhere\n",
    }
    facts = await read_facts(aquos(**overseas))
    assert (facts.felica_capable, facts.jpki_capable) == (False, None)
    facts = await read_facts(aquos(**overseas | {silent: ""}))
    assert (facts.felica_capable, facts.jpki_capable) == (None, None)


async def test_every_part_of_the_reset_facts_must_be_there() -> None:
    for command in (
        "settings get --user 0 secure android_id",
        "settings get --user 0 global boot_count",
        "pm list packages -3 -f --user 0",
    ):
        for broken in ((20, ""), "Error: no service\n"):
            with pytest.raises(AnswerNotRecognised):
                await read_reset_facts(aquos(**{command: broken}))


async def test_refusals_carry_no_serial_and_no_account() -> None:
    with pytest.raises(AnswerNotRecognised, match="user is missing"):
        await read_facts(aquos(**{"pm list users": answer("users-14-work")}))
    text = answer("account-8-one").replace("Accounts: 1", "Accounts: 7")
    with pytest.raises(AnswerNotRecognised) as refusal:
        await read_facts(aquos(**{"dumpsys account": text}))
    assert "example.com" not in refusal.value.detail
    usage = answer("df-16-pixel-8-pro").replace("114982996", "14982996")
    with pytest.raises(AnswerNotRecognised, match="contradict"):
        await read_facts(aquos(**{"df -k /data": usage}))


async def test_lock_settings_are_never_touched_and_nothing_personal_is_logged() -> None:
    shell = aquos(**{"dumpsys account": answer("account-14-two-users")})
    shell.answers["pm list users"] = answer("users-14-work")
    with capture_logs() as logs:
        facts = await read_facts(shell)
        await read_reset_facts(shell)
    assert not any("lock_settings" in command for command in shell.commands)
    assert logs == []
    assert "example.com" not in repr(facts)


@pytest.mark.parametrize("sdk", [23, 25])
async def test_an_old_android_is_unsupported_and_not_unrecognised(sdk: int) -> None:
    old = answer("getprop-15-aquos-test-harness").replace(
        "[ro.build.version.sdk]: [35]", f"[ro.build.version.sdk]: [{sdk}]"
    )
    # What it answers to the rest isn't even looked at.
    with pytest.raises(UnsupportedHandset, match=r"SH-00A with Android 15"):
        await read_facts(aquos(**{"getprop": old, "dumpsys trust": "garbage\n"}))


POLICY = answer("policy-16-none")


def saying(old: str, new: str) -> ScriptedShell:
    """A handset whose `getprop` tells one thing otherwise."""
    honest = answer("getprop-15-aquos-test-harness")
    assert old in honest
    return aquos(getprop=honest.replace(old, new))


async def test_a_lock_that_one_of_two_properties_claims_is_open() -> None:
    for name, locked, unlocked in (
        ("ro.boot.flash.locked", "1", "0"),
        ("ro.boot.vbmeta.device_state", "locked", "unlocked"),
    ):
        facts = await read_facts(saying(f"[{name}]: [{locked}]", f"[{name}]: [{unlocked}]"))
        assert facts.bootloader_locked is False
        assert facts.modification_signs == (f"{name}={unlocked}",)


async def test_green_boot_over_an_open_lock_is_a_sign_of_a_changed_system() -> None:
    facts = await read_facts(saying("device_state]: [locked]", "device_state]: [unlocked]"))
    assert facts.verified_boot_state == "green"
    assert facts.modification_signs


ENCRYPTED, OPEN = "encrypted", "unencrypted"


@pytest.mark.parametrize(
    ("told", "status", "state"),
    [
        *(
            (ENCRYPTED, denied, OPEN)
            for denied in ("inactive", "unsupported", "activating", "unknown", "")
        ),
        *((ENCRYPTED, shown, ENCRYPTED) for shown in ("per-user", "block", "block default key")),
        (OPEN, "per-user", OPEN),
    ],
)
async def test_encryption_that_only_one_source_claims_is_none(
    told: str, status: str, state: str
) -> None:
    shell = saying("[encrypted]", f"[{told}]")
    shell.answers["dumpsys device_policy"] = f"{POLICY}\n  Encryption Status: {status}\n"
    assert (await read_facts(shell)).crypto_state == state


async def test_encryption_without_its_type_is_none() -> None:
    facts = await read_facts(saying("[ro.crypto.type]: [file]\n", ""))
    assert (facts.crypto_state, facts.crypto_type) == ("unencrypted", None)


HONEST = answer("statfs-16-pixel-8-pro")
CAPACITY, FREE = 114982996 * 1024, 20007384 * 1024

DRIFT = int(MOST_FREE_DRIFT * CAPACITY)


def statfs(capacity: int = CAPACITY, free: int = FREE, unit: int = 4096) -> str:
    return f"{unit} {unit} {capacity // unit} {free // unit + 3} {free // unit}\n"


@pytest.mark.parametrize(
    "refused",
    [(1, "stat: Unknown option f\n"), (127, "sh: stat: not found\n"), (1, "Permission denied\n")],
)
async def test_a_handset_without_it_is_inspected_and_the_second_source_is_unknown(
    refused: tuple[int, str],
) -> None:
    facts = await read_facts(aquos(**{ASK_STATFS: refused}))
    assert facts.capacity_bytes == CAPACITY
    assert facts.statfs_capacity_bytes is facts.statfs_free_bytes is None


@pytest.mark.looptime
@pytest.mark.parametrize(
    "other",
    [
        statfs(CAPACITY // 2),
        statfs(CAPACITY * 2),
        statfs(CAPACITY + 4096),
        statfs(CAPACITY - 4096),
        statfs(free=FREE - DRIFT - LEAST_FREE_DRIFT_BYTES),
        statfs(free=FREE + DRIFT + LEAST_FREE_DRIFT_BYTES),
        f"512 512 {CAPACITY // 4096} {FREE // 4096 + 3} {FREE // 4096}\n",
    ],
)
async def test_two_sizes_of_one_storage_are_a_named_refusal(other: str) -> None:
    with pytest.raises(StorageContradicts, match="df and stat") as caught:
        await read_facts(aquos(**{ASK_STATFS: other}))
    assert caught.value.reason is Reason.STORAGE_CONTRADICTS


@pytest.mark.parametrize("drift", [-DRIFT // 2, DRIFT // 2, 4096])
async def test_what_apps_write_between_both_is_no_contradiction(drift: int) -> None:
    facts = await read_facts(aquos(**{ASK_STATFS: statfs(free=FREE + drift)}))
    assert facts.statfs_free_bytes is not None


@pytest.mark.looptime
async def test_what_still_comes_free_is_waited_for() -> None:
    """The files of a broken fill are being deleted, as after an unplug in the middle of one."""
    shell = aquos(**{ASK_STATFS: statfs(free=FREE // 2)})
    reading = asyncio.create_task(read_facts(shell))
    await asyncio.sleep(1.5 * STORAGE_LOOK_EVERY_S)
    shell.answers[ASK_STATFS] = HONEST
    assert (await reading).statfs_free_bytes == FREE


async def test_what_was_told_before_a_reset_is_not_held_against_what_is_told_after_it() -> None:
    heard: dict[str, Answer] = {}
    await read_facts(aquos(**{ASK_STATFS: HONEST}), heard)
    row = answer("df-16-pixel-8-pro")
    used, free = (int(number) for number in row.splitlines()[1].split()[2:4])
    more = 40_000_000
    row = row.replace(str(used), str(used - more)).replace(str(free), str(free + more))
    after = aquos(**{"df -k /data": row.replace("83%", "48%")})
    facts = await read_reset_facts(after, heard)
    assert facts.used_bytes == (used - more) * 1024
    assert heard["statfs"].text == HONEST
