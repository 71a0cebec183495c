"""What an installation goes without is reached by nothing that a rack does."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session
from install_rig import ROOT, ended, own_environment
from other_wheels import fake_wheels

LEFT_OUT = tomllib.loads((ROOT / "scripts/left-out.toml").read_text())
MODULES = {
    "lxml": "lxml",
    "pillow": "PIL",
    "requests": "requests",
    "urllib3": "urllib3",
    "charset-normalizer": "charset_normalizer",
    "oscrypto": "oscrypto",
    "pycparser": "pycparser",
}
WITHOUT = """
import importlib, pkgutil, sys, tomllib
from fnmatch import fnmatchcase
from importlib.machinery import PathFinder
from pathlib import Path

root, *packages = sys.argv[1:]
sys.path.insert(0, root)
files = tomllib.loads(Path(root, "scripts/left-out.toml").read_text())["files"]
met = set()

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not spec.origin or "site-packages/" not in spec.origin:
            return None
        file = spec.origin.partition("site-packages/")[2]
        gone = any(fnmatchcase(file, pattern) for pattern in files["left_out"])
        if name.partition(".")[0] in packages or (
            gone and not any(fnmatchcase(file, pattern) for pattern in files["but"])
        ):
            met.add(name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, Without)
"""
RACK = """
import benchd
for module in pkgutil.walk_packages(benchd.__path__, "benchd."):
    # What only the lab or a fleet's centre has isn't a rack's.
    others = module.name.startswith(("benchd.lab", "benchd.fleet"))
    if not module.name.endswith(".__main__") and not others:
        importlib.import_module(module.name)

from benchd.certificate import create_key
from benchd.certificate.statement import statement_of
from benchd.domain.evidence_json import to_json
from benchd.papers.labels.zpl import zpl_of
from benchd.papers.typesetting import set_png
from tests.certificate.certificate_rack import ISSUED_AT, proven_erasure
from tests.papers.papers_made import paper, read

key = create_key(Path("rack.key"))
statement = to_json(statement_of(
    proven_erasure(), at=ISSUED_AT, site="Omiya", benchd_version="0.1.0", benchd_commit="4f" * 20
))
print("read", bool(read(paper(statement, key), key)))
print("label", zpl_of(set_png("#set page(width: 40mm, height: 25mm)\\nA1", {}, dpi=203))[:3])

from rich.console import Console
from rich.traceback import Traceback

try:
    raise RuntimeError("told")
except RuntimeError as error:
    told = Traceback.from_exception(type(error), error, error.__traceback__)
    Console(file=sys.stderr).print(told)
print("met", sorted(met))
"""


def without(script: str, folder: Path) -> str:
    """What a script says to which nothing is there that an installation goes without."""
    packages = [MODULES[name] for name in LEFT_OUT["packages"]]
    done = ended(
        *(sys.executable, "-c", WITHOUT + script, ROOT, *packages),
        cwd=folder,
        env=own_environment(),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.timeout(300)
def test_a_rack_signs_reads_and_labels_without_what_is_left_out(tmp_path: Path) -> None:
    told = without(RACK, tmp_path).splitlines()
    assert told[:2] == ["read True", "label b'^XA'"]


def test_what_is_left_out_is_found_where_somebody_reaches_for_it(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    reached = "\n".join(
        f"try: importlib.import_module('{name}')\nexcept ModuleNotFoundError: pass"
        for name in (*MODULES.values(), "cffi", "pygments.lexers.lisp", "pygments.lexers.python")
    )
    told = without(f"{reached}\nprint(*sorted(met))", tmp_path).split()
    assert set(told) == {*MODULES.values(), "cffi", "pygments.lexers.lisp"}


def unpacked(wheels: Path, folder: Path) -> tuple[int, str]:
    done = ended(ROOT / "scripts/unpack-wheels", wheels, folder, env=own_environment())
    return done.returncode, done.stderr


def test_wheels_are_unpacked_without_what_is_left_out(tmp_path: Path) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0", more={"adbutils/binaries/adb": "an adb"})
    assert unpacked(wheels, tmp_path / "program") == (0, "")
    program = tmp_path / "program"
    assert (program / "python").read_text() == "3.13\n"
    assert (program / "packages/benchd/commit.txt").read_text().startswith("0123456789ab")
    assert not (program / "packages/adbutils").exists()


def test_a_program_of_a_wheel_can_be_run_by_anybody_and_nothing_else(tmp_path: Path) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0", more={"benchd/a-program": "run me"})
    [own] = wheels.glob("benchd-*.whl")
    with zipfile.ZipFile(own) as old:
        entries = [(entry, old.read(entry)) for entry in old.infolist()]
    with zipfile.ZipFile(own, "w") as new:
        for entry, data in entries:
            mode = 0o755 if entry.filename == "benchd/a-program" else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            new.writestr(entry, data)
    assert unpacked(wheels, tmp_path / "program") == (0, "")
    files = (tmp_path / "program/packages").rglob("*")
    can_be_run = [file.name for file in files if file.is_file() and file.stat().st_mode & 0o111]
    assert can_be_run == ["a-program"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("benchd/evil.py", "benchd/evil.py isn't as its list has it"),
        ("../evil.py", "../evil.py isn't as its list has it"),
    ],
)
def test_a_file_that_no_list_names_isnt_unpacked(tmp_path: Path, name: str, why: str) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0")
    [own] = wheels.glob("benchd-*.whl")
    with zipfile.ZipFile(own, "a") as archive:
        archive.writestr(name, "evil")
    status, told = unpacked(wheels, tmp_path / "program")
    assert status == 1
    assert why in told


def test_a_listed_file_that_belongs_nowhere_isnt_unpacked(tmp_path: Path) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0", more={"../evil.py": "evil"})
    status, told = unpacked(wheels, tmp_path / "program")
    assert status == 1
    assert "../evil.py belongs nowhere" in told
    assert not (tmp_path / "program/evil.py").exists()


def test_two_wheels_that_bring_one_file_arent_unpacked(tmp_path: Path) -> None:
    wheels = fake_wheels(tmp_path / "wheels", "1.0", more={"smartcard/scard/__init__.py": ""})
    status, told = unpacked(wheels, tmp_path / "program")
    assert status == 1
    assert "FileExistsError" in told


def test_the_centres_package_has_what_a_rack_goes_without_and_botocore_needs() -> None:
    def named(*extra: str) -> set[str]:
        script = ROOT / "scripts/runtime-requirements"
        told = subprocess.run(
            [sys.executable, script, *extra], capture_output=True, text=True, check=True
        )
        return {line.partition("==")[0] for line in told.stdout.splitlines() if line[:1].strip()}

    assert {"botocore", "urllib3", "psycopg"} <= named("fleet")
    assert not {"botocore", "urllib3", "psycopg"} & named()


def test_s3_is_called_with_what_is_left_of_botocore(tmp_path: Path) -> None:
    carried, at = LEFT_OUT["files"], Path(botocore.__file__).parent
    for file in (at / "data").rglob("*.*"):
        path = file.relative_to(at.parent)
        if not any(fnmatchcase(str(path), each) for each in carried["left_out"]) or any(
            fnmatchcase(str(path), each) for each in carried["but"]
        ):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, tmp_path / path)
    session = Session()
    session.register_component(
        "data_loader", Loader([str(tmp_path / "botocore/data")], include_default_search_paths=False)
    )
    client = session.create_client("s3", "us-east-1", endpoint_url="https://store.example")
    assert client.can_paginate("list_object_versions")
    assert sum(1 for each in tmp_path.rglob("*.*") if each.is_file()) < 20
