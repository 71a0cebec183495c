"""A real project quota ends a fill before the storage is full; without one nothing is left free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.proof.floors import LEAST_FREE_AFTER_FILL_BYTES
from tests.vm.guest.rackvm.plan import FileSystem, UsbHandset
from tests.vm.rig import Rig

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1200)]

SHARE = 0.75
"""Of the whole chip; neither file system keeps as much as the rest to itself."""


def limited(rig: Rig, word: str) -> UsbHandset:
    return replace(rig.kind(word, name=f"limited-{word}"), quota_share=SHARE)


@pytest.mark.nightly
async def test_row_4_a_fill_that_a_project_quota_ends_is_held(rig: Rig) -> None:
    """On ext4 and on f2fs; the same handsets without one pass, and say what was free."""
    handsets = [limited(rig, "ext4"), limited(rig, "clean")]
    assert [one.file_system for one in handsets] == [FileSystem.EXT4, FileSystem.F2FS]
    plain = [rig.kind(word, name=f"plain-{word}") for word in ("ext4", "clean")]
    await rig.make(*handsets, *plain)
    await rig.start_service()
    slots = {one.name: number for number, one in enumerate([*handsets, *plain], start=1)}
    ends = await rig.run_to_the_end(slots, within_s=1100)
    for one in handsets:
        ends[one.name].must_not_pass("hold", "storage_quota")
    for one in plain:
        told = ends[one.name].proven()
        free = told["in_use_before"]["free_after_overwrite_bytes"]
        missing = told["medium"]["capacity_bytes"] - told["overwrite"]["bytes_written"]
        await rig.note(
            f"{one.name}: {free} bytes free after the fill, {missing} of"
            f" {told['medium']['capacity_bytes']} not written, {told['in_use_before']}"
        )
        assert free <= LEAST_FREE_AFTER_FILL_BYTES
