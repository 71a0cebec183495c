"""The file system below FUSE: contents, room, and chips that lie, without any mount."""

import errno
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.lab.simulator.storage.file_nodes import File
from benchd.lab.simulator.storage.medium import BLOCK_BYTES, FlashMedium
from benchd.lab.simulator.storage.space import Space
from benchd.lab.simulator.storage.state import Pace
from benchd.lab.simulator.storage.tree import Tree
from benchd.lab.simulator.storage.volume import Volume

BLOCKS = 64


def small_tree(directory: Path, reserved: int = 4) -> Tree:
    medium = FlashMedium(directory=directory, block_count=BLOCKS)
    space = Space(block_count=BLOCKS, reserved_blocks=reserved)
    return Tree(
        volume=Volume(medium=medium, space=space), now_ns=lambda: 0, counted_prefix="/counted/"
    )


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 9 * BLOCK_BYTES), st.integers(0, 9000)),
        st.tuples(st.just("resize"), st.integers(0, 12 * BLOCK_BYTES), st.just(0)),
        st.tuples(st.just("reserve"), st.integers(0, 9 * BLOCK_BYTES), st.integers(1, 9000)),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(acts=ACTS)
def test_a_file_holds_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, int]]
) -> None:
    tree = small_tree(tmp_path_factory.getbasetemp())
    # What lay on the chip before must never shine through.
    tree.volume.medium.write(range(BLOCKS), 0, memoryview(b"\xaa" * BLOCKS * BLOCK_BYTES))
    file, meant = tree.make_file("/f", mode=0o600), bytearray()
    for number, (act, offset, size) in enumerate(acts):
        if act == "write":
            data = bytes([1 + number]) * size
            assert tree.volume.write(file, offset, data) == size
            if data:
                meant.extend(bytes(max(0, offset + size - len(meant))))
                meant[offset : offset + size] = data
        elif act == "resize":
            tree.volume.resize(file, offset)
            meant = meant[:offset] + bytes(max(0, offset - len(meant)))
        else:
            tree.volume.reserve(file, offset, size)
        assert tree.volume.read(file, 0, 1 << 20) == bytes(meant)
    tree.remove("/f")
    assert tree.volume.space.free_blocks == BLOCKS - 1  # the root's own block
    tree.volume.medium.close()


def test_room_ends_where_the_reserve_begins(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    file = tree.make_file("/f", mode=0o600)
    room = (BLOCKS - 4 - 2) * BLOCK_BYTES  # without the reserve and two nodes
    assert tree.volume.write(file, 0, bytes(BLOCKS * BLOCK_BYTES)) == room
    assert file.size_bytes == room
    for full in (
        lambda: tree.volume.write(file, room, b"x"),
        lambda: tree.make_file("/g", mode=0o600),
        lambda: tree.volume.reserve(file, room, 1),
    ):
        with pytest.raises(OSError, match="No space left") as refused:
            full()
        assert refused.value.errno == errno.ENOSPC
    assert tree.volume.write(file, 0, b"still rewritable") == 16
    assert tree.volume.space.available_blocks == 0
    assert tree.volume.space.free_blocks == 4


def test_a_removed_file_lives_until_it_is_closed_but_not_beyond_a_reset(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    file = tree.make_file("/f", mode=0o600)
    file.handles = 1
    tree.volume.write(file, 0, b"x" * BLOCK_BYTES)
    tree.remove("/f")
    assert tree.volume.read(file, 0, 1) == b"x"
    tree.clear()
    with pytest.raises(OSError, match="Input/output"):
        tree.volume.read(file, 0, 1)
    tree.close(file)
    assert tree.volume.space.free_blocks == BLOCKS - 1
    fresh = tree.make_file("/f", mode=0o600)
    assert tree.volume.write(fresh, 0, bytes(BLOCKS * BLOCK_BYTES)) == (BLOCKS - 6) * BLOCK_BYTES


def test_names_behave(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    tree.make_directory("/counted", mode=0o700)
    file = tree.make_file("/counted/a", mode=0o600)
    assert file.counted
    assert not tree.make_file("/b", mode=0o600).counted
    tree.rename("/counted/a", "/b")
    assert tree.find("/b") is file
    for code, act in (
        (errno.ENOENT, lambda: tree.find("/counted/a")),
        (errno.ENOTDIR, lambda: tree.find("/b/x")),
        (errno.EEXIST, lambda: tree.make_file("/b", mode=0o600)),
        (errno.EISDIR, lambda: tree.remove("/counted")),
        (errno.ENAMETOOLONG, lambda: tree.make_file("/" + "x" * 256, mode=0o600)),
        (errno.EBUSY, lambda: tree.remove("/")),
    ):
        with pytest.raises(OSError) as refused:  # noqa: PT011 - the number is what is checked
            act()
        assert refused.value.errno == code
    tree.remove_directory("/counted")
    assert [found for found in tree.files() if isinstance(found, File)] == [file]


@pytest.mark.parametrize(
    ("faults", "share"),
    [
        (StorageFaults(lost=0.25, seed=1), 0.25),
        (StorageFaults(torn=0.25, seed=2), 0.25),
        (StorageFaults(repeated=0.25, seed=3), 0.25),
        (StorageFaults(stuck=0.25, seed=4), 0.25),
        (StorageFaults(lost=0.25, after_bytes=1 << 20, seed=5), 0.0),
        (StorageFaults(), 0.0),
    ],
)
def test_the_same_blocks_are_hit_each_time(
    tmp_path: Path, faults: StorageFaults, share: float
) -> None:
    hit = []
    for _ in range(2):
        medium = FlashMedium(directory=tmp_path, block_count=BLOCKS)
        meant = [bytes([number]) * BLOCK_BYTES for number in range(1, BLOCKS + 1)]
        medium.faults = faults
        medium.write(range(BLOCKS), 0, memoryview(b"".join(meant)))
        hit.append([n for n in range(BLOCKS) if medium.read([n], 0, BLOCK_BYTES) != meant[n]])
        medium.close()
    assert hit[0] == hit[1]
    assert len(hit[0]) == pytest.approx(share * BLOCKS, abs=10 if share else 0)


def test_a_chip_keeps_its_pace() -> None:
    now, slept = [100.0], []

    def sleep(duration_s: float) -> None:
        slept.append(duration_s)

    pace = Pace(clock=lambda: now[0], sleep=sleep)
    pace.wait(1000, None, 0.0)
    pace.wait(1000, 1000, 0.0)
    pace.wait(500, 1000, 0.25)  # waits for the one before
    now[0] = 200.0
    pace.wait(100, 1000, 0.0)
    assert slept == pytest.approx([1.0, 1.75, 0.1])
