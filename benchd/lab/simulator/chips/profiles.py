"""Reads profiles.toml: the kinds of virtual chips, and what is on them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from benchd.domain.errors import UsageRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class IcProfile:
    """What all chips of one kind have in common; bytes are hex digits."""

    pmm: str
    share_of_pmm: float
    first_packet: int
    commands: tuple[str, ...]
    product: str
    specification: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemProfile:
    """One system and its nodes, as in the file."""

    code: str
    number: int
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentProfile:
    """What is on a chip."""

    systems: tuple[SystemProfile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    ic: dict[str, IcProfile]
    profile: dict[str, ContentProfile]


def ic_profile(ic_type: str) -> IcProfile:
    """A kind of chip by PMm's second byte, two hex digits."""
    found = _file().ic.get(ic_type)
    if found is None:
        raise UsageRefused(f"no virtual chip of IC type {ic_type}; there are: {_names('ic')}")
    return found


def content_profile(name: str) -> ContentProfile:
    """What is on a chip, by name."""
    found = _file().profile.get(name)
    if found is None:
        raise UsageRefused(f"no chip profile {name}; there are: {_names('profile')}")
    return found


def _names(table: str) -> str:
    return ", ".join(_file().ic if table == "ic" else _file().profile)


@cache
def _file() -> _File:
    text = (resources.files("benchd.lab.simulator.chips") / "profiles.toml").read_text()
    return TypeAdapter(_File).validate_python(tomllib.loads(text))
