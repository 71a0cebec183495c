"""The process behind one virtual handset's /data; the rack steers it by JSON lines.

Its first line on stdin says what to mount. Answers and events go to stdout. When stdin
ends the rack is gone, and so is this process.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

from benchd.lab.simulator.storage.contents import MARK_BYTES
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.lab.simulator.storage.state import StorageState

DEVICE_NAME: Final = "/dev/block/dm-5"
"""What `df` and the mount table call the storage, as on a handset with encrypted /data."""


class StorageOrder(TypedDict):
    """What to mount and where."""

    mountpoint: str
    directory: str
    capacity_bytes: int
    reserved_bytes: int
    owner_share: float
    swap_share: float
    noexec: bool
    fill_marks: list[int]
    faults: dict[str, Any]


class _Request(TypedDict):
    id: int
    do: str
    faults: NotRequired[dict[str, Any]]


class _Voice:
    """Says one JSON line at a time on stdout."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, **line: object) -> None:
        text = json.dumps(line) + "\n"
        with self._lock:
            sys.stdout.write(text)
            sys.stdout.flush()


def main() -> None:
    """Mount, and serve until the rack ends this process."""
    order: StorageOrder = json.loads(sys.stdin.readline())
    voice = _Voice()
    state = StorageState(
        directory=Path(order["directory"]),
        capacity_bytes=order["capacity_bytes"],
        reserved_bytes=order["reserved_bytes"],
        owner_share=order["owner_share"],
        swap_share=order["swap_share"],
        owner_mark=os.urandom(MARK_BYTES),
        fill_marks=order["fill_marks"],
        on_fill_mark=lambda mark: voice.say(event="fill_mark", bytes=mark),
    )
    state.set_faults(StorageFaults(**order["faults"]))
    threading.Thread(target=_listen, args=(state, voice), daemon=True).start()

    # Here, because loading it mounts nothing but takes its time and needs the library.
    import mfusepy  # noqa: PLC0415

    from benchd.lab.simulator.storage.file_system import HandsetFileSystem  # noqa: PLC0415

    mfusepy.FUSE(
        HandsetFileSystem(state, lambda: voice.say(event="mounted")),
        order["mountpoint"],
        foreground=True,
        allow_other=True,
        default_permissions=True,
        noexec=order["noexec"],
        fsname=DEVICE_NAME,
        subtype="virtual",
        entry_timeout=0,
        negative_timeout=0,
        attr_timeout=0,
    )


def _listen(state: StorageState, voice: _Voice) -> None:
    for line in sys.stdin:
        request: _Request = json.loads(line)
        try:
            answer = _obey(state, request)
        except Exception as error:  # noqa: BLE001 - the rack must hear of whatever went wrong
            voice.say(id=request["id"], error=repr(error))
        else:
            voice.say(id=request["id"], **answer)
    os._exit(0)


def _obey(state: StorageState, request: _Request) -> Mapping[str, object]:
    match request["do"]:
        case "facts":
            return asdict(state.facts())
        case "faults":
            state.set_faults(StorageFaults(**request.get("faults", {})))
        case "answer_mark":
            state.answer_mark()
        case "reset":
            state.reset()
        case "residue":
            return {"blocks": state.residue_blocks()}
        case unknown:
            raise ValueError(f"no such request: {unknown}")
    return {}


if __name__ == "__main__":
    main()
