"""The words for faults that ledgers hold for ever: every class of fault has one of its own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import benchd
from benchd.domain.errors import AccessLost, HandsetFault
from benchd.domain.job import FaultCode

KEPT = {
    "AdbServerLost": "adb_server_lost",
    "ReaderGone": "reader_gone",
    "HandsetGone": "HandsetGone",
    "TransientFault": "TransientFault",
    "ReaderFault": "ReaderFault",
    "ProgramBusy": "ProgramBusy",
}
"""By class, the word that the ledgers of the first racks hold."""
OF_THE_WORKER = {"ServiceLost": "ReaderGone", "NoChip": "ReaderFault", "Taken": "ReaderFault"}
"""By class that never leaves the readers' own process, the class that it comes out as."""
OF_ITS_BASE = {"ReaderStuck": "ReaderGone"}
"""By class that is one of another, and has its word: a reader that hangs is waited for alike."""


@pytest.fixture(scope="module")
def faults() -> dict[str, type[HandsetFault]]:
    for room in pkgutil.walk_packages(benchd.__path__, "benchd."):
        if not room.name.startswith("benchd.lab") and not room.name.endswith("__main__"):
            importlib.import_module(room.name)
    # That an access is lost is said in the words of its kind of device.
    return {f.__name__: f for f in below(HandsetFault) if f is not AccessLost}


def below(fault: type[HandsetFault]) -> Iterator[type[HandsetFault]]:
    for kind in fault.__subclasses__():
        # Classes of tests are no words of a ledger.
        if kind.__module__.startswith("benchd."):
            yield kind
            yield from below(kind)


def test_every_fault_has_the_word_that_ledgers_hold(
    faults: dict[str, type[HandsetFault]],
) -> None:
    shared = OF_THE_WORKER | OF_ITS_BASE
    codes = {name: str(fault.code) for name, fault in faults.items()}
    assert codes == {**KEPT, **{name: KEPT[out] for name, out in shared.items()}}


def test_every_word_is_some_faults_own(faults: dict[str, type[HandsetFault]]) -> None:
    own = [fault.code for name, fault in faults.items() if name in KEPT]
    assert sorted(own) == sorted(FaultCode)
