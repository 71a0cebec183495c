"""Folders: whose they are, who else gets in, what room there is, and on what they lie."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.folders import Owner, flush, folder, space

ME = Owner(name="benchd", uid=os.geteuid())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


def test_a_folder_of_benchds_own_is_ok(state: Path) -> None:
    found = folder("check.state_folder", state, ME)
    assert (found.verdict, found.word) == (Verdict.OK, "doctor.folder_private")


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o770])
def test_a_folder_that_others_get_into_is_told_with_its_mode(state: Path, mode: int) -> None:
    state.chmod(mode)
    found = folder("check.state_folder", state, ME)
    assert (found.verdict, found.cure) == (Verdict.WARN, "cure.close_folder")
    assert found.facts["value"] == f"{mode:04o}"


def test_a_folder_of_somebody_else_fails(state: Path) -> None:
    found = folder("check.state_folder", state, Owner(name="benchd", uid=os.geteuid() + 1))
    assert (found.verdict, found.cure) == (Verdict.FAIL, "cure.give_folder")


def test_a_folder_that_isnt_there_is_told(state: Path) -> None:
    found = folder("check.state_folder", state / "none", ME)
    assert (found.verdict, found.word) == (Verdict.WARN, "doctor.folder_missing")


class NotYours:
    """A path that this user may not look at."""

    def stat(self) -> os.stat_result:
        raise PermissionError(13, "Permission denied")


def test_what_may_not_be_seen_is_never_ok() -> None:
    found = folder("check.state_folder", cast("Path", NotYours()), ME)
    assert (found.verdict, found.cure) == (Verdict.NOT_CHECKED, "cure.as_root")


def disk(free: float, flags: int = 0) -> os.statvfs_result:
    found = SimpleNamespace(f_bavail=int(free), f_frsize=1, f_flag=flags)
    return cast("os.statvfs_result", found)


@pytest.mark.parametrize(
    ("free", "verdict"), [(50e9, Verdict.OK), (1e9, Verdict.WARN), (100e6, Verdict.FAIL)]
)
def test_the_less_room_the_graver(state: Path, free: float, verdict: Verdict) -> None:
    assert space(state, lambda _: disk(free)).verdict is verdict


def test_a_disk_that_went_read_only_fails_whatever_its_room(state: Path) -> None:
    found = space(state, lambda _: disk(50e9, os.ST_RDONLY))
    assert (found.verdict, found.word) == (Verdict.FAIL, "doctor.read_only")


ROOT = "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
ON_ROOT = "{kind} /dev/sdb1 {options}\n"


@pytest.mark.parametrize(
    ("kind", "options", "verdict", "word"),
    [
        ("ext4", "rw,errors=remount-ro", Verdict.OK, "doctor.flush_reaches"),
        ("ext4", "rw,nobarrier", Verdict.FAIL, "doctor.flush_off"),
        ("ext4", "rw,barrier=0", Verdict.FAIL, "doctor.flush_off"),
        ("tmpfs", "rw", Verdict.FAIL, "doctor.flush_memory"),
        ("nfs4", "rw", Verdict.WARN, "doctor.flush_elsewhere"),
        ("fuse.sshfs", "rw", Verdict.WARN, "doctor.flush_elsewhere"),
        ("overlay", "rw,upperdir=/run/rw", Verdict.NOT_CHECKED, "doctor.flush_underneath"),
        ("fuse", "rw", Verdict.NOT_CHECKED, "doctor.flush_underneath"),
        ("fuse.rclone", "rw", Verdict.NOT_CHECKED, "doctor.flush_underneath"),
        ("fuseblk", "rw", Verdict.NOT_CHECKED, "doctor.flush_underneath"),
    ],
)
def test_a_flush_goes_by_the_mount_that_the_folder_lies_on(
    state: Path, kind: str, options: str, verdict: Verdict, word: str
) -> None:
    mounts = state / "mountinfo"
    place = str(state.resolve()).replace(" ", r"\040")
    # Another mount whose name begins like the folder's is none of it.
    other = f"26 25 0:9 / {place}-other rw - tmpfs tmpfs rw\n"
    mounts.write_text(f"{ROOT}27 25 8:2 / {place} rw - {kind} /dev/sdb1 {options}\n{other}")
    found = flush(state / "not yet made", mounts)
    assert (found.verdict, found.word, found.facts["name"]) == (verdict, word, kind)


def test_a_folder_on_no_mount_is_not_checked(state: Path) -> None:
    mounts = state / "mountinfo"
    mounts.write_text("nonsense\n")
    assert flush(state, mounts).verdict is Verdict.NOT_CHECKED
