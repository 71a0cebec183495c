"""What the ledger has to say once a storm is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final, cast

from benchd.domain.record import EntryKind, StoredEntry
from benchd.lab.storm.office import Office
from benchd.lab.storm.storm_crew import Crew
from benchd.lab.storm.storm_folder import House
from benchd.lab.storm.storm_referee import Referee, Rule
from benchd.ledger.reader import LedgerReader
from benchd.proof.clock_proof import STEP_S

DESTRUCTIVE: Final = frozenset(
    {"felica_erase", "initialise", "overwrite", "felica_clear", "final_reset"}
)
ATTESTED: Final = frozenset({"consent", "jpki"})


def judge_ledger(
    house: House, referee: Referee, crew: Crew, office: Office, *, set_back_s: float
) -> None:
    """Nothing acknowledged is lost, nothing withdrawn was gone by, no step of the clock missed."""
    with closing(LedgerReader(house.settings.ledger.path)) as reader:
        records = reader.select("ORDER BY sequence")
    _nothing_lost(records, referee, crew, office)
    _nothing_withdrawn_was_used(records, referee)
    noticed = any(record.entry.kind is EntryKind.CLOCK_STEPPED for record in records)
    if set_back_s >= STEP_S and not noticed:
        referee.broken(Rule.UNNOTICED, f"{set_back_s:.1f} s in all")


def _nothing_lost(
    records: Sequence[StoredEntry], referee: Referee, crew: Crew, office: Office
) -> None:
    answers = {
        (record.entry.job, record.entry.data.get("gate"))
        for record in records
        if record.entry.kind is EntryKind.DECISION
    }
    for job, gate in crew.answered:
        if (job, gate) not in answers:
            referee.broken(Rule.LOST, f"the answer to {gate}")
    bound = [
        (record.entry.slot, record.entry.data.get("tag"))
        for record in records
        if record.entry.kind is EntryKind.ASSET_BOUND
    ]
    for slot, tag in office.bound:
        if (slot, tag) not in bound:
            referee.broken(Rule.LOST, f"the label {tag} in {slot}")


def _nothing_withdrawn_was_used(records: Sequence[StoredEntry], referee: Referee) -> None:
    """A job that goes by what was attested destroys nothing that it begins after its withdrawal."""
    withdrawn = [r.sequence for r in records if r.entry.kind is EntryKind.ATTESTATION_WITHDRAWN]
    if not withdrawn:
        return
    asked = {
        record.entry.job
        for record in records
        if record.entry.kind is EntryKind.DECISION and record.entry.data.get("gate") in ATTESTED
    }
    cites = {
        record.entry.job
        for record in records
        if record.sequence < withdrawn[0] and _cites(record.entry.data.get("evidence"))
    }
    begun: set[tuple[object, object]] = set()
    for record in records:
        entry = record.entry
        stage = entry.data.get("stage")
        if entry.job not in cites or entry.job in asked or stage not in DESTRUCTIVE:
            continue
        if entry.kind is EntryKind.STAGE_STARTED and record.sequence > withdrawn[0]:
            begun.add((entry.job, stage))
        is_done = entry.kind is EntryKind.STAGE_ENDED and entry.data.get("outcome") == "passed"
        if is_done and (entry.job, stage) in begun:
            referee.broken(Rule.WITHDRAWN, f"{stage} in {entry.slot}")


def _cites(told: object) -> bool:
    """Whether evidence goes by something that was attested at intake."""
    match told:
        case Mapping():
            named = cast("Mapping[str, object]", told)
            return bool(named.get("cited")) or any(map(_cites, named.values()))
        case list() | tuple():
            return any(map(_cites, cast("Sequence[object]", told)))
        case _:
            return False
