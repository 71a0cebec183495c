"""A handset's system that lies in one of its answers is caught by another one.

One that lies in all of them at once can't be: docs/certificate.md says what that means.
"""

from __future__ import annotations

import pytest
from handset_fakes import ScriptedShell
from handset_fixtures import answer
from streamed_handset import BLOCK, StreamedHandset
from test_android_inspection import aquos

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.facts.inspection import read_facts
from benchd.devices.android.fill.bus_turns import BusTurns
from benchd.devices.android.fill.host_fill import HostFill
from benchd.devices.android.fill.keystream import HostKeystream
from benchd.domain.errors import AnswerNotRecognised, StorageFault
from benchd.domain.fill import CheckOrder, FillOrder

pytestmark = pytest.mark.asyncio

HONEST = answer("getprop-15-aquos-test-harness")
POLICY = answer("policy-16-none")
KEY = bytes(range(16))


def saying(old: str, new: str) -> ScriptedShell:
    """A handset whose `getprop` tells one thing otherwise."""
    assert old in HONEST
    return aquos(getprop=HONEST.replace(old, new))


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


@pytest.mark.parametrize("status", ["inactive", "unsupported", "activating", "unknown", ""])
async def test_encryption_that_the_policy_service_denies_is_none(status: str) -> None:
    policy = f"{POLICY}\n  Encryption Status: {status}\n"
    facts = await read_facts(aquos(**{"dumpsys device_policy": policy}))
    assert facts.crypto_state == "unencrypted"


@pytest.mark.parametrize("status", ["per-user", "block", "block default key"])
async def test_encryption_that_both_tell_is_told(status: str) -> None:
    policy = f"{POLICY}\n  Encryption Status: {status}\n"
    facts = await read_facts(aquos(**{"dumpsys device_policy": policy}))
    assert facts.crypto_state == "encrypted"


async def test_encryption_without_its_type_is_none() -> None:
    facts = await read_facts(saying("[ro.crypto.type]: [file]\n", ""))
    assert (facts.crypto_state, facts.crypto_type) == ("unencrypted", None)


async def test_encryption_that_only_the_policy_service_claims_is_none() -> None:
    facts = await read_facts(
        aquos(
            **{
                "getprop": HONEST.replace("[encrypted]", "[unencrypted]"),
                "dumpsys device_policy": f"{POLICY}\n  Encryption Status: per-user\n",
            }
        )
    )
    assert facts.crypto_state == "unencrypted"


async def test_a_df_that_contradicts_itself_is_no_answer() -> None:
    usage = answer("df-16-pixel-8-pro").replace("114982996", "14982996")
    with pytest.raises(AnswerNotRecognised, match="contradict"):
        await read_facts(aquos(**{"df -k /data": usage}))


@pytest.mark.looptime
async def test_a_handset_that_is_streamed_to_never_hears_the_key() -> None:
    """So its `dd` can't compute what it should have kept."""
    handset = StreamedHandset()
    fill = HostFill(handset, HostKeystream(), BusTurns().of(AdbAddress("usb:1-1")))
    order = FillOrder(key=KEY, file_bytes=20 * BLOCK, stall_s=30)

    report = await fill.fill(order, lambda _: None)
    await fill.check(
        CheckOrder(fill=order, cipher=report.cipher, files=report.files), lambda _: None
    )

    heard = "".join(handset.commands).encode() + b"".join(handset.files.values())
    assert len(heard) > report.bytes_written
    assert KEY.hex().encode() not in heard
    assert KEY not in heard


@pytest.mark.looptime
@pytest.mark.parametrize("hidden", [BLOCK, 8 * BLOCK, 40 * BLOCK])
async def test_a_df_that_hides_room_from_the_host_is_found_by_what_goes_in(hidden: int) -> None:
    """The host writes until nothing goes in any more, whatever `df` says."""
    handset = StreamedHandset(used=0, df_hides=hidden)
    fill = HostFill(handset, HostKeystream(), BusTurns().of(AdbAddress("usb:1-1")))
    order = FillOrder(key=KEY, file_bytes=20 * BLOCK, stall_s=30)

    with pytest.raises(StorageFault, match="more than it has room for"):
        await fill.fill(order, lambda _: None)
