"""An order, and providers made of real programs."""

from __future__ import annotations

import sys
from pathlib import Path

from benchd.devices.felica.providers.external_tool import ExternalTool, external_tool
from benchd.domain.clear import ClearOrder
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId, SlotName

IDENTITY = HandsetIdentity(
    serial="S3R1AL",
    manufacturer="Sony",
    model="SO-51B",
    android="14",
    build="build",
    imei="490154203237518",
)
ORDER = ClearOrder(job=JobId("job-1"), slot=SlotName("A1"), identity=IDENTITY, consent="佐藤")
CODES: dict[str, object] = {
    "0": "done",
    "2": "already_initial",
    "3": "unsupported",
    "4": "needs_operator",
    "5": "retryable",
    "6": "fatal",
}


def tool(folder: Path, script: str, *arguments: str, **options: object) -> ExternalTool:
    """A provider that runs this Python script."""
    file = folder / "tool.py"
    file.write_text(script)
    command = [sys.executable, str(file), *arguments]
    return external_tool("tool", {"command": command, "exit_codes": CODES, **options}, folder)()
