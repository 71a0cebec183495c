"""All that benchd ever asks a handset about itself: a name for each command, reading ones only.

The names are those of a dossier's files. Nothing that a handset said goes into a command.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.android.facts.capability import LOOK_FOR_FELICA
from benchd.android.facts.owner import (
    COUNT_CALLS,
    COUNT_CONTACTS,
    COUNT_FILES,
    COUNT_MMS,
    COUNT_SMS,
)
from benchd.android.facts.statfs import ASK_STATFS
from benchd.android.facts.superuser import LOOK_FOR_SUPERUSER

QUESTIONS: Final[Mapping[str, str]] = {
    "properties": "getprop",
    "imei": "service call iphonesubinfo 1 s16 com.android.shell",
    # getDeviceIdForPhone is call 4 from Android 11 on, 3 before; the other one tells no IMEI.
    "second_imei": "service call iphonesubinfo 4 i32 1 s16 com.android.shell",
    "second_imei_before_11": "service call iphonesubinfo 3 i32 1 s16 com.android.shell",
    "usage": "df -k /data",
    "mounts": "cat /proc/mounts",
    "statfs": ASK_STATFS,
    "accounts": "dumpsys account",
    "users": "pm list users",
    "android_id": "settings get --user 0 secure android_id",
    "boot_count": "settings get --user 0 global boot_count",
    "frp_global": "settings get --user 0 global secure_frp_mode",
    "frp_secure": "settings get --user 0 secure secure_frp_mode",
    "uptime": "cat /proc/uptime",
    # Without its user, `pm` throws wherever another user is closed to the shell.
    "packages": "pm list packages -3 -f --user 0",
    "files": COUNT_FILES,
    "calls": COUNT_CALLS,
    "contacts": COUNT_CONTACTS,
    "sms": COUNT_SMS,
    "mms": COUNT_MMS,
    "battery": "dumpsys battery",
    "policy": "dumpsys device_policy",
    "trust": "dumpsys trust",
    "superuser": LOOK_FOR_SUPERUSER,
    "features": "pm list features",
    # With what was removed for its user only: the chip doesn't go with the app.
    "all_packages": "pm list packages -u --user 0",
    "felica": LOOK_FOR_FELICA,
    "volumes": "sm list-volumes all",
    "disks": "sm list-disks",
    "setting": "settings get --user 0 global nfc_on",
    "nfc": "dumpsys nfc",
}

IDENTITY: Final = ("properties", "imei", "second_imei", "second_imei_before_11")
STORAGE: Final = ("usage", "mounts")
STORAGE_TWICE: Final = (*STORAGE, "statfs")
"""By two programs that have to agree: at rest only, since what is free changes under a fill."""
OWNERS: Final = ("accounts", "users")
RESET: Final = ("android_id", "boot_count", "uptime", "packages")
LEFT: Final = ("files", "calls", "contacts", "sms", "mms")
BATTERY: Final = ("battery",)
LOCKS: Final = ("policy", "trust", "superuser", "frp_global", "frp_secure")
STATE: Final = (*BATTERY, *LOCKS)
DISKS: Final = ("volumes", "disks")
PARTS: Final = ("features", "all_packages", "felica", *DISKS)
STANDING: Final = (*OWNERS, *LOCKS, *DISKS)
"""With the identity, all that the gates refuse by."""
SIM: Final = ("properties",)
NFC: Final = ("setting", "nfc")
