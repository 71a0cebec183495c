"""The bytes on disk are the keystream that any other AES implementation computes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from fill_program import KEY, check_request, fill_request, run

BLOCK_BYTES = 16


def keystream(key: str, offset: int, size_bytes: int) -> bytes:
    """Compute a stretch of the stream on its own, from its offset alone."""
    counter = (offset // BLOCK_BYTES).to_bytes(BLOCK_BYTES, "big")
    skipped = offset % BLOCK_BYTES
    encryptor = Cipher(AES(bytes.fromhex(key)), CTR(counter)).encryptor()
    return encryptor.update(bytes(skipped + size_bytes))[skipped:]


@pytest.mark.parametrize(
    ("file_bytes", "max_bytes"),
    [(4096, 40960), (1 << 20, 3 << 20), ((1 << 20) + 4096, 5 << 20), (1 << 30, (3 << 20) + 8192)],
)
def test_every_byte_is_the_streams(
    program: Path, folder: str, file_bytes: int, max_bytes: int
) -> None:
    asked = fill_request(folder, file_bytes=file_bytes, max_bytes=max_bytes)

    filled = run(program, "fill", asked)

    assert filled.exit_code == 0
    assert filled.last["bytes"] == max_bytes
    chooser = random.Random(0)
    for index, file in enumerate(filled.last["files"]):
        assert file["name"] == f"fill-{index:06d}.dat"
        assert file["stream_offset"] == index * file_bytes
        content = (Path(folder) / file["name"]).read_bytes()
        assert len(content) == file["bytes"]
        assert content == keystream(KEY, file["stream_offset"], file["bytes"])
        for _ in range(50):
            start = chooser.randrange(len(content))
            stretch = content[start : start + chooser.randrange(1, 5000)]
            assert stretch == keystream(KEY, file["stream_offset"] + start, len(stretch))


def test_check_agrees_and_notices_one_changed_bit(program: Path, folder: str) -> None:
    asked = fill_request(folder, max_bytes=3 << 20)
    filled = run(program, "fill", asked)

    good = run(program, "check", check_request(asked, filled.last))
    assert (good.exit_code, good.last["bytes_proven"], good.last["bytes_bad"]) == (0, 3 << 20, 0)

    with (Path(folder) / "fill-000001.dat").open("r+b") as file:
        file.seek(500_000)
        byte = file.read(1)[0]
        file.seek(500_000)
        file.write(bytes([byte ^ 0x10]))
    bad = run(program, "check", check_request(asked, filled.last))
    assert (bad.exit_code, bad.last["bytes_bad"]) == (1, 4096)
    block = {"name": "fill-000001.dat", "offset": 499_712, "bytes": 4096}
    assert bad.last["bad"] == [block]


def test_offsets_beyond_32_bits_of_counter(program: Path, folder: str) -> None:
    """A file far out in the stream: its list entry is made by hand, its bytes by cryptography."""
    file_bytes = 1 << 36
    asked = fill_request(folder, file_bytes=file_bytes, max_bytes=4096)
    assert run(program, "fill", asked).exit_code == 0
    index, size_bytes = 3, 1 << 20
    (Path(folder) / f"fill-{index:06d}.dat").write_bytes(
        keystream(KEY, index * file_bytes, size_bytes)
    )
    listed = {
        "name": f"fill-{index:06d}.dat",
        "stream_offset": index * file_bytes,
        "bytes": size_bytes,
    }

    checked = run(program, "check", check_request(asked, {"files": [listed]}))

    assert (checked.exit_code, checked.last["bytes_proven"]) == (0, size_bytes)
