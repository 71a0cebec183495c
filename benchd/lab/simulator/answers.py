"""All that a virtual handset's Android tools answer, as texts, made anew after each change."""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchd.devices.android.facts.fact_table import LEFT, OWNERS, QUESTIONS, RESET, STORAGE_TWICE
from benchd.lab.simulator import dumps
from benchd.lab.simulator.android import AndroidState, properties
from benchd.lab.simulator.plan import GivenAnswer, HandsetPlan

NEVER_GIVEN: Final = frozenset({*STORAGE_TWICE, "uptime", "files", "superuser", "felica", "gauges"})
"""Storage, files and its last start have to be true; what looks for places finds those that are."""
_UNTIL_A_RESET: Final = frozenset({*OWNERS, *RESET, *LEFT, "policy", "trust"})
_OWN_PROPERTIES: Final = ("ro.product.cpu.abi", "ro.product.cpu.abilist")
_PROPERTY: Final = re.compile(r"^\[([^\[\]\n]+)\]: \[([^\n]*)\]\r?$", re.MULTILINE)

Asked = tuple[str, str]


def given_answers(
    given: Mapping[str, GivenAnswer], own: Mapping[str, str], *, was_reset: bool
) -> Mapping[Asked, Answer]:
    """By tool and arguments: what the handset says with another one's words.

    `own` are its own properties, of which it needs some.
    """
    left_out = NEVER_GIVEN | _UNTIL_A_RESET if was_reset else NEVER_GIVEN
    said: dict[Asked, Answer] = {}
    for name, answer in given.items():
        if name in left_out:
            continue
        text = _with_own(answer.text, own) if name == "properties" else answer.text
        said[asked_as(QUESTIONS[name])] = Answer(text=text, status=answer.status)
        if name == "properties":
            said |= {
                ("getprop", key): Answer(text=f"{value}\n")
                for key, value in _PROPERTY.findall(text)
            }
    return said


def asked_as(command: str) -> Asked:
    """A command as the virtual tools look for its answer."""
    tool, _, arguments = command.partition(" ")
    if tool == "content":
        # By provider, as the tool itself looks for it.
        return tool, arguments.partition("content://")[2].partition("/")[0].partition(" ")[0]
    return tool, arguments.removesuffix("/default") or "all"


def _with_own(text: str, own: Mapping[str, str]) -> str:
    """With what native programs need to run here, and with the mark of its own last reset."""
    mark = "persist.sys.test_harness"
    needed = {name: own[name] for name in (*_OWN_PROPERTIES, mark) if name in own}

    def line(found: re.Match[str]) -> str:
        return f"[{found[1]}]: [{needed.pop(found[1], found[2])}]"

    replaced = _PROPERTY.sub(line, text)
    if mark not in needed:
        return replaced
    return f"{replaced.removesuffix(chr(10))}\n[{mark}]: [{needed[mark]}]\n"


_LAST_TO_TELL_IMEI: Final = 33
"""Android 13: from 14 on the shell is refused device identifiers."""
_SECURITY_EXCEPTION: Final = -1
_BYTES_PER_LINE: Final = 16

_SYSTEM_PACKAGES: Final = (
    "android",
    "com.android.providers.settings",
    "com.android.settings",
    "com.android.shell",
    "com.android.systemui",
    "com.google.android.gms",
    "com.google.android.setupwizard",
)
_FEATURES: Final = (
    "reqGlEsVersion=0x30002",
    "android.hardware.camera",
    "android.hardware.nfc",
    "android.hardware.nfc.hce",
    "android.hardware.telephony",
    "android.software.device_admin",
    "android.software.verified_boot",
)
_OWNERS_PLACE: Final = (
    "/data/app/~~bt-GwgDT0B0WlSsvXrZynw==/{name}-Vgj7nt0khQox6qBv7ngwMQ==/base.apk"
)
_CLOSED: Final = """
Exception occurred while executing 'list':
java.lang.SecurityException: Shell does not have permission to access user {number}
 com.android.server.am.ActivityManagerService.handleIncomingUser:14983
"""
"""What `pm` makes of a user that is closed, where it isn't asked for another one."""
_FRP_IS_TOLD_FROM: Final = 35
_CARD: Final = "disk:179,64"
_CARD_NUMBERS: Final = "179,65"
_FELICA_PACKAGES: Final = (
    "com.felicanetworks.mfc",
    "com.felicanetworks.mfm.main",
    "com.felicanetworks.mfs",
)
_FELICA_FEATURES: Final = ("android.hardware.nfc.hcef", "android.hardware.se.omapi.ese")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a tool prints, on stderr when its exit status isn't 0."""

    text: str
    status: int = 0


def answers(
    plan: HandsetPlan, state: AndroidState, *, battery_percent: int | None = None
) -> Mapping[tuple[str, str], Answer]:
    """By tool and arguments; `all` stands for none. The battery is the plan's unless told."""
    percent = plan.battery_percent if battery_percent is None else battery_percent
    values = properties(plan, state)
    system = (*_SYSTEM_PACKAGES, *(_FELICA_PACKAGES if plan.felica else ()))
    features = (*_FEATURES, *(_FELICA_FEATURES if plan.felica else ()))
    of_questions = {
        "properties": "".join(f"[{key}]: [{value}]\n" for key, value in values.items()),
        "imei": _device_id(plan),
        "accounts": dumps.accounts(plan, state),
        "users": dumps.users_listed(plan, state),
        "android_id": f"{state.android_id}\n",
        "boot_count": f"{state.boot_count}\n",
        "frp_global": "0\n" if plan.model.sdk >= _FRP_IS_TOLD_FROM else "null\n",
        "frp_secure": "null\n",
        "packages": (
            _packages_with_places(plan.maker_packages, "/oem/deletable-app/{name}/{name}.apk")
            + _packages_with_places(state.packages, _OWNERS_PLACE)
        ),
        "calls": _rows(state.calls),
        "contacts": _rows(state.contacts),
        "sms": _rows(state.messages),
        "mms": _rows(0),
        "battery": dumps.battery(plan, percent),
        "health": dumps.health(plan),
        "health_before_9": "",
        "policy": dumps.device_policy(plan, state),
        "trust": dumps.trust(plan, state),
        "features": "".join(f"feature:{name}\n" for name in features),
        "all_packages": _packages((*system, *state.packages)),
        "volumes": _volumes(plan),
        "disks": f"{_CARD}\n" if plan.memory_card else "",
        "setting": f"{int(state.nfc_on)}\n",
        "nfc": dumps.nfc(plan, state),
    }
    texts = {
        **{asked_as(QUESTIONS[name]): text for name, text in of_questions.items()},
        **{("getprop", key): f"{value}\n" for key, value in values.items()},
        ("settings", "get global adb_enabled"): "1\n",
        ("settings", "get global device_provisioned"): "1\n",
        ("settings", "get global stay_on_while_plugged_in"): f"{state.stay_on}\n",
        ("settings", "get --user 0 secure user_setup_complete"): "1\n",
        ("dumpsys", "user"): dumps.user_service(plan, state),
        ("pm", "list packages"): _packages((*system, *state.packages)),
        ("pm", "list packages -3"): _packages((*plan.maker_packages, *state.packages)),
        ("service", "iphonesubinfo"): "",
        ("service", "call iphonesubinfo 1"): _device_id(plan),
    }
    found = {asked: Answer(text=text) for asked, text in texts.items()}
    closed = next((user for user in state.users if user.closed), None)
    if closed is not None:
        for asked in ("list packages", "list packages -3"):
            found["pm", asked] = Answer(text=_CLOSED.format(number=closed.number), status=255)
    # TelephonyShellCommand.handleGetImei lets only root on a debuggable build through.
    refused = Answer(text="Device IMEI: Permission denied.\n", status=255)
    found["cmd", "phone get-imei 0"] = found["cmd", "phone get-imei"] = refused
    return {**found, **given_answers(plan.given, values, was_reset=state.was_reset)}


def write_answers(folder: Path, number: int, found: Mapping[tuple[str, str], Answer]) -> None:
    """Put all answers in place at once: whoever asks gets the old ones or the new ones."""
    fresh = folder / f"answers-{number}"
    for (tool, arguments), answer in found.items():
        place = fresh / tool / arguments
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(answer.text)
        if answer.status != 0:
            place.with_name(place.name + ".status").write_text(f"{answer.status}\n")
    link = folder / "answers.new"
    link.symlink_to(fresh.name)
    link.replace(folder / "answers")
    # The last ones stay for tools that are just reading them.
    shutil.rmtree(folder / f"answers-{number - 2}", ignore_errors=True)


def _packages(names: tuple[str, ...]) -> str:
    return "".join(f"package:{name}\n" for name in names)


def _packages_with_places(names: tuple[str, ...], place: str) -> str:
    """With `-f` the place comes first, in folders whose names may hold the sign after it."""
    return "".join(f"package:{place.format(name=name)}={name}\n" for name in names)


def _rows(count: int) -> str:
    """Content.QueryCommand: what the projection `_id` shows of so many rows."""
    rows = "".join(f"Row: {number} _id={number + 1}\n" for number in range(count))
    return rows or "No result found.\n"


def _volumes(plan: HandsetPlan) -> str:
    """Sm.runListVolumes: what vold calls a volume, its state and its file system's UUID."""
    card = [f"public:{_CARD_NUMBERS} mounted 3080-17E8"] if plan.memory_card else []
    return "\n".join(["private mounted null", *card, "emulated;0 mounted null"]) + "\n"


def _device_id(plan: HandsetPlan) -> str:
    """What `service call iphonesubinfo 1` prints: the parcel of IPhoneSubInfo.getDeviceId."""
    if plan.model.sdk <= _LAST_TO_TELL_IMEI:
        return parcel_dump(struct.pack("<i", 0) + _string16(plan.imei))
    message = (
        "getDeviceId: The user 2000 does not meet the requirements to access device identifiers."
    )
    return parcel_dump(
        struct.pack("<i", _SECURITY_EXCEPTION) + _string16(message) + struct.pack("<i", 0)
    )


def _string16(text: str) -> bytes:
    """A string as Parcel.writeString16 stores it: length, UTF-16, a zero, padded to words."""
    encoded = text.encode("utf-16-le") + b"\0\0"
    return struct.pack("<i", len(text)) + encoded + bytes(-len(encoded) % 4)


def parcel_dump(data: bytes) -> str:
    """The dump that `service` prints (libs/binder, HexDump); compared with real ones."""
    lines: list[str] = []
    for start in range(0, len(data), _BYTES_PER_LINE):
        piece = data[start : start + _BYTES_PER_LINE]
        words = "".join(f" {word:08x}" for (word,) in struct.iter_unpack("<I", piece))
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"  0x{start:08x}:{words:<36} '{letters:<16}'")
    return "Result: Parcel(\n" + "\n".join(lines) + ")\n"
