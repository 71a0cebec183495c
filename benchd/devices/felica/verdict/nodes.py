"""The catalogue of nodes that benchd can name, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from benchd.devices.felica.protocol.codes import (
    ROOT,
    Area,
    Node,
    ordered,
    read_node,
    read_system,
    system_text,
)
from benchd.devices.felica.verdict.data_file import (
    NodeText,
    SystemText,
    Table,
    Words,
    read_data,
    refused,
)

_FILE = "nodes.toml"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Name:
    """A name in both languages."""

    en: str
    ja: str


class _Node(Table):
    code: NodeText
    en: str
    """What it is for, empty where nobody knows."""
    ja: str
    sources: list[str] = Field(min_length=1)


class _Owner(Table):
    system: SystemText
    en: Words
    ja: Words
    nodes: list[_Node] = Field(min_length=1)


class _System(Table):
    code: SystemText
    en: Words
    ja: Words
    shared: bool = False
    may_remain: bool = False
    sources: list[str] = Field(min_length=1)


class _File(Table):
    version: Literal[1]
    sources: Mapping[str, Words]
    system: Annotated[list[_System], Field(min_length=1)]
    owner: Annotated[list[_Owner], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        nodes = [(owner.system, node) for owner in self.owner for node in owner.nodes]
        systems = [system.code for system in self.system]
        codes = [(system, node.code) for system, node in nodes]
        if len(set(systems)) != len(systems) or len(set(codes)) != len(codes):
            raise refused("a system or node stands twice")
        if not {owner.system for owner in self.owner} <= set(systems):
            raise refused("an owner's system isn't among the systems")
        cited = [name for _, node in nodes for name in node.sources]
        cited += [name for system in self.system for name in system.sources]
        if set(cited) != set(self.sources):
            raise refused("the sources that are named and those that are used differ")
        return self


class NodeCatalogue:
    """Names of systems and nodes; made once from the shipped file."""

    def __init__(self, file: _File) -> None:
        self._systems = {read_system(system.code): system for system in file.system}
        self._owners: dict[int, dict[Node, Name]] = {}
        for owner in file.owner:
            known = self._owners.setdefault(read_system(owner.system), {})
            name = Name(en=owner.en, ja=owner.ja)
            known.update({read_node(node.code): name for node in owner.nodes})

    def nodes(self, system: int) -> tuple[Node, ...]:
        """Every node of a system that has been seen anywhere, in order."""
        return ordered(frozenset(self._owners.get(system, {})))

    def may_remain(self, system: int) -> bool:
        """Whether an unused chip may have this system with nodes in it."""
        return system in self._systems and self._systems[system].may_remain

    def owner(self, system: int, node: Node) -> Name | None:
        """Whose a node is: its own entry, or the owner of the smallest known area around it.

        None where nobody is known: nothing is said of the system, or many share it.
        """
        known = self._owners.get(system, {})
        entry = self._systems.get(system)
        if node != ROOT and node in known:
            return known[node]
        around = [area for area in known if isinstance(area, Area) and area.holds(node)]
        closest = max(around, key=lambda area: (area.start, -area.end), default=ROOT)
        if closest != ROOT:
            return known[closest]
        if entry is None or entry.shared:
            return None
        return known.get(ROOT, Name(en=entry.en, ja=entry.ja))

    def owners(self, residue: Iterable[tuple[int, Node]]) -> tuple[Name, ...]:
        """Whose so many nodes are, each owner once, by name; who isn't known is said to be."""
        return tuple(
            sorted({self.owner(system, node) or _nobody(system) for system, node in residue})
        )


@cache
def shipped_catalogue() -> NodeCatalogue:
    """The catalogue that is part of benchd."""
    text = resources.files("benchd.devices.felica.verdict").joinpath(_FILE).read_text("utf-8")
    return read_catalogue(text, _FILE)


def read_catalogue(text: str, file: str) -> NodeCatalogue:
    """The catalogue of a text; `file` is what messages call it. Raises DataFileInvalid."""
    return NodeCatalogue(read_data(text, file, _File))


def _nobody(system: int) -> Name:
    code = system_text(system)
    return Name(en=f"unknown owner (system {code})", ja=f"所有者不明（システム {code}）")
