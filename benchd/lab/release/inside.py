"""What a wheel has inside of itself that others have made: told by its own bill, or by a person.

A bill lies in `sboms` (PEP 770). What has none is written down in `inside.toml`, with a mark that
is looked for in the wheel again. A wheel with a sign of such a part that nobody has explained makes
no release.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol, cast

from packaging.utils import canonicalize_name

from benchd.lab.release.licences import LicenceUnknown
from benchd.lab.release.part import Inner

_KNOWN: Final = Path(__file__).with_name("inside.toml")
_TEXTS: Final = ("licen", "copying", "notice")
"""How names of files with licences begin, in either spelling."""
_CODE: Final = (".py", ".pyi", ".js")
_NATIVE: Final = re.compile(r"\.so(\.[0-9.]+)?$")
_OTHERS: Final = {"vendor", "_vendor", "vendored", "_vendored", "third_party"}
"""Names of folders that others' code is kept in."""


class Files(Protocol):
    """A wheel's files by their paths, as `zipfile.ZipFile` has them."""

    def namelist(self) -> list[str]:
        """Paths, of folders too where they end in a slash."""
        ...

    def read(self, name: str, /) -> bytes:
        """The content of one of them."""
        ...


def inside_of(wheel: Files, name: str) -> tuple[Inner, ...]:
    """All that a wheel of the package `name` carries inside, in order.

    Raises:
        LicenceUnknown: It has signs of a part that nobody has written down, or what was written
            down isn't there any more.
    """
    paths = [path for path in wheel.namelist() if not path.endswith("/")]
    bills = [path for path in paths if ".dist-info/sboms/" in path]
    entries = known_by_a_person(name)
    found = {each for path in bills for each in _told_by(path, wheel.read(path), name)}
    found |= {_seen_in(wheel, paths, name, entry) for entry in entries}
    if unexplained := sorted(_unexplained(paths, name, entries, has_bill=bool(bills))):
        raise LicenceUnknown(
            f"{name} may carry what others have made, and nobody has looked: {unexplained}.\n"
            f"Read what it is, then write it as [[{name}]] into benchd/lab/release/{_KNOWN.name},\n"
            "or its native code, if all of that is its own, into native_code_of_their_own there."
        )
    return tuple(sorted(found))


def is_text(path: str) -> bool:
    """Whether a file's name is that of a licence."""
    name = PurePosixPath(path).name.lower()
    return name.startswith(_TEXTS) and not name.endswith(_CODE)


def known_by_a_person(name: str) -> list[dict[str, Any]]:
    """The entries of `inside.toml` for a package."""
    return cast("list[dict[str, Any]]", _known().get(name, []))


@cache
def _known() -> dict[str, Any]:
    return tomllib.loads(_KNOWN.read_text(encoding="utf-8"))


def packages_known() -> set[str]:
    """Of which packages `inside.toml` says something."""
    lists = ("native_code_of_their_own", "left_out_by_bills")
    return ({*_known()} - {*lists}).union(*(_known()[each] for each in lists))


def _unexplained(
    paths: Iterable[str], name: str, entries: Iterable[dict[str, Any]], *, has_bill: bool
) -> set[str]:
    """Files that may be others' and belong to no entry."""
    own_code = has_bill or bool(entries) or name in _known()["native_code_of_their_own"]
    patterns = [
        pattern
        for entry in entries
        for pattern in (entry["lies_in"], *_texts_of(entry), *entry.get("beside", ()))
    ]
    return {
        path
        for path in paths
        if (_may_be_others(path) or (_NATIVE.search(path) and not own_code))
        and not any(fnmatchcase(path, pattern) for pattern in patterns)
    }


def _may_be_others(path: str) -> bool:
    """A licence beside code or in a folder of its own, or whatever lies in a folder for others'."""
    folder, _, within = path.partition(".dist-info/")
    if within and "/" not in folder:
        return within.startswith("licenses/") and within.count("/") > 1
    return is_text(path) or not _OTHERS.isdisjoint(PurePosixPath(path).parts)


def _texts_of(entry: dict[str, Any]) -> list[str]:
    return cast("list[str]", entry.get("texts", []))


def _seen_in(wheel: Files, paths: list[str], name: str, entry: dict[str, Any]) -> Inner:
    """A part that a person has written down, found again by its mark."""
    files = [path for path in paths if fnmatchcase(path, entry["lies_in"])]
    texts = [[path for path in paths if fnmatchcase(path, each)] for each in _texts_of(entry)]
    mark = re.compile(str(entry.get("mark", "")).encode())
    seen = next((hit for path in files if (hit := mark.search(wheel.read(path)))), None)
    if seen is None or not all(texts):
        raise LicenceUnknown(
            f"{entry['name']} isn't found in {name} any more where benchd/lab/release/{_KNOWN.name}"
            f" has it:\n{entry['lies_in']}. Look what the wheel has inside, and correct the entry."
        )
    return Inner(
        name=str(entry["name"]),
        version=seen.group(1).decode() if mark.groups else "",
        purl="",
        licence=str(entry.get("licence", "")),
        source=str(entry["source"]),
        told_by=", ".join(path for group in texts for path in group) or files[0],
    )


def _told_by(path: str, bill: bytes, own: str) -> list[Inner]:
    """What a bill of materials inside of a wheel names, but for the package itself.

    What isn't CycloneDX as JSON is left alone, as is what a bill names that isn't in the wheel.
    """
    left_out = _known()["left_out_by_bills"].get(own, {})
    try:
        told = cast("dict[str, Any]", json.loads(bill))
        return [
            Inner(
                name=str(part["name"]),
                version=str(part.get("version", "")),
                purl=str(part.get("purl", "")),
                licence=_licence_in(part.get("licenses") or ()) or left_out.get(part["name"], ""),
                source="",
                told_by=path,
            )
            for part in told.get("components", ())
            if not _is_package(str(part.get("purl", "")), own) and part.get("scope") != "excluded"
        ]
    except (ValueError, KeyError, AttributeError, TypeError):
        return []


def _is_package(purl: str, name: str) -> bool:
    """Whether a bill's own package is meant, in whatever spelling of its name."""
    named = re.match(r"pkg:pypi/([^@]+)@", purl)
    return named is not None and canonicalize_name(named[1]) == name


def _licence_in(said: Iterable[dict[str, Any]]) -> str:
    """As CycloneDX has it: one expression, or licences that hold together."""
    told = [
        str(each.get("expression") or each["license"].get("id") or each["license"].get("name", ""))
        for each in said
    ]
    return told[0] if len(told) == 1 else " AND ".join(f"({each})" for each in told)
