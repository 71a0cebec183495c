"""Nothing is shipped without a licence that is known."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.metadata import RawMetadata
from release_rig import DEBIAN, wheel_of

from benchd.lab.release.carried import fonts_in, licence_of_go, programs_in
from benchd.lab.release.licence_report import report_of
from benchd.lab.release.licences import LicenceUnknown, licence_of, read_by_a_person
from benchd.lab.release.part import Release


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        (RawMetadata(license_expression="MIT OR Apache-2.0"), "MIT OR Apache-2.0"),
        (RawMetadata(license="apache-2.0"), "Apache-2.0"),
        (RawMetadata(name="Aiosignal", license="Apache 2.0"), "Apache-2.0"),
        (
            RawMetadata(
                name="segno", classifiers=["License :: OSI Approved :: BSD License", "Topic :: X"]
            ),
            "BSD-3-Clause",
        ),
    ],
)
def test_what_a_package_says_is_its_licence(said: RawMetadata, licence: str) -> None:
    assert licence_of(said) == licence


@pytest.mark.parametrize(
    "said",
    [
        RawMetadata(name="anew"),
        RawMetadata(name="anew", license="see LICENSE"),
        RawMetadata(name="anew", license_expression="Not-A-Licence"),
        RawMetadata(name="anew", classifiers=["License :: OSI Approved :: BSD License"]),
        # It said "Apache 2.0" when somebody read its licence.
        RawMetadata(name="aiosignal", license="Apache 2.0 with our changes"),
    ],
)
def test_a_package_whose_licence_nobody_knows_is_refused_with_the_cure(said: RawMetadata) -> None:
    with pytest.raises(LicenceUnknown, match=rf"write \[{said.get('name')}\]"):
        licence_of(said)


def test_nobody_has_read_a_licence_in_vain(pins: dict[str, str]) -> None:
    for name, entry in read_by_a_person().items():
        assert name in pins, f"{name} is shipped no more"
        told = metadata.metadata(name)
        assert "License-Expression" not in told, f"{name} says it in SPDX now"
        assert licence_of(_raw(told)) == entry["licence"]


def _raw(told: metadata.PackageMetadata) -> RawMetadata:
    classifiers = told.get_all("Classifier") or []
    [said] = told.get_all("License") or [""]
    return RawMetadata(name=told["Name"], license=said, classifiers=classifiers)


def test_a_font_without_its_licence_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "wheel", "w") as wheel:
        wheel.writestr("benchd/a/OFL.txt", "SIL Open Font License, Version 1.1")
        wheel.writestr("benchd/a/a.woff2", "")
        assert [font.name for font in fonts_in(wheel)] == ["benchd/a/a.woff2"]
        wheel.writestr("benchd/b/b.woff2", "")
        with pytest.raises(LicenceUnknown, match=r"benchd/b/b\.woff2"):
            fonts_in(wheel)


def go(folder: Path, *lines: str) -> Path:
    """A go that tells this of the folder that it is asked about."""
    script = folder / "go"
    script.write_text("#!/bin/sh\n" + "\n".join(f'echo "{line}"' for line in lines))
    script.chmod(0o755)
    return script


def test_a_module_in_the_programs_for_handsets_needs_somebody_to_read_its_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "wheel", "w") as wheel:
        wheel.writestr("benchd/devices/android/filler/bin/benchd-fill-arm64", "")
        head = "$3/benchd-fill-arm64: go1.27.3"
        monkeypatch.setenv("BENCHD_GO", str(go(tmp_path, head)))
        assert [part.version for part in programs_in(wheel)] == ["1.27.3"]
        dependency = "\tdep\texample.com/module\tv1.2.3\th1:hash="
        monkeypatch.setenv("BENCHD_GO", str(go(tmp_path, head, dependency)))
        with pytest.raises(LicenceUnknown, match=r"example\.com/module"):
            programs_in(wheel)
        monkeypatch.setenv("BENCHD_GO", str(go(tmp_path, "")))
        with pytest.raises(ValueError, match="of 1 programs, 0 say"):
            programs_in(wheel)


def test_the_report_has_each_part_and_the_text_that_no_wheel_brings(release: Release) -> None:
    report = report_of(release, licence_of_go())
    for line in (
        "| pyscard | 2.3.1 | LGPL-2.1-or-later |",
        "| MPL-2.0 | certifi |",
        "| benchd/papers/fonts/BIZUDPGothic-Bold.ttf |  | OFL-1.1 | ",
        "| Go's runtime and standard library | ",
        "| adb | 1:34.0.5-12 |",
        "| BSD-3-Clause | typer | https://github.com/pallets/click | `typer/_click/LICENSE.txt` |",
        "| llhttp |  | MIT | aiohttp | https://github.com/nodejs/llhttp | `aiohttp-",
        " | cryptography | pkg:generic/openssl@",
        "    Copyright 2009 The Go Authors.",
    ):
        assert line in report
    assert all(f"| {part.name} | {part.version} |" in report for part in release.parts[:20])


def written(wheels: Path, out: Path, seed: str) -> subprocess.CompletedProcess[str]:
    out.mkdir()
    (out / "debian").write_text(DEBIAN)
    command = [sys.executable, "-m", "benchd.lab.release", wheels, out, "--debian", out / "debian"]
    return subprocess.run(
        [*command, "--processor", "amd64", "--made-at", "1795000000"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": seed},
    )


def test_both_papers_are_the_same_when_they_are_written_again(wheels: Path, tmp_path: Path) -> None:
    once, again = tmp_path / "once", tmp_path / "again"
    for out, seed in ((once, "1"), (again, "2")):
        assert written(wheels, out, seed).returncode == 0
    for name in ("sbom.cdx.json", "LICENCES.md"):
        assert (once / name).read_bytes() == (again / name).read_bytes()


def test_a_release_with_a_package_of_unknown_licence_is_not_made(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheel_of(wheels, metadata.distribution("benchd")), "a") as own:
        own.writestr("benchd/commit.txt", "")
    with zipfile.ZipFile(wheels / "anew-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("anew-1.0.dist-info/METADATA", "Metadata-Version: 2.4\nName: anew\n")
    done = written(wheels, tmp_path / "out", "1")
    assert done.returncode == 1
    assert "write [anew]" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["debian"]
