"""The host's copies of its programs are read once, however many handsets ask at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import anyio
import pytest

from benchd.android.fill.binaries import Binaries, Binary
from benchd.android.shell.packets import packed
from benchd.filler import Program

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
        packets=packed(b"program"),
    )
