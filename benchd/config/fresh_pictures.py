"""Fresh pictures on disk: TOML of a fixed form, read whole and valid or refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Final, TypeVar, cast

from benchd.devices.android.facts.account_types import held_by_people
from benchd.domain.errors import CertificateGap, UsageRefused
from benchd.domain.evidence_json import from_json
from benchd.proof.evidence.fresh_evidence import (
    FreshPicture,
    FreshTaking,
    SignedPicture,
    SignedTaking,
    content_of,
)
from benchd.proof.fresh_proof import witness_faults
from benchd.proof.package_places import on_system_partition

PICTURES: Final = "*.picture.toml"
TAKINGS: Final = "*.taking.toml"
_LARGEST: Final = 1 << 20
_TABLES: Final = ("packages", "witnesses")
T = TypeVar("T", SignedPicture, SignedTaking)


def read_pictures(folder: Path) -> tuple[SignedPicture, ...]:
    """All pictures of a folder, whoever has signed them; none where there is no folder.

    Raises UsageRefused for a file that isn't a picture, or that could excuse what none may.
    """
    found = [(path, read_signed(path, SignedPicture)) for path in sorted(folder.glob(PICTURES))]
    for path, signed in found:
        faults = _faults(signed.picture)
        if faults:
            raise UsageRefused(f"{path}: {'; '.join(faults)}")
    return tuple(signed for _, signed in found)


def read_signed(path: Path, kind: type[T]) -> T:
    """What stands in a file; UsageRefused for anything that isn't exactly of its form."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode()
        data = tomllib.loads(text)
        signed = from_json(kind, data, path.name, exact=False)
    except (OSError, ValueError, RecursionError, CertificateGap) as error:
        raise UsageRefused(f"{path}: {error}") from error
    if _written(signed) != data:
        raise UsageRefused(f"{path}: a line is missing in it, or isn't known")
    return signed


def _written(signed: SignedPicture | SignedTaking) -> dict[str, object]:
    content = signed.picture if isinstance(signed, SignedPicture) else signed.taking
    name = "picture" if isinstance(signed, SignedPicture) else "taking"
    return {"signature": signed.signature, name: content_of(content)}


def text_of(signed: SignedPicture | SignedTaking) -> str:
    """The text of such a file."""
    lines = ["# Made by `benchd handset learn-fresh`. A changed byte makes it worthless."]
    lines.append(f"signature = {json.dumps(signed.signature)}")
    name = "picture" if isinstance(signed, SignedPicture) else "taking"
    lines += _table(name, signed.picture if isinstance(signed, SignedPicture) else signed.taking)
    return "\n".join(lines) + "\n"


def _table(name: str, content: FreshPicture | FreshTaking) -> list[str]:
    told = content_of(content)
    lines = ["", f"[{name}]"]
    tables: list[str] = []
    for key, value in told.items():
        if key in _TABLES and value:
            for row in cast("list[dict[str, object]]", value):
                tables += ["", f"[[{name}.{key}]]", *_lines(row)]
        else:
            lines += _lines({key: value})
    return lines + tables


def _lines(table: dict[str, object]) -> list[str]:
    """Keys with texts, whole numbers and lists of texts: TOML writes them as JSON does."""
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]


def _faults(picture: FreshPicture) -> list[str]:
    people = [name for name in picture.maker_account_types if held_by_people(name)]
    faults = [f"accounts of the type {name} aren't known to be a maker's" for name in people]
    faults += [
        f"{package.place} isn't on a partition of the system"
        for package in picture.packages
        if not on_system_partition(package.place)
    ]
    return faults + witness_faults(picture)
