"""The rack's side of a virtual handset's storage process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from ctypes.util import find_library
from dataclasses import asdict
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from benchd.domain.errors import DependencyMissing
from benchd.lab.simulator.lines.child import Child, Message
from benchd.lab.simulator.plan import HandsetPlan
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.lab.simulator.storage.state import StorageFacts

_FACTS = TypeAdapter(StorageFacts)


class Flash:
    """One handset's storage process."""

    def __init__(
        self,
        *,
        plan: HandsetPlan,
        mountpoint: Path,
        directory: Path,
        log: Path,
        on_event: Callable[[Message], None],
    ) -> None:
        self._plan = plan
        self._mountpoint = mountpoint
        self._directory = directory
        self.child = Child(
            name=f"storage of {plan.name}",
            argv=(sys.executable, "-m", "benchd.lab.simulator.storage.process"),
            log=log,
            on_event=on_event,
        )

    async def start(self) -> None:
        """Start the process and order the mount; its event `mounted` tells when it's there."""
        self._mountpoint.mkdir(parents=True)
        plan = self._plan
        await self.child.start(library_environment())
        await self.child.say(
            {
                "mountpoint": str(self._mountpoint),
                "directory": str(self._directory),
                "capacity_bytes": plan.capacity_bytes,
                "reserved_bytes": int(plan.capacity_bytes * plan.reserved_fraction),
                "owner_share": plan.owner_share,
                "swap_share": plan.swap_share,
                "noexec": not plan.runs_programs,
                "fill_marks": self.fill_marks(),
                "faults": asdict(plan.faults),
            }
        )

    def fill_marks(self) -> list[int]:
        """At how many bytes of the fill something befalls the handset."""
        return [
            int(trigger.at_fill_fraction * self._plan.capacity_bytes)
            for trigger in self._plan.triggers
        ]

    async def facts(self) -> StorageFacts:
        """Its present figures."""
        answer = await self.child.ask("facts")
        return _FACTS.validate_python({key: answer[key] for key in answer if key != "id"})

    async def set_faults(self, faults: StorageFaults) -> None:
        """What the chip does wrong from now on."""
        await self.child.ask("faults", faults=asdict(faults))

    async def answer_mark(self) -> None:
        """Let a fill that reached a mark go on."""
        await self.child.ask("answer_mark")

    async def reset(self) -> None:
        """Make the file system anew."""
        await self.child.ask("reset")

    async def residue_blocks(self) -> int:
        """Blocks of the raw chip that still hold the previous owner's data."""
        answer = await self.child.ask("residue")
        return int(str(answer["blocks"]))


@cache
def library_environment() -> Mapping[str, str]:
    """Names libfuse 3, so that not every storage process has to look for it."""
    found = find_library("fuse3")
    if found is None:
        raise DependencyMissing(
            "the virtual rack needs libfuse 3", cure="install the package libfuse3-4"
        )
    return {"FUSE_LIBRARY_PATH": found}
