"""Puts the programs for every handset processor and the catalogue of models into the wheel."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FillProgramHook(BuildHookInterface[BuilderConfig]):
    """Builds what `benchd.filler.build` can build; an editable install builds for itself.

    BENCHD_SKIP_FILLER=1 leaves the programs out, for who ships them in another way.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the catalogue of models, and the programs, which git's ignore list hides."""
        if version == "editable":
            return
        # A checkout has the catalogue where people look for it, a wheel beside its reader.
        build_data["force_include"]["configs/models"] = "benchd/models/shipped"
        if os.environ.get("BENCHD_SKIP_FILLER") == "1":
            return
        # benchd is imported from its sources: here none of its dependencies are installed.
        sys.path.insert(0, self.root)
        try:
            filler = importlib.import_module("benchd.filler")
            build = importlib.import_module("benchd.filler.build").build
        finally:
            sys.path.remove(self.root)
        for abi, program in itertools.product(filler.ABIS, filler.Program):
            binary: Path = build(abi, program)
            self.app.display_info(f"{program} for {abi}: {binary.stat().st_size} bytes")
            place = binary.relative_to(self.root).as_posix()
            build_data["force_include"][str(binary)] = place
