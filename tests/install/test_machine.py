"""A test that can't boot its container says exactly why, and CI hears of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from install_rig import ROOT, ended, own_environment
from machine import not_booted, own_cgroup


def test_a_machine_without_writable_cgroups_is_named_as_the_reason() -> None:
    mounts = "cgroup2 /sys/fs/cgroup cgroup2 ro,nosuid 0 0\ncgroup /sys/fs/cgroup/x cgroup rw 0 0\n"
    with pytest.raises(pytest.skip.Exception, match="no cgroup2 that may be written to"):
        own_cgroup(mounts)


def test_a_cgroup_that_cant_be_made_is_told_with_the_kernels_word(tmp_path: Path) -> None:
    (tmp_path / f"benchd-test-{os.getpid()}").touch()
    with pytest.raises(pytest.skip.Exception, match=r"none can be made: .*File exists"):
        own_cgroup(f"cgroup2 {tmp_path} cgroup2 rw 0 0\n")


@pytest.mark.parametrize(
    ("script", "outcome", "why"),
    [
        ("exit 0", pytest.fail.Exception, "didn't boot:\nsystemd died"),
        (
            "echo Failed to mount /proc >&2; exit 1",
            pytest.skip.Exception,
            "can't run even /bin/true in a container here: Failed to mount /proc",
        ),
    ],
)
def test_a_container_that_runs_but_doesnt_boot_is_a_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    outcome: type[BaseException],
    why: str,
) -> None:
    nspawn = tmp_path / "systemd-nspawn"
    nspawn.write_text(f"#!/bin/sh\n{script}\n")
    nspawn.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(outcome, match=why):
        not_booted(tmp_path, "systemd died")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("machines", "status"), [("required", 1), ("absent", 0)])
def test_skipped_boots_fail_where_they_have_to_be_and_are_told_elsewhere(
    machines: str, status: int
) -> None:
    test = "tests/install/test_booted.py::test_the_journal_has_the_fields"
    # Without a PATH there is no systemd-nspawn.
    env = {**own_environment(), "BENCHD_MACHINES": machines, "PATH": ""}
    words = ("-m", "pytest", "-rs", "-p", "no:cacheprovider", test)
    done = ended(sys.executable, *words, cwd=ROOT, env=env)
    assert done.returncode == status, done.stdout
    assert ("1 error" if status else "1 skipped") in done.stdout
    assert "isn't there" in done.stdout or "by root only" in done.stdout
    assert ("BENCHD_MACHINES=absent" in done.stdout) == bool(status)
