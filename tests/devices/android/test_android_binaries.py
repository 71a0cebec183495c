"""The host's copies of its programs are read once, however many handsets ask at once."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import anyio
import pytest
from handset_fakes import plain

from benchd.devices.android.fill.binaries import Binaries, Binary
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.commands import SEND_PIECE_BYTES
from benchd.devices.android.shell.packets import packed

pytestmark = pytest.mark.asyncio


async def test_handsets_that_ask_at_once_share_one_reading(tmp_path: Path) -> None:
    file = tmp_path / "benchd-fill"
    file.write_bytes(b"program")
    binaries = Binaries(lambda _abi, _program: file)
    given: list[Binary] = []

    async def ask() -> None:
        given.append(await binaries.of("arm64", Program.FILL))

    async with anyio.create_task_group() as handsets:
        for _ in range(5):
            handsets.start_soon(ask)
    assert len(given) == 5
    assert all(one is given[0] for one in given)
    assert given[0] == Binary(
        size_bytes=7,
        sha256=hashlib.sha256(b"program").hexdigest(),
        packets=packed([b"program"]),
    )


async def test_a_program_is_cut_into_pieces_that_add_up(tmp_path: Path) -> None:
    file = tmp_path / "benchd-fill"
    content = random.Random(1).randbytes(2 * SEND_PIECE_BYTES + 3)
    file.write_bytes(content)
    binary = await Binaries(lambda _abi, _program: file).of("arm64", Program.FILL)
    assert plain(binary.packets) == content
    assert (binary.size_bytes, binary.sha256) == (
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    assert len(binary.packets.pieces) == 3
