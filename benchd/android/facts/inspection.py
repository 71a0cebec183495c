"""Reads who a handset is and what state it is in, from a few shell calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.android.facts.accounts import count_accounts
from benchd.android.facts.battery import read_battery
from benchd.android.facts.boot_state import (
    bootloader_locked,
    modification_signs,
    security_patch,
    verified_boot_state,
)
from benchd.android.facts.capability import (
    LOOK_FOR_FELICA,
    can_telephone,
    felica_capable,
    jpki_capable,
    read_felica_directories,
)
from benchd.android.facts.encryption import crypto_state, crypto_type
from benchd.android.facts.features import read_features
from benchd.android.facts.imei import read_imei
from benchd.android.facts.nfc import read_nfc
from benchd.android.facts.owner import (
    COUNT_CALLS,
    COUNT_CONTACTS,
    COUNT_FILES,
    COUNT_MMS,
    COUNT_SMS,
    read_file_count,
    read_row_count,
    sum_of_known,
)
from benchd.android.facts.packages import count_packages, read_packages
from benchd.android.facts.policy import has_device_owner
from benchd.android.facts.properties import one_of, read_properties, required
from benchd.android.facts.settings import read_android_id, read_boot_count
from benchd.android.facts.sim import has_sim
from benchd.android.facts.storage import read_storage
from benchd.android.facts.superuser import LOOK_FOR_SUPERUSER, read_superuser_paths
from benchd.android.facts.trust import has_screen_lock
from benchd.android.facts.users import read_user_ids
from benchd.android.facts.volumes import has_removable_media
from benchd.android.shell.commands import Shell
from benchd.android.shell.script import Answer, run_script
from benchd.errors import AnswerNotRecognised, UnsupportedHandset
from benchd.words.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StorageFacts,
)

OLDEST_SDK: Final = 26
"""Android 8: what older ones answer, benchd doesn't know."""
SCRIPT_DEADLINE_S: Final = 60.0
"""Each of Android's own tools starts a virtual machine: a slow handset takes seconds for one."""

_PROPERTIES: Final = {"properties": "getprop"}
_IMEI: Final = {"imei": "service call iphonesubinfo 1 s16 com.android.shell"}
_SECOND_IMEI: Final = {
    # getDeviceIdForPhone is call 4 from Android 11 on, 3 before; the other one tells no IMEI.
    "second_imei": "service call iphonesubinfo 4 i32 1 s16 com.android.shell",
    "second_imei_before_11": "service call iphonesubinfo 3 i32 1 s16 com.android.shell",
}
_STORAGE: Final = {"usage": "df -k /data", "mounts": "cat /proc/mounts"}
_OWNERS: Final = {"accounts": "dumpsys account", "users": "pm list users"}
_RESET: Final = {
    "android_id": "settings get secure android_id",
    "boot_count": "settings get global boot_count",
    "packages": "pm list packages -3",
}
_LEFT: Final = {
    "files": COUNT_FILES,
    "calls": COUNT_CALLS,
    "contacts": COUNT_CONTACTS,
    "sms": COUNT_SMS,
    "mms": COUNT_MMS,
}
_BATTERY: Final = {"battery": "dumpsys battery"}
_STATE: Final = {
    **_BATTERY,
    "policy": "dumpsys device_policy",
    "trust": "dumpsys trust",
    "superuser": LOOK_FOR_SUPERUSER,
}

_PARTS: Final = {
    "features": "pm list features",
    # With what was removed for its user only: the chip doesn't go with the app.
    "all_packages": "pm list packages -u",
    "felica": LOOK_FOR_FELICA,
    "volumes": "sm list-volumes all",
    "disks": "sm list-disks",
}

_NFC: Final = {"setting": "settings get global nfc_on", "nfc": "dumpsys nfc"}

_TEST_HARNESS: Final = "persist.sys.test_harness"


async def read_identity(shell: Shell) -> HandsetIdentity:
    """Who the handset says it is."""
    answers = await _ask(shell, _PROPERTIES | _IMEI | _SECOND_IMEI)
    return _identity(read_properties(answers["properties"].required()), answers)


async def read_storage_facts(shell: Shell) -> StorageFacts:
    """The user storage as it is now."""
    answers = await _ask(shell, _STORAGE)
    return read_storage(answers["usage"].required(), answers["mounts"].required())


async def read_facts(shell: Shell) -> HandsetFacts:
    """All that the gates and the certificate need to know."""
    answers = await _ask(shell, _PROPERTIES | _IMEI | _SECOND_IMEI | _STORAGE)
    properties = read_properties(answers["properties"].required())
    _refuse_too_old(properties)
    answers |= await _ask(shell, _OWNERS | _STATE)
    answers |= await _ask(shell, _PARTS)
    battery = read_battery(answers["battery"].required())
    policy = answers["policy"].required()
    superuser = read_superuser_paths(answers["superuser"].required())
    user_ids = read_user_ids(answers["users"].required())
    features = read_features(answers["features"].required())
    packages = read_packages(answers["all_packages"].required())
    return HandsetFacts(
        identity=_identity(properties, answers),
        sdk=_sdk(properties),
        abi=required(properties, "ro.product.cpu.abi"),
        storage=read_storage(answers["usage"].required(), answers["mounts"].required()),
        battery_percent=battery.percent,
        battery_temperature_c=battery.temperature_c,
        crypto_state=crypto_state(properties, policy),
        crypto_type=crypto_type(properties),
        metadata_encryption=_flag(properties, "ro.crypto.metadata.enabled"),
        verified_boot_state=verified_boot_state(properties),
        bootloader_locked=bootloader_locked(properties),
        security_patch=security_patch(properties),
        modification_signs=modification_signs(properties, superuser),
        screen_lock=has_screen_lock(answers["trust"].required()),
        account_count=count_accounts(answers["accounts"].required(), user_ids),
        user_ids=user_ids,
        device_owner=has_device_owner(policy),
        felica_capable=felica_capable(
            features, packages, read_felica_directories(answers["felica"].required())
        ),
        jpki_capable=jpki_capable(features, packages),
        removable_media=has_removable_media(
            answers["volumes"].required(), answers["disks"].required()
        ),
        sim=has_sim(properties),
        telephony=can_telephone(features),
    )


async def read_battery_facts(shell: Shell) -> BatteryFacts:
    """How full and how warm the battery is now."""
    answers = await _ask(shell, _BATTERY)
    return read_battery(answers["battery"].required())


async def read_nfc_facts(shell: Shell) -> NfcFacts:
    """What the handset says of its radio; a refusal or an unknown form says nothing."""
    answers = await _ask(shell, _NFC)
    return read_nfc(*(answer.text if answer.status == 0 else "" for answer in answers.values()))


async def read_reset_facts(shell: Shell) -> ResetFacts:
    """The facts that only a reset changes, read afresh."""
    answers = await _ask(shell, _PROPERTIES | _STORAGE)
    answers |= await _ask(shell, _OWNERS | _RESET)
    left = await _ask(shell, _LEFT)
    rows = {name: read_row_count(answer.text) for name, answer in left.items()}
    properties = read_properties(answers["properties"].required())
    storage = read_storage(answers["usage"].required(), answers["mounts"].required())
    user_ids = read_user_ids(answers["users"].required())
    return ResetFacts(
        android_id=read_android_id(answers["android_id"].required()),
        account_count=count_accounts(answers["accounts"].required(), user_ids),
        user_ids=user_ids,
        used_bytes=storage.used_bytes,
        third_party_packages=count_packages(answers["packages"].required()),
        boot_count=read_boot_count(answers["boot_count"].required()),
        test_harness=_flag(properties, _TEST_HARNESS) is True,
        owner_files=read_file_count(left["files"].text),
        call_count=rows["calls"],
        contact_count=rows["contacts"],
        message_count=sum_of_known(rows["sms"], rows["mms"]),
    )


async def _ask(shell: Shell, commands: Mapping[str, str]) -> dict[str, Answer]:
    return await run_script(shell, commands, deadline_s=SCRIPT_DEADLINE_S)


def _identity(properties: Mapping[str, str], answers: Mapping[str, Answer]) -> HandsetIdentity:
    # A refusal is no fault: newer releases keep the IMEI from adb.
    imei, *more = (_imei(answers[asked]) for asked in (*_IMEI, *_SECOND_IMEI))
    return HandsetIdentity(
        serial=required(properties, "ro.serialno", "ro.boot.serialno"),
        manufacturer=required(properties, "ro.product.manufacturer", "ro.product.brand"),
        model=required(properties, "ro.product.model"),
        android=required(properties, "ro.build.version.release"),
        build=required(properties, "ro.build.display.id", "ro.build.id"),
        imei=imei,
        second_imei=next((other for other in more if other not in (None, imei)), None),
    )


def _imei(answer: Answer) -> str | None:
    return read_imei(answer.text) if answer.status == 0 else None


def _refuse_too_old(properties: Mapping[str, str]) -> None:
    if _sdk(properties) < OLDEST_SDK:
        model = required(properties, "ro.product.model")
        release = required(properties, "ro.build.version.release")
        raise UnsupportedHandset(f"{model} with Android {release}: Android 8 is the oldest known")


def _sdk(properties: Mapping[str, str]) -> int:
    value = required(properties, "ro.build.version.sdk")
    if not (value.isascii() and value.isdigit() and len(value) <= 4):
        raise AnswerNotRecognised("getprop: ro.build.version.sdk is no number")
    return int(value)


def _flag(properties: Mapping[str, str], name: str) -> bool | None:
    value = one_of(properties, name, "true", "false", "1", "0")
    return None if value is None else value in ("true", "1")
