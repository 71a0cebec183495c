"""What a handset's programs tell of its truth, and what a fill really changes in it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Final

from benchd.devices.android.fill.keystream import AES_COUNTER
from benchd.domain.fill import FilledFile, FillReport
from benchd.domain.handset import HandsetFacts, HandsetIdentity, ModificationSource
from benchd.lab.adversity.kinds import Lie
from benchd.lab.adversity.truth import CAPACITY_BYTES, GIB, SIGNS, SYSTEM_EXTENTS, HeldFile, Truth
from benchd.lab.usual_handset import USUAL

STEPS: Final = 5
STEP_S: Final = 20.0
TAIL_EXTENTS: Final = 2
_WRONG_IMEI: Final = "490154203237518"
"""The example of 3GPP TS 23.003: nobody's."""


def identity_of(truth: Truth) -> HandsetIdentity:
    """Who it says it is."""
    told = _WRONG_IMEI if truth.lie is Lie.IMEI else truth.imei
    return HandsetIdentity(
        serial=truth.serial,
        manufacturer="Sony",
        model=truth.model,
        android="13",
        build="TQ2A",
        imei=told if truth.tells_imei and truth.telephony else None,
        second_imei=truth.second_imei if truth.tells_second and truth.telephony else None,
    )


def facts_of_truth(truth: Truth) -> HandsetFacts:
    """All that its system says of it."""
    return replace(
        USUAL,
        **asdict(identity_of(truth)),
        capacity_bytes=CAPACITY_BYTES,
        used_bytes=used_bytes_of(truth),
        free_bytes=CAPACITY_BYTES - used_bytes_of(truth),
        verified_boot_state="orange" if truth.open_boot else "green",
        bootloader_locked=not truth.open_boot,
        modification_signs=signs_of(truth),
        modification_sources=sources_of(truth),
        screen_lock=truth.accounts > 0,
        account_count=truth.accounts,
        maker_accounts=truth.maker_accounts,
        user_ids=truth.users,
        device_owner=truth.managed,
        felica_capable=truth.chip is not None,
        jpki_capable=False,
        removable_media=truth.card,
        sim=truth.sim,
        telephony=truth.telephony,
        sim_slots=2 if truth.second_imei else 1,
    )


def signs_of(truth: Truth) -> tuple[str, ...]:
    """Each sign of a changed system; an open boot loader gives the second one."""
    told = SIGNS[: truth.signs]
    return (*told, SIGNS[1]) if truth.open_boot and SIGNS[1] not in told else told


def sources_of(truth: Truth) -> tuple[ModificationSource, ...]:
    """Where they come from: each from another source."""
    sources = (ModificationSource.BUILD, ModificationSource.BOOT_CHAIN)
    found = signs_of(truth)
    return tuple(source for sign, source in zip(SIGNS, sources, strict=True) if sign in found)


def used_bytes_of(truth: Truth) -> int:
    """What `df` says is in use."""
    used = len(SYSTEM_EXTENTS) if truth.lie is Lie.DF else truth.used_extents
    return used * GIB


def write_extent(truth: Truth, extent: int) -> None:
    """One more file: its place in the stream is its number, whatever extent it comes to lie in."""
    number = len(truth.files)
    is_tail = extent >= len(truth.contents) - TAIL_EXTENTS
    name = f"{'tail' if is_tail else 'fill'}-{number:06d}.dat"
    truth.files[name] = HeldFile(extent=extent, stream_offset=number * GIB)
    lost = truth.lie is Lie.PROGRAM or (truth.lie is Lie.FLASH and number % 2)
    if not lost:
        truth.contents[extent] = truth.files_key


def holds(truth: Truth, name: str, key: str) -> bool:
    """Whether a fill file holds the keystream of the key with this digest."""
    file = truth.files.get(name)
    return file is not None and truth.contents[file.extent] == key


def report_of(
    truth: Truth,
    *,
    prior_bytes: int,
    resumed_bytes: int,
    free_bytes_before: int,
    free_bytes_after: int,
) -> FillReport:
    """What the fill program says once it is done."""
    return FillReport(
        program_version="1",
        cipher=AES_COUNTER,
        mode="o_direct",
        bytes_written=len(truth.files) * GIB,
        resumed_bytes=resumed_bytes,
        prior_bytes_proven=prior_bytes,
        files=tuple(
            FilledFile(name=name, stream_offset=file.stream_offset, size_bytes=GIB)
            for name, file in truth.files.items()
        ),
        small_files=3,
        small_bytes=3 * 3072,
        directories=0,
        logs="by_name_and_lifetime",
        full_s=1.0,
        capacity_bytes=CAPACITY_BYTES,
        free_bytes_before=free_bytes_before,
        free_bytes_after=free_bytes_after,
        used_bytes_before=(len(SYSTEM_EXTENTS) + len(truth.live)) * GIB,
        reserved_bytes=GIB,
        elapsed_s=STEP_S * STEPS,
    )
