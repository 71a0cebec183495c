"""The same damage in one of a handset's answers, and what each fact that rests on it says then.

Every question and every fact is in here: a new one fails until somebody has said what a cleaner
value of it would be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from damage import (
    ANY,
    NUMBER,
    PROPERTIES,
    UNKNOWN,
    WITHIN_LINES,
    Damage,
    as_in_dos,
    cut,
    double,
    drop_lines,
    ruin,
)
from planted_person import WHOLE

from benchd.devices.android.facts.answers import Answers, NotAsked
from benchd.devices.android.facts.fact_table import FACTS, QUESTIONS, Reading
from benchd.devices.android.facts.protection import ENCRYPTED
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised

Dirt = Callable[[Reading, Reading], int]
"""Of a damaged reading beside the whole one; less than of the whole one itself is cleaner."""

DAMAGES: Final[Mapping[str, tuple[Damage, ...]]] = {
    "properties": PROPERTIES,
    **dict.fromkeys(("android_id", "boot_count", "uptime", "files", "setting"), NUMBER),
    **dict.fromkeys(
        ("users", "packages", "calls", "contacts", "sms", "mms", "superuser"),
        WITHIN_LINES,
    ),
    # Part of a name is another name, and an absence is a sign of its own.
    **dict.fromkeys(("features", "all_packages", "felica"), (ruin, double, as_in_dos)),
    **dict.fromkeys(("volumes", "disks"), WITHIN_LINES),
    # Part of a package's name is another package's.
    "policy": (cut, drop_lines, ruin, double, as_in_dos),
    **dict.fromkeys(("imei", "second_imei", "second_imei_before_11"), ANY),
    **dict.fromkeys(("usage", "mounts", "statfs", "accounts"), ANY),
    **dict.fromkeys(("frp_global", "frp_secure", "battery", "trust", "nfc"), ANY),
    **dict.fromkeys(("health", "health_before_9", "gauges"), ANY),
}
"""What may come to the answer of each question so that somebody could still see it."""


def _says(wanted: object) -> Callable[[str], Dirt]:
    """Clean is this value alone."""
    return lambda name: lambda told, _whole: int(getattr(told, name) != wanted)


def _armed(name: str) -> Dirt:
    """Dirty is True alone: handsets that don't tell are asked about in another way."""
    return lambda told, _whole: int(getattr(told, name) is True)


def _absent(name: str) -> Dirt:
    """Clean is False alone: it is what lets something pass, and has to be said."""
    return lambda told, _whole: int(getattr(told, name) is not False)


def _count(name: str) -> Dirt:
    """More is dirtier, and what nobody knows the dirtiest."""

    def dirt(told: Reading, _whole: Reading) -> int:
        found = getattr(told, name)
        if found is None:
            return UNKNOWN
        return found if isinstance(found, int) else len(found)

    return dirt


def _same(name: str) -> Dirt:
    """Another value than the handset's own is a lie, whichever it is."""
    return lambda told, whole: 0 if getattr(told, name) == getattr(whole, name) else -1


def _same_or_untold(name: str) -> Dirt:
    """The same, but it may say nothing."""

    def dirt(told: Reading, whole: Reading) -> int:
        found = getattr(told, name)
        return 0 if found is None or found == getattr(whole, name) else -1

    return dirt


def _no_order(name: str) -> Dirt:
    """Nothing is decided by which value it is: it only has to be one, or a refusal."""

    def dirt(told: Reading, _whole: Reading) -> int:
        getattr(told, name)
        return 0

    return dirt


def _beyond_a_picture(_name: str) -> Dirt:
    """What a picture of all that lies on the system's partitions leaves over."""
    return lambda told, whole: (
        told.third_party_packages - len(set(whole.preinstalled).intersection(told.preinstalled))
    )


def _all_accounts(_name: str) -> Dirt:
    """A maker's own that isn't known for one any more is a person's."""
    return lambda told, _whole: told.account_count + told.maker_accounts


_KINDS: Final[Mapping[Callable[[str], Dirt], tuple[str, ...]]] = {
    _no_order: (
        *(
            "serial",
            "manufacturer",
            "model",
            "android",
            "build",
            "abi",
            "file_system",
            "security_patch",
        ),
        *("battery_percent", "battery_temperature_c", "modification_sources"),
        *("battery_health_percent", "battery_health_method"),
        *("battery_cycles", "battery_cycles_method"),
        *("maker_account_types", "unknown_account_types", "frp_account_types", "user_kinds"),
        *("jpki_capable", "sim_slots", "sim_lock", "sim_lock_source", "test_harness"),
    ),
    _same: ("sdk", "capacity_bytes", "free_bytes", "android_id"),
    _same_or_untold: (
        *("imei", "second_imei", "statfs_capacity_bytes", "statfs_free_bytes", "crypto_type"),
        *("up_s", "nfc_on", "screen_on"),
    ),
    _count: (
        *("used_bytes", "modification_signs", "account_count", "user_ids", "lock_admins"),
        *("third_party_packages", "boot_count", "owner_files", "call_count", "contact_count"),
        "message_count",
    ),
    _all_accounts: ("maker_accounts",),
    _beyond_a_picture: ("preinstalled",),
    _says(ENCRYPTED): ("crypto_state",),
    _says("green"): ("verified_boot_state",),
    # ON_UNLOCKED without its UN is a state of its own: one more cause of a silent chip.
    _says(True): ("bootloader_locked", "metadata_encryption", "unlocked"),
    _says(False): ("screen_lock", "device_owner", "removable_media", "sim"),
    _armed: ("frp_armed",),
    _absent: ("felica_capable", "telephony"),
}
DIRT: Final[Mapping[str, Dirt]] = {
    name: kind(name) for kind, names in _KINDS.items() for name in names
}
"""Of every fact."""


class _Traced(Answers):
    """Remembers which questions were read."""

    def __init__(self, told: Mapping[str, Answer]) -> None:
        super().__init__(told)
        self.asked: set[str] = set()

    def _answer(self, name: str) -> Answer | None:
        self.asked.add(name)
        return super()._answer(name)


def reading(question: str = "", text: str = "") -> tuple[Reading, _Traced]:
    """The whole handset, one of its answers replaced."""
    told = {**WHOLE, **({question: text} if question else {})}
    answers = _Traced(
        {name: Answer(command=QUESTIONS[name], status=0, text=said) for name, said in told.items()}
    )
    return Reading(answers), answers


@cache
def resting_on(question: str) -> tuple[str, ...]:
    """The facts that an answer has a part in."""
    found: list[str] = []
    for name in FACTS:
        told, answers = reading()
        getattr(told, name)
        if question in answers.asked:
            found.append(name)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """The answer to one question, and what its facts say of any text in its place."""

    question: str

    @property
    def text(self) -> str:
        return WHOLE[self.question]

    @property
    def damages(self) -> tuple[Damage, ...]:
        return DAMAGES[self.question]

    def dirt(self, text: str) -> dict[str, int]:
        """Of each fact that rests on it; a refusal is never clean."""
        told, whole = reading(self.question, text)[0], _whole()
        found: dict[str, int] = {}
        for name in resting_on(self.question):
            try:
                found[name] = DIRT[name](told, whole)
            except (AnswerNotRecognised, NotAsked):
                found[name] = UNKNOWN
        return found


@cache
def _whole() -> Reading:
    return reading()[0]
