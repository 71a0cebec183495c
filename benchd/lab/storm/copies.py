"""A backup that is written in the middle of a storm, and what of the rack is in it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchd.daemon.rack_backup import back_up
from benchd.domain.errors import BenchdError
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from benchd.lab.storm.machine import Machine
from benchd.lab.storm.storm_folder import House
from benchd.lab.storm.storm_referee import Referee, Rule
from benchd.ledger.manifest import Part, part_path
from benchd.ledger.reader import LedgerReader


class Copies:
    """Whoever backs the rack up, beside its daemon."""

    def __init__(self, machine: Machine, house: House, referee: Referee) -> None:
        self._threads = machine.loop.threads
        self._house = house
        self._referee = referee

    def write(self, acknowledged: Sequence[tuple[JobId, Gate]]) -> None:
        """Begin one, which has to have all that was acknowledged until now."""
        known = tuple(acknowledged)
        self._threads.start(lambda: self._write(known), "backup")

    def _write(self, known: Sequence[tuple[JobId, Gate]]) -> None:
        folder = self._house.folder / "backup"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            manifest, _ = back_up(self._house.settings, folder, pace=self._threads.sleep)
        except BenchdError as error:
            self._referee.broken(Rule.LOST, f"no backup could be written: {error}")
            return
        missing = set(known) - _answers_in(part_path(manifest, Part.LEDGER))
        if missing:
            self._referee.broken(Rule.LOST, f"not in the backup: {sorted(missing)}")


def _answers_in(ledger: Path) -> set[tuple[JobId, Gate]]:
    with closing(LedgerReader(ledger)) as reader:
        return {
            (record.entry.job, Gate(str(record.entry.data.get("gate"))))
            for record in reader.select("WHERE kind = ?", (EntryKind.DECISION.value,))
            if record.entry.job is not None
        }
