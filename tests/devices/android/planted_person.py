"""A handset whose every answer holds something of its owner: made up, of every kind there is."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from random import Random

from handset_fakes import answer
from hypothesis import strategies as st

from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.shell.script import Answer
from benchd.domain.imei import is_imei
from benchd.lab.simulator.answers import parcel_dump

WHOLE: Mapping[str, str] = {
    "properties": answer("getprop-8.0-samsung"),
    "imei": answer("imei-10"),
    "second_imei": answer("imei-16-null"),
    "second_imei_before_11": answer("imei-16-null"),
    "usage": answer("df-9"),
    "mounts": answer("mounts-7-ext4"),
    "statfs": answer("statfs-9"),
    "accounts": answer("account-8-one"),
    "users": answer("users-8-one"),
    "android_id": "1122334455667788\n",
    "boot_count": "31\n",
    "frp_global": "1\n",
    "frp_secure": "null\n",
    "uptime": "214.07 803.51\n",
    "packages": answer("packages-12"),
    "files": "/whole\n12\n",
    "calls": "Row: 0 _id=1\n",
    "contacts": "No result found.\n",
    "sms": "No result found.\n",
    "mms": "No result found.\n",
    "battery": answer("battery-8-samsung"),
    "health": (
        "cycle count: 211\n\ngetHealthInfo -> HealthInfo{batteryPresent: true,"
        " batteryCycleCount: 211, batteryFullChargeUah: 2714000,"
        " batteryFullChargeDesignCapacityUah: 3000000, batteryHealthData: (null)}\n"
    ),
    "health_before_9": "cycle count: 211\nFull charge: 2714000\n",
    "gauges": (
        "/sys/class/power_supply/battery/type=Battery\n"
        "/sys/class/power_supply/battery/cycle_count=211\nlooked everywhere\n"
    ),
    "policy": answer("policy-8-none"),
    "trust": answer("trust-16-open"),
    "superuser": "looked everywhere\n",
    "features": answer("features-15-wallet"),
    "all_packages": answer("packages-15-wallet"),
    "felica": "/system/etc/felica\nlooked everywhere\n",
    "volumes": answer("volumes-12-card"),
    "disks": "disk:179,64\n",
    "setting": "1\n",
    "nfc": answer("nfc-13-on-unlocked"),
}
"""An answer that benchd understands for every question that it asks."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """What can tell whose a handset was."""

    serial: str
    imei: str
    second_imei: str
    android_id: str
    mail: str
    account: str
    user: str
    japanese: str
    phone: str
    subscriber: str
    card: str
    mac: str
    ssid: str
    hostname: str
    bluetooth: str
    file: str

    @property
    def values(self) -> tuple[str, ...]:
        return astuple(self)


def luhn(body: str) -> str:
    return next(body + digit for digit in "0123456789" if is_imei(body + digit))


def person_of(seed: int) -> Person:
    """Somebody whose values can't be taken for marks, nor for parts of anything else."""
    draw = Random(seed)

    def of(alphabet: str, length: int) -> str:
        return "".join(draw.choices(alphabet, k=length))

    serials = (
        of(_CAPITALS + _DIGITS, draw.randint(8, 16)),
        of(_HEX, draw.randint(8, 16)),
        of(_DIGITS, draw.randint(9, 15)),
    )
    mac = of(_HEX, 12)
    return Person(
        serial=draw.choice(serials),
        imei=luhn("35" + of(_DIGITS, 12)),
        second_imei=luhn("86" + of(_DIGITS, 12)),
        android_id=of(_HEX, 16),
        mail=f"{of(_SMALL, 6)}.{of(_SMALL, 5)}@{of(_SMALL, 7)}.{draw.choice(('com', 'ne.jp'))}",
        account=f"{of(_SMALL, 7)} {of(_DIGITS, 5)}",
        user=f"{of(_SMALL, 6).title()} {of(_SMALL, 8).title()}",
        japanese=of("田中山本佐藤鈴木花子太郎美咲", draw.randint(4, 6)),
        phone=f"090{of(_DIGITS, 8)}",
        subscriber=f"44010{of(_DIGITS, 10)}",
        card=f"8981{of(_DIGITS, 15)}",
        mac=":".join(mac[place : place + 2] for place in range(0, 12, 2)),
        ssid=f"{of(_SMALL, 8)}-net 5G",
        hostname=f"android-{of(_HEX, 16)}",
        bluetooth=f"{of(_SMALL, 8)}'s phone",
        file=f"{of(_SMALL, 8)} in Kyoto.jpg",
    )


_DIGITS, _HEX = "0123456789", "0123456789abcdef"
_CAPITALS, _SMALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "qwertzuiopysdfghjklxcvnm"

PEOPLE = st.integers(min_value=0, max_value=2**32).map(person_of)


def handset_of(person: Person) -> dict[str, Answer]:
    """All answers, each personal value where Android puts it."""
    texts = dict(WHOLE)
    texts["properties"] = _properties(person)
    texts["imei"], texts["second_imei"] = _parcel(person.imei), _parcel(person.second_imei)
    texts["android_id"] = f"{person.android_id}\n"
    texts["users"] = (
        f"Users:\n\tUserInfo{{0:{person.user}:c13}} running\n"
        f"\tUserInfo{{10:{person.japanese}:30}}\n"
    )
    texts["accounts"] = _accounts(person)
    texts["trust"] = (
        WHOLE["trust"] + f' User "{person.japanese}" (id=10, flags=0x30): deviceLocked=1\n'
    )
    texts["policy"] += f"    organizationName={person.user} {person.japanese}\n"
    return told(texts)


def told(texts: Mapping[str, str]) -> dict[str, Answer]:
    return {
        name: Answer(command=QUESTIONS[name], status=0, text=text) for name, text in texts.items()
    }


def note_of(person: Person) -> str:
    """A line that has it all, inside other words, as no parser expects it."""
    return (
        f"x{person.serial}y imei={person.imei};{person.second_imei}01 id({person.android_id})"
        f" <{person.mail}> [{person.account}] {person.user}, {person.japanese}さん"
        f" tel:{person.phone} {person.subscriber}/{person.card} wlan0 {person.mac}"
        f" {person.mac.replace(':', '').upper()}"
        f' SSID: "{person.ssid}" on {person.hostname}.local "{person.bluetooth}"'
        f" /storage/emulated/0/DCIM/{person.file}\n"
    )


def _properties(person: Person) -> str:
    kept = [
        line
        for line in WHOLE["properties"].splitlines()
        if "serialno" not in line and "net.hostname" not in line
    ]
    own = {
        "ro.serialno": person.serial,
        "ro.boot.serialno": person.serial,
        "ro.ril.oem.imei": person.imei,
        "ro.boot.wifimacaddr": person.mac.replace(":", ""),
        "net.hostname": person.hostname,
        "persist.bluetooth.name": person.bluetooth,
        "persist.wifi.ssid": person.ssid,
        "gsm.sim.iccid": person.card,
        "gsm.sim.imsi": person.subscriber,
        "ril.msisdn": person.phone,
        "ro.boot.dump": f"{person.serial.lower()}/{person.file}",
        "debug.last": f"/sdcard/Download/{person.file}",
    }
    return "\n".join([*kept, *(f"[{name}]: [{value}]" for name, value in own.items())]) + "\n"


def _accounts(person: Person) -> str:
    part = (
        "User UserInfo{{{number}:{name}:c13}}:\n  Accounts: {count}\n{accounts}\n"
        "  RegisteredServicesCache: 0 services\n  Account visibility:\n{accounts}\n"
    )
    names = {"com.google": person.mail, "com.example.chat": person.account}
    accounts = "".join(
        f"    Account {{name={name}, type={type_}}}\n" for type_, name in names.items()
    )
    return part.format(number=0, name=person.user, count=2, accounts=accounts) + part.format(
        number=10, name=person.japanese, count=0, accounts=""
    )


def _parcel(number: str) -> str:
    encoded = number.encode("utf-16-le") + b"\0\0"
    padded = encoded + bytes(-len(encoded) % 4)
    return parcel_dump(struct.pack("<ii", 0, len(number)) + padded)
