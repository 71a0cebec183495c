"""Puts the programs for every handset processor and the catalogue of models into the wheel."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FillProgramHook(BuildHookInterface[BuilderConfig]):
    """Builds what the filler's `build` can build; an editable install builds for itself.

    BENCHD_SKIP_FILLER=1 leaves the programs out, for who ships them in another way.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the catalogue of models, and the programs, which git's ignore list hides."""
        if version == "editable":
            return
        # A checkout has the catalogue where people look for it, a wheel beside its reader.
        build_data["force_include"]["configs/models"] = "benchd/domain/models/shipped"
        self._name_commit(build_data)
        if os.environ.get("BENCHD_SKIP_FILLER") == "1":
            return
        filler = self._own("benchd.devices.android.filler")
        build = self._own("benchd.devices.android.filler.build").build
        for abi, program in itertools.product(filler.ABIS, filler.Program):
            binary: Path = build(abi, program)
            self.app.display_info(f"{program} for {abi}: {binary.stat().st_size} bytes")
            place = binary.relative_to(self.root).as_posix()
            build_data["force_include"][str(binary)] = place

    def _name_commit(self, build_data: dict[str, Any]) -> None:
        """Put the commit into the wheel, which has no git beside it to ask."""
        revision = self._own("benchd.domain.version_info")
        draft = Path(self.directory) / revision.COMMIT_FILE
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(f"{revision.commit_of(Path(self.root))}\n")
        build_data["force_include"][str(draft)] = f"benchd/{revision.COMMIT_FILE}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the draft of the commit's file away again."""
        del version, build_data, artifact_path
        revision = self._own("benchd.domain.version_info")
        (Path(self.directory) / revision.COMMIT_FILE).unlink(missing_ok=True)

    def _own(self, name: str) -> ModuleType:
        """A module of benchd from its sources: none of its dependencies are installed here."""
        sys.path.insert(0, self.root)
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(self.root)
