"""What wheels carry of others' work is known, and found again in what is really installed."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path

import pytest
from PIL import features

from benchd.lab.release.inside import inside_of, known_by_a_person, packages_known
from benchd.lab.release.licences import LicenceUnknown


class Installed:
    """The files of an installed package as its wheel had them."""

    def __init__(self, name: str) -> None:
        files = metadata.files(name) or ()
        self._files = {
            file.as_posix(): file
            for file in files
            if not file.as_posix().startswith("../") and file.suffix != ".pyc"
        }

    def namelist(self) -> list[str]:
        return list(self._files)

    def read(self, name: str, /) -> bytes:
        return self._files[name].read_binary()

    def native(self) -> set[str]:
        """Whatever the processor runs, by its first bytes."""
        found = set[str]()
        for path, file in self._files.items():
            with Path(str(file.locate())).open("rb") as content:
                if content.read(4) == b"\x7fELF":
                    found.add(path)
        return found


class Made:
    """A wheel of these texts."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def namelist(self) -> list[str]:
        return list(self._files)

    def read(self, name: str, /) -> bytes:
        return self._files[name].encode()


def test_all_that_is_really_installed_is_explained(pins: dict[str, str]) -> None:
    for name in pins:
        package = Installed(name)
        for part in inside_of(package, name):
            assert part.licence or "LICENSES/" in part.told_by, part
        known = known_by_a_person(name)
        patterns = [
            each for entry in known for each in (entry["lies_in"], *entry.get("beside", ()))
        ]
        # A program without the ending of a library is found by no name.
        bare = {path for path in package.native() if ".so" not in path}
        assert not [
            path for path in bare if not any(fnmatchcase(path, each) for each in patterns)
        ], name


WELL_KNOWN = {
    "brotli": rb"brotli_bit_stream",
    "libffi": rb"ffi_prep_closure_loc",
    "libiconv": rb"_libiconv_version",
    "llhttp": rb"llhttp_execute",
    "openssl": rb"OpenSSL [0-9]+\.[0-9]+",
    "sqlite": rb"SQLite format 3",
    "zlib": rb"[dn]e?flate [0-9.]+ Copyright",
    "zstd": rb"ZSTD_compressBlock",
}
"""What is linked into many programs, and what gives it away there."""


def test_what_is_often_linked_in_is_named_wherever_it_is(pins: dict[str, str]) -> None:
    marks = re.compile(b"|".join(b"(%s)" % mark for mark in WELL_KNOWN.values()))
    for name in pins:
        package = Installed(name)
        carried = {part.name for part in inside_of(package, name)}
        for path in package.native():
            found = marks.finditer(package.read(path))
            names = {[*WELL_KNOWN][int(each.lastindex or 0) - 1] for each in found}
            assert names <= carried, (name, path)


def test_what_typer_and_aiohttp_carry_is_found_in_them() -> None:
    [click] = inside_of(Installed("typer"), "typer")
    assert (click.name, click.licence, click.told_by) == (
        "click",
        "BSD-3-Clause",
        "typer/_click/LICENSE.txt",
    )
    assert click.version
    [llhttp] = inside_of(Installed("aiohttp"), "aiohttp")
    assert (llhttp.name, llhttp.licence) == ("llhttp", "MIT")
    assert llhttp.told_by.endswith(".dist-info/licenses/vendor/llhttp/LICENSE")


def test_nobody_has_looked_in_vain(pins: dict[str, str]) -> None:
    assert packages_known() <= set(pins), "shipped no more"


@pytest.mark.parametrize(
    "path",
    [
        "anew/_quick.cpython-313-x86_64-linux-gnu.so",
        "anew.libs/libz-0123.so.1.3.2",
        "anew/_others/LICENSE.txt",
        "anew/_vendor/others.py",
        "anew-1.0.dist-info/licenses/src/others/COPYING",
    ],
)
def test_a_sign_that_nobody_has_explained_is_refused_with_the_cure(path: str) -> None:
    own = {"anew-1.0.dist-info/licenses/LICENSE": "", "anew/copying.py": ""}
    assert inside_of(Made(own), "anew") == ()
    with pytest.raises(LicenceUnknown, match=r"write it as \[\[anew\]\]") as refused:
        inside_of(Made({**own, path: ""}), "anew")
    assert path in str(refused.value)


def test_a_part_that_isnt_there_any_more_has_to_be_looked_at_again() -> None:
    files = {"typer/_click/__init__.py": "adapted from Click: https://a/8.4", "other": ""}
    text = {"typer/_click/LICENSE.txt": ""}
    [click] = inside_of(Made(files | text), "typer")
    assert click.version == "8.4"
    for left in (files, text, {**files, **text, "typer/_click/__init__.py": "own by now"}):
        with pytest.raises(LicenceUnknown, match="click isn't found in typer any more"):
            inside_of(Made(left), "typer")


def test_a_bills_licences_are_told() -> None:
    named = {
        "a": {"licenses": [{"expression": "MIT OR Apache-2.0"}]},
        "b": {"licenses": [{"license": {"id": "IJG"}}, {"license": {"name": "of its own"}}]},
        "c": {"scope": "excluded"},
    }
    bill = {"components": [{"name": name, **more} for name, more in named.items()]}
    path = "anew-1.dist-info/sboms/bill.json"
    found = inside_of(Made({path: json.dumps(bill)}), "anew")
    assert [(part.name, part.licence, part.told_by) for part in found] == [
        ("a", "MIT OR Apache-2.0", path),
        ("b", "(IJG) AND (of its own)", path),
    ]


def test_what_pillows_bill_names_in_vain_really_isnt_in_its_wheel() -> None:
    assert not features.check("libimagequant")
    assert not [path for path in Installed("pillow").native() if "fribidi" in path.lower()]
