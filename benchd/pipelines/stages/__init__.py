"""The steps that recipes are made of: each stands in the file of its name and describes itself."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final, cast

from benchd.domain.job import StageName
from benchd.pipelines.stage_contract import Stage, StageDescription
from benchd.proof.stage_order import REQUIRED_STAGES


def _names() -> list[StageName]:
    """Those of an erasure in its order, then what other recipes have besides."""
    first = [*REQUIRED_STAGES, StageName.CERTIFY]
    found = [StageName(module.name) for module in iter_modules(__path__)]
    return [*first, *sorted(name for name in found if name not in first)]


def _class_of(name: StageName) -> type[Stage]:
    """The class in the file of this name that describes this stage."""
    module = import_module(f"{__name__}.{name}")
    for value in vars(module).values():
        describes = getattr(value, "describes", None)
        if isinstance(describes, StageDescription) and describes.name is name:
            return cast("type[Stage]", value)
    raise TypeError(f"no class of {module.__name__} describes the stage {name}")


STAGE_CLASSES: Final[Mapping[StageName, type[Stage]]] = MappingProxyType(
    {name: _class_of(name) for name in _names()}
)
"""Every stage that there is, by its name."""
