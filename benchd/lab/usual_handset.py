"""The facts of a handset with nothing special about it, from which others differ."""

from __future__ import annotations

from typing import Final

from benchd.domain.handset import OWNER, HandsetFacts, ResetFacts

_GIB: Final = 1 << 30

USUAL: Final = HandsetFacts(
    serial="HQ61230001",
    manufacturer="Sony",
    model="SO-51C",
    android="13",
    build="TQ2A",
    sdk=33,
    abi="arm64-v8a",
    capacity_bytes=128 * _GIB,
    used_bytes=_GIB,
    free_bytes=127 * _GIB,
    statfs_capacity_bytes=None,
    statfs_free_bytes=None,
    file_system="f2fs",
    battery_percent=80,
    battery_temperature_c=28.0,
    battery_health_percent=None,
    battery_health_method=None,
    battery_cycles=None,
    battery_cycles_method=None,
    crypto_state="encrypted",
    crypto_type="file",
    metadata_encryption=True,
    verified_boot_state="green",
    bootloader_locked=True,
    security_patch="2026-10-05",
    modification_signs=(),
    modification_sources=(),
    screen_lock=False,
    account_count=0,
    maker_accounts=0,
    maker_account_types=(),
    unknown_account_types=(),
    frp_account_types=(),
    user_ids=(OWNER,),
    user_kinds=(),
    device_owner=False,
    lock_admins=(),
    felica_capable=True,
    jpki_capable=None,
    removable_media=False,
    sim=False,
    sim_slots=1,
    sim_lock=None,
    sim_lock_source=None,
    frp_armed=None,
    telephony=True,
)

JUST_RESET: Final = ResetFacts(
    android_id="0" * 16,
    account_count=0,
    user_ids=(OWNER,),
    used_bytes=_GIB,
    third_party_packages=0,
    boot_count=1,
    test_harness=False,
    owner_files=0,
    call_count=0,
    contact_count=0,
    message_count=0,
    up_s=600,
)
"""One right after its reset."""
