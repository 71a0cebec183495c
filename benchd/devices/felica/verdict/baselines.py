"""Pictures of unused chips, as versioned data with provenance: what may be there, by IC type."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from benchd.devices.felica.protocol.chip_errors import DataFileInvalid, NodeListInvalid
from benchd.devices.felica.protocol.codes import ROOT, Node, ordered, read_system, system_text
from benchd.devices.felica.protocol.generation import is_handset_chip
from benchd.devices.felica.protocol.tree import check_tree
from benchd.devices.felica.verdict.data_file import (
    NodeText,
    SystemText,
    Table,
    Words,
    nodes_of,
    read_data,
    read_data_file,
    refused,
)
from benchd.devices.felica.verdict.nodes import NodeCatalogue
from benchd.domain.chip import BaselineKind
from benchd.signing import canonical
from benchd.signing.public_key import Signer, has_signed

SIGNED_FOR: Final = b"benchd baseline v1\n"
"""Stands before what is signed, so that a signature made for anything else is none here."""
_SHIPPED = "baselines.toml"
_TRUST: Final = (BaselineKind.OBSERVED, BaselineKind.SIMULATED, BaselineKind.INFERRED)
"""Which kind is asked first. Simulated ones are only there where the configuration accepts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What an unused chip of some IC types may have."""

    name: str
    version: int
    kind: BaselineKind
    ic_types: frozenset[int]
    provenance: str
    systems: Mapping[int, frozenset[Node]]
    """Allowed nodes by system; a system that isn't here is residue with all its nodes."""
    optional: frozenset[int]
    """Those of the systems that an unused chip may lack; all others it has."""
    sha256: str = ""
    """Of all the above as it was read, whoever signed it."""

    @property
    def label(self) -> str:
        """Name and version, for the record."""
        return f"{self.name} v{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """All baselines that a scan may be compared with, the most trustworthy kind first."""

    all: tuple[Baseline, ...]

    def of(self, ic_type: int) -> tuple[Baseline, ...]:
        """The baselines of an IC type; empty where nothing is known of it."""
        return tuple(baseline for baseline in self.all if ic_type in baseline.ic_types)


def load_baselines(
    catalogue: NodeCatalogue, extra: Sequence[Path] = (), *, signer: Signer | None = None
) -> Baselines:
    """The shipped baselines and those of further files of any kind; raises DataFileInvalid.

    That a chip was observed counts only where the rack's own key, `signer`, has signed it.
    """
    text = resources.files("benchd.devices.felica.verdict").joinpath(_SHIPPED).read_text("utf-8")
    read = [(_SHIPPED, parse_baselines(text, _SHIPPED, catalogue))]
    read += [
        (str(path), _values(read_data_file(path, _File), str(path), catalogue, signer))
        for path in extra
    ]
    origin: dict[str, str] = {}
    for file, baselines in read:
        for baseline in baselines:
            if baseline.name in origin:
                mistake = f"baseline {baseline.name} stands in {origin[baseline.name]} already"
                raise DataFileInvalid(file, (f"{mistake}; a name is allowed once",))
            origin[baseline.name] = file
    found = [baseline for _, baselines in read for baseline in baselines]
    return Baselines(all=tuple(sorted(found, key=lambda baseline: _TRUST.index(baseline.kind))))


def parse_baselines(
    text: str, file: str, catalogue: NodeCatalogue, *, signer: Signer | None = None
) -> tuple[Baseline, ...]:
    """The baselines of a text; `file` is what messages call it. Raises DataFileInvalid."""
    return _values(read_data(text, file, _File), file, catalogue, signer)


def captured_digests(files: Sequence[Path], signer: Signer) -> frozenset[str]:
    """What a rotation names those by that the rack has captured: SHA-256 of what it signed."""
    read = [one for file in files for one in read_data_file(file, _File).baseline]
    return frozenset(
        hashlib.sha256(signed_bytes(_value(one))).hexdigest()
        for one in read
        if has_signed(signer, signed_bytes(_value(one)), bytes.fromhex(one.signature or ""))
    )


def signed_bytes(baseline: Baseline) -> bytes:
    """What the rack's key signs of a baseline that it has captured: everything that it says."""
    return SIGNED_FOR + _content(baseline)


def _content(baseline: Baseline) -> bytes:
    return canonical.encode(
        {
            "name": baseline.name,
            "version": baseline.version,
            "kind": baseline.kind,
            "ic_types": sorted(baseline.ic_types),
            "provenance": baseline.provenance,
            "systems": {
                system_text(system): [node.text for node in ordered(nodes)]
                for system, nodes in baseline.systems.items()
            },
            "optional": sorted(map(system_text, baseline.optional)),
        }
    )


def _ic_type(value: object) -> object:
    digits = value if isinstance(value, str) else ""
    try:
        ic_type = int(digits, 16)
    except ValueError:
        ic_type = -1
    if digits != f"{ic_type:02X}" or not is_handset_chip(ic_type):
        raise refused('the IC type of a handset\'s chip is allowed here: "06", "07", "10" to "1F"')
    return ic_type


def _kind(value: object) -> object:
    kinds = list(BaselineKind)
    if value not in kinds:
        raise refused(f"allowed are {', '.join(kinds)}")
    return BaselineKind(value)


class _System(Table):
    code: SystemText
    nodes: list[NodeText] = Field(min_length=1)
    optional: bool = False

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        nodes = nodes_of(self.nodes)
        if len(nodes) != len(self.nodes):
            raise refused("a node stands twice")
        try:
            check_tree(nodes)
        except NodeListInvalid as invalid:
            raise refused(str(invalid)) from invalid
        return self


class _Baseline(Table):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    version: int = Field(ge=1, le=9999)
    kind: Annotated[BaselineKind, BeforeValidator(_kind)]
    ic_types: list[Annotated[int, BeforeValidator(_ic_type)]] = Field(min_length=1)
    provenance: Words
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")] | None = None
    system: list[_System] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_each_system_once(self) -> Self:
        if len({system.code for system in self.system}) != len(self.system):
            raise refused("a system stands twice")
        if all(system.optional for system in self.system):
            raise refused("a system that isn't optional is needed: an empty chip proves nothing")
        return self


class _File(Table):
    baseline: list[_Baseline] = Field(min_length=1)


def _values(
    file: _File, name: str, catalogue: NodeCatalogue, signer: Signer | None = None
) -> tuple[Baseline, ...]:
    baselines = tuple(_trusted(baseline, signer) for baseline in file.baseline)
    mistakes = tuple(
        f"baseline {baseline.name}: {system_text(system)}/{node.text} is a node of {owner.en}; "
        "an unused chip doesn't have it"
        for baseline in baselines
        for system, nodes in baseline.systems.items()
        if not catalogue.may_remain(system)
        for node in sorted(nodes - {ROOT}, key=str)
        if (owner := catalogue.owner(system, node))
    )
    if mistakes:
        raise DataFileInvalid(name, mistakes)
    return baselines


def _trusted(read: _Baseline, signer: Signer | None) -> Baseline:
    """What somebody typed was never observed, whatever it says of itself."""
    said = _value(read)
    baseline = replace(said, sha256=hashlib.sha256(_content(said)).hexdigest())
    signature = bytes.fromhex(read.signature or "")
    captured = signer is not None and has_signed(signer, signed_bytes(said), signature)
    if baseline.kind is BaselineKind.OBSERVED and not captured:
        return replace(baseline, kind=BaselineKind.INFERRED)
    return baseline


def _value(baseline: _Baseline) -> Baseline:
    systems = {read_system(system.code): nodes_of(system.nodes) for system in baseline.system}
    return Baseline(
        name=baseline.name,
        version=baseline.version,
        kind=baseline.kind,
        ic_types=frozenset(baseline.ic_types),
        provenance=baseline.provenance,
        systems=MappingProxyType(systems),
        optional=frozenset(
            read_system(system.code) for system in baseline.system if system.optional
        ),
    )
