"""What benchd makes of a dossier, by the very code that inspects a handset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from benchd.android.facts.answers import Answers, NotAsked
from benchd.android.facts.reset_reading import ResetReading
from benchd.android.shell.script import Answer
from benchd.errors import AnswerNotRecognised
from benchd.proof.standing import refusals
from benchd.words.handset import ModificationSource, UserKind
from benchd.words.job import Reason

T = TypeVar("T")

Fact = str | int | float | bool | tuple[str, ...] | tuple[int, ...] | None

FACTS: Final[Mapping[str, Callable[[ResetReading], Fact]]] = {
    "serial": lambda reading: reading.serial,
    "manufacturer": lambda reading: reading.manufacturer,
    "model": lambda reading: reading.model,
    "android": lambda reading: reading.android,
    "build": lambda reading: reading.build,
    "imei": lambda reading: reading.imei,
    "second_imei": lambda reading: reading.second_imei,
    "sdk": lambda reading: reading.sdk,
    "abi": lambda reading: reading.abi,
    "capacity_bytes": lambda reading: reading.storage.capacity_bytes,
    "used_bytes": lambda reading: reading.storage.used_bytes,
    "free_bytes": lambda reading: reading.storage.free_bytes,
    "statfs_capacity_bytes": lambda reading: reading.storage.statfs_capacity_bytes,
    "statfs_free_bytes": lambda reading: reading.storage.statfs_free_bytes,
    "file_system": lambda reading: reading.storage.file_system,
    "battery_percent": lambda reading: reading.battery_percent,
    "battery_temperature_c": lambda reading: reading.battery_temperature_c,
    "crypto_state": lambda reading: reading.crypto_state,
    "crypto_type": lambda reading: reading.crypto_type,
    "metadata_encryption": lambda reading: reading.metadata_encryption,
    "verified_boot_state": lambda reading: reading.verified_boot_state,
    "bootloader_locked": lambda reading: reading.bootloader_locked,
    "security_patch": lambda reading: reading.security_patch,
    "modification_signs": lambda reading: reading.modification_signs,
    "modification_sources": lambda reading: reading.modification_sources,
    "screen_lock": lambda reading: reading.screen_lock,
    "account_count": lambda reading: reading.accounts.account_count,
    "maker_accounts": lambda reading: reading.accounts.maker_accounts,
    "maker_account_types": lambda reading: reading.accounts.maker_account_types,
    "unknown_account_types": lambda reading: reading.accounts.unknown_account_types,
    "frp_account_types": lambda reading: reading.accounts.frp_account_types,
    "user_ids": lambda reading: reading.user_ids,
    "user_kinds": lambda reading: reading.user_kinds,
    "device_owner": lambda reading: reading.device_owner,
    "felica_capable": lambda reading: reading.felica_capable,
    "jpki_capable": lambda reading: reading.jpki_capable,
    "removable_media": lambda reading: reading.removable_media,
    "sim": lambda reading: reading.sim,
    "sim_slots": lambda reading: reading.sim_slots,
    "sim_lock": lambda reading: reading.sim_lock,
    "sim_lock_source": lambda reading: reading.sim_lock_source,
    "frp_armed": lambda reading: reading.frp_armed,
    "telephony": lambda reading: reading.telephony,
    "android_id": lambda reading: reading.android_id,
    "boot_count": lambda reading: reading.boot_count,
    "up_s": lambda reading: reading.up_s,
    "third_party_packages": lambda reading: reading.third_party_packages,
    "preinstalled": lambda reading: tuple(
        f"{package.place}={package.name}" for package in reading.preinstalled
    ),
    "test_harness": lambda reading: reading.test_harness,
    "owner_files": lambda reading: reading.owner_files,
    "call_count": lambda reading: reading.call_count,
    "contact_count": lambda reading: reading.contact_count,
    "message_count": lambda reading: reading.message_count,
    "nfc_on": lambda reading: reading.nfc.nfc_on,
    "screen_on": lambda reading: reading.nfc.screen_on,
    "unlocked": lambda reading: reading.nfc.unlocked,
}
"""Under the names of the fields that inspection and reset put on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that benchd doesn't understand."""

    command: str
    """The question's name."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """All that a dossier tells."""

    facts: Mapping[str, Fact]
    """None where the handset doesn't say, where it wasn't asked, or where it was refused."""
    missing: tuple[str, ...]
    """The names of questions whose answers aren't there."""
    refused: tuple[Refusal, ...]
    findings: tuple[Reason, ...]
    """The gates that this handset would meet, as far as the facts tell."""


def replay(told: Mapping[str, Answer]) -> Replay:
    """Read every fact by itself: what one answer hides mustn't hide the others."""
    answers = Answers(told)
    reading = ResetReading(answers)
    facts = {name: _known(partial(read, reading)) for name, read in FACTS.items()}
    refused = tuple(Refusal(command=name, why=why) for name, why in answers.refused.items())
    return Replay(
        facts=facts,
        missing=answers.missing,
        refused=refused,
        findings=tuple(dict.fromkeys((*_findings(reading), *answers.reasons))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    modification_signs: tuple[str, ...] | None
    modification_sources: tuple[ModificationSource, ...] | None
    device_owner: bool | None
    account_count: int | None
    unknown_account_types: tuple[str, ...] | None
    frp_account_types: tuple[str, ...] | None
    user_ids: tuple[int, ...] | None
    user_kinds: tuple[UserKind, ...] | None
    screen_lock: bool | None
    removable_media: bool | None
    frp_armed: bool | None
    sim: bool | None


def _findings(reading: ResetReading) -> Iterator[Reason]:
    standing = _Standing(
        modification_signs=_known(lambda: reading.modification_signs),
        modification_sources=_known(lambda: reading.modification_sources),
        device_owner=_known(lambda: reading.device_owner),
        account_count=_known(lambda: reading.accounts.account_count),
        unknown_account_types=_known(lambda: reading.accounts.unknown_account_types),
        frp_account_types=_known(lambda: reading.accounts.frp_account_types),
        user_ids=_known(lambda: reading.user_ids),
        user_kinds=_known(lambda: reading.user_kinds),
        screen_lock=_known(lambda: reading.screen_lock),
        removable_media=_known(lambda: reading.removable_media),
        frp_armed=_known(lambda: reading.frp_armed),
        sim=_known(lambda: reading.sim),
    )
    yield from (reason for reason, _ in refusals(standing))


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (NotAsked, AnswerNotRecognised):
        return None
