"""What the Debian package is made of, and what it refuses before anything is unpacked."""

from __future__ import annotations

import os
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from install_rig import ROOT, build_deb, ended, run
from other_wheels import fake_wheels

pytestmark = pytest.mark.skipif(
    shutil.which("dpkg-deb") is None, reason="dpkg-deb isn't there: this isn't Debian"
)

IN_DEBIANS_ORDER = {
    "0+unknown": "0+unknown",
    "1.2.4.dev3+gabcdef": "1.2.4~dev3+gabcdef",
    "1.2.4rc1.dev2": "1.2.4~rc1~dev2",
    "1.2.4rc1": "1.2.4~rc1",
    "1.2.4": "1.2.4",
    "1.2.4.post1": "1.2.4.post1",
    "1.2.10": "1.2.10",
}


def field(package: Path, name: str) -> str:
    return run("dpkg-deb", "--field", package, name).strip()


def test_versions_sort_in_debian_as_they_do_in_python(tmp_path: Path) -> None:
    found = []
    for version, expected in IN_DEBIANS_ORDER.items():
        package = build_deb(fake_wheels(tmp_path / version, version), tmp_path)
        assert package.name == f"benchd_{expected}_amd64.deb"
        assert field(package, "Version") == expected
        assert field(package, "Benchd-Version") == version
        found.append(expected)
    for older, newer in pairwise(found):
        run("dpkg", "--compare-versions", older, "lt", newer)


def test_the_same_wheels_make_the_same_package(tmp_path: Path) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0")
    first, second = (build_deb(wheels, tmp_path / name) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_the_package_needs_what_an_installation_needs_and_owns_nothing_in_etc(
    tmp_path: Path,
) -> None:
    package = build_deb(
        fake_wheels(tmp_path / "wheels", "1.0", "cp313-cp313-linux_aarch64"), tmp_path
    )
    assert field(package, "Architecture") == "arm64"
    assert field(package, "Benchd-Commit").startswith("0123456789abcdef")
    listed = run("bash", "-c", 'source "$0"; printf "%s\\n" "${!packages[@]}"', MACHINE).split()
    needed = field(package, "Depends").split(", ")
    assert {name.split(" ")[0] for name in needed} == {
        *listed,
        *("systemd", "libc6", "libgcc-s1", "libstdc++6"),
    }
    assert {"python3 (>= 3.13~)", "python3 (<< 3.14~)"} <= set(needed)
    carried = run("dpkg-deb", "--contents", package).splitlines()
    places = {"/".join(line.split()[5].split("/")[1:4]) for line in carried}
    assert places == {
        *("", "usr/", "usr/lib/", "usr/lib/benchd"),
        *("usr/share/", "usr/share/doc", "usr/share/lintian"),
    }
    assert {tuple(line.split()[:2]) for line in carried} <= {
        ("drwxr-xr-x", "root/root"),
        ("lrwxrwxrwx", "root/root"),
        ("-rw-r--r--", "root/root"),
        ("-rwxr-xr-x", "root/root"),
    }


def test_the_package_has_manuals_what_watches_a_rack_and_a_releases_licences(
    tmp_path: Path,
) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0")
    (tmp_path / "LICENCES.md").write_text("Go: BSD-3-Clause")
    run("dpkg-deb", "--extract", build_deb(wheels, tmp_path / "out"), tmp_path / "unpacked")
    doc = tmp_path / "unpacked/usr/share/doc/benchd"
    for page in ("watching.md", "runbooks/service.md"):
        assert (doc / "manuals" / page).read_bytes() == (ROOT / "docs" / page).read_bytes()
    for example in (
        "prometheus/rules/rack.yml",
        "alertmanager/alertmanager.yml",
        "grafana/dashboards/benchd-cables.json",
        "recipes/overwrite.toml",
    ):
        shipped = (ROOT / "configs" / example).read_bytes()
        assert (doc / "examples" / example).read_bytes() == shipped
    assert not (doc / "manuals/screenshots").exists()
    assert (doc / "LICENCES.md").read_text() == "Go: BSD-3-Clause"
    assert "/usr/share/doc/benchd/LICENCES.md." in (doc / "copyright").read_text()


def test_a_damaged_wheel_becomes_no_package(tmp_path: Path) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0")
    [own] = wheels.glob("benchd-*.whl")
    own.write_bytes(own.read_bytes()[:-30])
    done = ended(ROOT / "scripts/build-deb", wheels, tmp_path / "out", env=os.environ)
    assert (done.returncode, done.stdout) == (3, "")
    assert "is damaged; build it once more" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_wheel_that_isnt_pinned_becomes_no_package(tmp_path: Path) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0")
    (wheels / "anyio-4.16.0-py3-none-any.whl").write_bytes(b"somebody else's")
    done = ended(ROOT / "scripts/build-deb", wheels, tmp_path / "out", env=os.environ)
    assert (done.returncode, done.stdout) == (3, "")
    assert "anyio-4.16.0-py3-none-any.whl isn't what requirements.txt pins" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_package_lists_the_program_that_it_carries(tmp_path: Path) -> None:
    package = build_deb(fake_wheels(tmp_path / "wheels", "1.0"), tmp_path / "out")
    run("dpkg-deb", "--extract", package, tmp_path / "unpacked")
    program = tmp_path / "unpacked/usr/lib/benchd/program"
    listed = (program / "SHA256SUMS").read_text().splitlines()
    there = {str(file.relative_to(program)) for file in program.rglob("*") if file.is_file()}
    assert {line.split("  ")[1] for line in listed} == there - {"SHA256SUMS"}
    run("bash", "-c", 'cd "$0" && sha256sum --check --strict --quiet SHA256SUMS', program)
    assert not list((tmp_path / "unpacked").rglob("*.whl"))


def test_another_python_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    package = build_deb(fake_wheels(tmp_path / "wheels", "1.0", "cp32-cp32-linux_x86_64"), tmp_path)
    run("dpkg-deb", "--control", package, tmp_path / "control")
    done = ended(tmp_path / "control/preinst", "install")
    assert done.returncode == 3, done.stderr
    assert "these wheels are for Python 3.2" in done.stderr
    assert "何も変更していません" in done.stderr


MACHINE = ROOT / "scripts/machine.sh"
RIG = r"""
set -euo pipefail
source "$1"
root=
start_again=$2/start-again
systemctl() {
    case $1 in
        show) echo "$state" ;;
        *) echo "systemctl $*" ;;
    esac
}
is_running_system() { :; }
in_root() { echo "${*##*/}"; return "$pauses"; }
"""


def with_daemon(folder: Path, state: str, pauses: int, script: str) -> tuple[int, list[str]]:
    """What is done with a daemon in this state, whose jobs end in time (0) or don't (1)."""
    env = {**os.environ, "state": state, "pauses": str(pauses)}
    done = ended("bash", "-c", RIG + script, "rig", MACHINE, folder, env=env)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def test_a_daemon_that_works_is_paused_then_stopped_and_started_again(tmp_path: Path) -> None:
    status, told = with_daemon(tmp_path, "active", 0, "stop_paused; resume")
    units = [f"systemctl {verb} benchd.service" for verb in ("stop", "start")]
    assert (status, told) == (0, ["benchd pause --within 30m", *units])
    assert not (tmp_path / "start-again").exists()
    assert with_daemon(tmp_path, "inactive", 1, "stop_paused; resume") == (0, []), "it stays so"


@pytest.mark.parametrize("state", ["active", "activating"])
def test_a_daemon_that_cant_be_paused_is_left_alone_with_the_cure(
    tmp_path: Path, state: str
) -> None:
    status, told = with_daemon(tmp_path, state, 1, "stop_paused")
    assert status == 3
    assert "benchd queue" in told[-1]
    assert "BENCHD_PAUSE_WITHIN" in told[-2]
    assert not [line for line in told if line.startswith("systemctl")]
    assert not (tmp_path / "start-again").exists()


def test_an_upgrade_that_was_cut_while_the_daemon_was_stopped_starts_it(tmp_path: Path) -> None:
    cut = with_daemon(tmp_path, "active", 0, "stop_paused; exit 9")
    assert cut[0] == 9
    assert (tmp_path / "start-again").exists()
    again = with_daemon(tmp_path, "inactive", 0, "stop_paused; resume")
    assert again == (0, ["systemctl start benchd.service"])
