"""What the fill program writes, and how it ends when the host leaves: claiming nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from fill_program import (
    DEADLINE_S,
    KEY,
    check_request,
    fill_request,
    filling,
    next_event,
    run,
    start,
    stdin_of,
    stdout_of,
)

from tests.hang_up import hang_ups_reach_children

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


def test_without_a_limit_neither_the_end_of_stdin_nor_silence_ends_it(
    program: Path, folder: str
) -> None:
    with filling(program, folder) as process:
        for _ in range(10):
            next_event(process)
        assert process.poll() is None
        stdin_of(process).close()
        reached = next_event(process)["bytes"]
        while next_event(process)["bytes"] <= reached:
            pass
        for _ in range(10):
            next_event(process)
        assert process.poll() is None


def test_a_signal_before_the_request_ends_it_too(program: Path) -> None:
    # Until its handlers stand, a signal kills the program: that is no claim either.
    with hang_ups_reach_children():
        started = subprocess.Popen([program, "fill"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with started as process:
        process.send_signal(signal.SIGHUP)
        assert process.wait(DEADLINE_S) in (5, -signal.SIGHUP)
        assert stdout_of(process).read() == b""


def test_a_second_one_is_kept_out(program: Path, folder: str) -> None:
    with filling(program, folder) as process:
        for command, request in (
            ("fill", fill_request(folder)),
            ("drop", {"directory": folder}),
        ):
            second = run(program, command, request)
            assert second.exit_code == 3
            assert [event["event"] for event in second.events] == ["error"]
            assert second.last["code"] == "busy"
        assert process.poll() is None


def test_the_lock_ends_with_its_holder(program: Path, folder: str) -> None:
    with filling(program, folder) as process:
        process.kill()
        process.wait(DEADLINE_S)
    dropped = run(program, "drop", {"directory": folder})
    assert dropped.exit_code == 0
    assert dropped.last["files_removed"] > 0
    assert [path.name for path in Path(folder).iterdir()] == ["lock"]


def test_a_check_that_is_cut_short_claims_nothing(program: Path, folder: str) -> None:
    asked = fill_request(folder, file_bytes=1 << 26, max_bytes=1 << 28)
    filled = run(program, "fill", asked)
    request = check_request(asked, filled.last)
    process = start(program, "check", {**request, "progress_s": 0.05})
    with process:
        first = next_event(process)
        process.send_signal(signal.SIGHUP)
        code = process.wait(DEADLINE_S)
        rest = stdout_of(process).read()
    if first["event"] == "done":
        pytest.skip("this disk reads 256 MiB in less than 50 ms")
    assert code == 5
    assert b'"done"' not in rest


MIB = 1 << 20


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process brings about: it gives no sign to wait on."""
    ends = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def names(folder: str, prefix: str) -> list[str]:
    return sorted(path.name for path in Path(folder).glob(f"{prefix}*"))


def guards(folder: str) -> list[int]:
    """Every guard of this folder, by its command line."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[1:3] == [b"guard", folder.encode()]:
                found.append(int(entry.name))
    return found


@pytest.fixture(autouse=True)
def no_guard_is_left(folder: str) -> Generator[None]:
    yield
    for pid in guards(folder):
        os.kill(pid, signal.SIGKILL)


def put_tail(folder: str) -> None:
    (Path(folder) / "tail-000900.db").write_bytes(b"x" * 5000)


@pytest.mark.parametrize(
    ("way", "limits"),
    [
        ("silence", {"host_silence_s": 0.5}),
        *((way, {"host_silence_s": 3600.0}) for way in ("stdin", "hangup", "stdout")),
        *((way, {}) for way in ("hangup", "terminate", "stdout")),
    ],
)
def test_a_host_that_is_gone_gets_no_claim_and_with_a_limit_leaves_no_tail(
    way: str, limits: dict[str, float], program: Path, folder: str
) -> None:
    with filling(program, folder, **limits) as process:
        put_tail(folder)
        match way:
            case "stdin":
                stdin_of(process).close()
            case "hangup":
                process.send_signal(signal.SIGHUP)
            case "terminate":
                process.send_signal(signal.SIGTERM)
            case "stdout":
                stdout_of(process).close()
            case _:
                assert way == "silence"
        assert process.wait(DEADLINE_S) == 5
        if way != "stdout":
            assert b'"done"' not in stdout_of(process).read()
    if limits:
        assert names(folder, "tail-") == []
        assert names(folder, "fill-")[0] == "fill-000000.dat"


def test_a_host_that_beats_is_there(program: Path, folder: str) -> None:
    with filling(program, folder, host_silence_s=1) as process:
        began = next_event(process)["elapsed_s"]
        while next_event(process)["elapsed_s"] < began + 3:
            stdin_of(process).write(b"\n")
        assert process.poll() is None


def test_what_a_killed_program_left_the_guard_deletes(program: Path, folder: str) -> None:
    with filling(program, folder, guard_tail_s=0.4, guard_keep_s=2) as process:
        put_tail(folder)
        for _ in range(20):  # as long as it works, nothing is deleted
            next_event(process)
        assert names(folder, "tail-") != []
        process.kill()
        process.wait()
    until(lambda: not names(folder, "tail-"))
    assert names(folder, "fill-") != []
    until(lambda: not names(folder, "fill-"))
    until(lambda: not guards(folder))


def test_the_guard_sees_who_is_at_work(program: Path, folder: str) -> None:
    asked = fill_request(folder, max_bytes=8 * MIB, guard_tail_s=0.4, guard_keep_s=1)
    filled = run(program, "fill", asked)
    assert filled.exit_code == 0
    assert guards(folder) != []
    request = check_request(asked, filled.last)
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        assert run(program, "check", request).exit_code == 0
    assert run(program, "drop", {"directory": folder}).last["files_removed"] == 8
    until(lambda: not guards(folder))


def test_the_guard_holds_nothing_of_ours(program: Path, folder: str) -> None:
    """Its streams would keep a shell over adb open; without a limit there is none."""
    asked = fill_request(folder, max_bytes=MIB)
    assert run(program, "fill", asked).exit_code == 0
    assert guards(folder) == []
    asked |= {"guard_tail_s": 60, "guard_keep_s": 60}
    assert run(program, "fill", asked).exit_code == 0  # returns though the guard goes on
    (guard,) = guards(folder)
    for number in range(3):
        assert Path(f"/proc/{guard}/fd/{number}").readlink() == Path("/dev/null")
    assert os.getsid(guard) == guard


def test_it_rests_while_the_host_says_so(program: Path, folder: str) -> None:
    with filling(program, folder, host_silence_s=60.0) as process:
        stdin_of(process).write(b"-\n")
        # What was on its way is still counted; then nothing grows any more.
        seen, same = -1, 0
        while same < 10:
            done = next_event(process)["bytes"]
            seen, same = done, same + 1 if done == seen else 0
        stdin_of(process).write(b"+\n")
        while next_event(process)["bytes"] == seen:
            pass
