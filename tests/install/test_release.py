"""What scripts/release makes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from install_rig import ROOT, refused, run

from benchd.domain.revision import commit_of

pytestmark = [
    pytest.mark.as_root,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.geteuid() != 0, reason="it is made once, for those that install it"),
]


def test_a_release_lists_all_that_it_is(release: Path) -> None:
    lines = (release / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = {path.name for path in release.iterdir()} - {"SHA256SUMS"}
    assert set(listed) == files
    assert {f"{release.name}.tar", "sbom.cdx.json", "LICENCES.md"} <= files
    [package] = release.glob("benchd_*.deb")
    assert package.name in listed
    for name, digest in listed.items():
        assert hashlib.sha256((release / name).read_bytes()).hexdigest() == digest


def test_a_bundle_has_what_an_installation_without_a_network_asks_for(bundle: Path) -> None:
    packages = [line.split() for line in (bundle / "debian-packages.txt").read_text().splitlines()]
    assert {"adb", "pcscd", "python3-venv"} <= {name for name, _, _ in packages}
    told = json.loads((bundle / "sbom.cdx.json").read_text())
    assert {"name": "benchd:commit", "value": commit_of(ROOT)} in (
        told["metadata"]["component"]["properties"]
    )
    carried = {part["name"]: part for part in told["components"]}
    for wheel in bundle.glob("wheels/*.whl"):
        name = wheel.name.partition("-")[0].replace("_", "-")
        part = told["metadata"]["component"] if name == "benchd" else carried[name]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        assert part["hashes"] == [{"alg": "SHA-256", "content": digest}]


@pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap isn't there")
def test_a_bundle_with_a_changed_byte_changes_nothing(debian: Path, bundle: Path) -> None:
    [wheel] = bundle.glob("wheels/anyio-*.whl")
    kept, before = wheel.read_bytes(), releases_in(debian)
    wheel.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    try:
        told = refused(debian, by=bundle / "scripts/install")
    finally:
        wheel.write_bytes(kept)
    assert f"wheels/{wheel.name}: FAILED" in told
    assert "nothing was changed" in told
    assert releases_in(debian) == before


def releases_in(root: Path) -> set[Path]:
    return {*root.glob("opt/benchd/*"), *root.glob("opt/benchd/releases/*")}


@pytest.mark.nightly
def test_the_same_commit_gives_the_same_bytes(release: Path, tmp_path: Path) -> None:
    run(ROOT / "scripts/release", "--trial", tmp_path)
    again = tmp_path / release.name
    for path in release.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name
