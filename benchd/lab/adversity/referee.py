"""The rules of the game, held against the truth after every record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from benchd.certificate import verify_certificate
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence, JobId, JsonValue, SlotName
from benchd.domain.job import Disposition, Gate, StageName
from benchd.domain.record import EntryKind, Receipt, StoredEntry
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.histories import Histories
from benchd.lab.adversity.kinds import Lie
from benchd.lab.adversity.lots import Papers
from benchd.lab.adversity.truth import Truth
from benchd.lab.adversity.untrue import (
    own_chip,
    trusts_reader,
    untrue_of_erased,
    untrue_of_named,
    was_rechecked,
)

DOOR_S: Final = 11.0
"""A job that was let in at the last moment is on record once a slow disk has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that was broken, and where."""

    rule: str
    slot: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule} ({self.slot}): {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a job has ended, on record."""

    slot: str
    handset: str
    disposition: str
    reason: str | None
    detail: str


class Referee:
    """Sees every record that was acknowledged, and every handset as it is at that moment."""

    def __init__(
        self,
        bays: Mapping[SlotName, Bay],
        public_key_pem: bytes,
        papers: Papers | None = None,
    ) -> None:
        self._bays = bays
        self._papers = papers
        self.histories = Histories()
        self.whose = self.histories.whose
        self._cited: dict[JobId, dict[str, str]] = {}
        self._withdrawn: set[str] = set()
        self._public_key_pem = public_key_pem
        self._opened: dict[JobId, SlotName] = {}
        self._opened_at: dict[JobId, int] = {}
        self._ended_at: dict[JobId, int] = {}
        self._sold: set[JobId] = set()
        self._keys: dict[JobId, str] = {}
        self._chips: dict[JobId, str] = {}
        self._sold_chips: dict[str, str] = {}
        self._seen_with: dict[str, dict[str, int]] = {}
        """Under which handsets a chip is on record, and each one's first record of it."""
        self._drawn: set[str] = set()
        """Handsets that were drawn for a recheck at any time."""
        self.ends: dict[JobId, End] = {}
        self.faults: list[Fault] = []
        self.untold_from: int | None = None
        """From this record on somebody has changed what was acknowledged."""
        self.held_since_s: float | None = None
        """When a break was told: nothing new begins until somebody has settled it."""

    def saw(self, stored: StoredEntry) -> None:
        """Judge what has just been put on record."""
        entry = stored.entry
        if entry.kind is EntryKind.ATTESTATION_WITHDRAWN:
            tags = entry.data["tags"]
            self._withdrawn.update(map(str, tags) if isinstance(tags, Sequence) else ())
        if entry.job is None or entry.slot is None:
            return
        self.histories.saw(stored, self._bays[entry.slot])
        match entry.kind:
            case EntryKind.JOB_OPENED:
                self.histories.opened(entry.job, self._bays[entry.slot])
                self._opened[entry.job] = entry.slot
                self._opened_at[entry.job] = stored.sequence
                self._judge_door(entry.job, entry.slot)
            case EntryKind.STAGE_ENDED:
                self._remember(entry.job, stored.sequence, entry.data)
            case EntryKind.RECHECK_DRAWN:
                self._drew(entry.slot, entry.data)
            case EntryKind.JOB_ENDED:
                self._ended(entry.job, entry.slot, entry.data)
                self._ended_at[entry.job] = stored.sequence
            case _:
                pass

    def closed(self, job: JobId, later: JobId) -> None:
        """What is held after one job is closed by a later one."""
        for rule, detail in self.histories.judged(self.histories.closed(job, later)):
            self._fault(rule, "", detail)

    def _judge_door(self, job: JobId, slot: SlotName) -> None:
        held_s = self.held_since_s
        if held_s is not None and anyio.current_time() - held_s > DOOR_S:
            self._fault("nothing begins on a broken ledger", slot, f"{job} was opened")

    def shown(self, job: JobId | None, slot: str, where: str) -> None:
        """Something is shown as sellable."""
        if job not in self._sold:
            self._fault("what is shown sellable was sold", slot, f"{job} {where}")

    def unnoticed(self) -> None:
        """Nobody was told that the ledger isn't what benchd has written."""
        self._fault("a break is noticed", "", "the ledger was changed, and nothing says so")

    def lost_after(self, kept: int) -> None:
        """All that followed this record is lost, by a hand that nobody can see or by a restore."""
        for job in [job for job, at in self._ended_at.items() if at > kept]:
            del self._ended_at[job]
        for job in [job for job, at in self._opened_at.items() if at > kept]:
            del self._opened_at[job], self._opened[job]
        for chip, seen in self._seen_with.items():
            self._seen_with[chip] = {name: at for name, at in seen.items() if at <= kept}

    def _drew(self, slot: SlotName, data: Evidence) -> None:
        truth = self._bays[slot].judged()
        if data["drawn"] is True and truth is not None:
            self._drawn.add(truth.name)

    def _remember(self, job: JobId, sequence: int, data: Evidence) -> None:
        evidence = data.get("evidence")
        if not isinstance(evidence, Mapping):
            return
        self._remember_cited(job, evidence.get("settled"))
        key, chip = evidence.get("key_sha256"), evidence.get("chip")
        if isinstance(key, str):
            self._keys[job] = key
        truth = self._bays[self._opened[job]].judged()
        if isinstance(chip, str) and truth is not None:
            self._seen_with.setdefault(chip, {}).setdefault(truth.name, sequence)
        if isinstance(chip, str) and data.get("stage") == StageName.FELICA_RECHECK:
            self._chips[job] = chip
        if evidence.get("tied") is True:
            self._judge_tie(self._opened[job], chip)

    def _remember_cited(self, job: JobId, settled: JsonValue) -> None:
        found = [settled] if isinstance(settled, Mapping) else settled
        for each in found if isinstance(found, Sequence) else ():
            cited = each.get("cited") if isinstance(each, Mapping) else None
            if isinstance(each, Mapping) and isinstance(cited, Mapping):
                self._cited.setdefault(job, {})[str(each.get("gate"))] = str(cited.get("tag"))

    def _ended(self, job: JobId, slot: SlotName, data: Evidence) -> None:
        if job in self._ended_at:
            self._fault("a job has one end", slot, f"{job} has a second one")
        truth = self._bays[slot].judged()
        reason = data["reason"]
        self.ends[job] = End(
            slot=slot,
            handset="" if truth is None else truth.name,
            disposition=str(data["disposition"]),
            reason=reason if isinstance(reason, str) else None,
            detail=str(data["detail"]),
        )
        for rule, detail in self.histories.judged(
            self.histories.ended(job, self._bays[slot], data)
        ):
            self._fault(rule, slot, detail)
        sellable = data["disposition"] == Disposition.SELLABLE
        if sellable is not (data["certificate"] is not None):
            self._fault("sellable means certified", slot, f"{job}: one without the other")
        if sellable:
            self._sold.add(job)
            self._judge_sale(job, slot, truth, str(data["certificate"]))

    def _judge_sale(self, job: JobId, slot: SlotName, truth: Truth | None, envelope: str) -> None:
        if truth is None:
            self._fault("sellable is what lies there", slot, "nothing lies there")
            return
        for fault in untrue_of_erased(truth, self._keys.get(job, "")):
            self._fault("sellable means erased", slot, f"{truth.name}: {fault}")
        sold = self.histories.sold(job, self._bays[slot], truth)
        for rule, detail in self.histories.judged(sold):
            self._fault(rule, slot, detail)
        self._judge_chip(job, slot, truth)
        self._judge_cited(job, slot, truth)
        try:
            statement = verify_certificate(envelope.encode(), self._public_key_pem)
        except CertificateInvalid as invalid:
            self._fault("a certificate verifies", slot, str(invalid))
            return
        if truth.name in self._drawn and not was_rechecked(statement):
            self._fault("what was drawn is sold by its recheck alone", slot, truth.name)
        own = own_chip(truth)
        if self._chips.get(job, own) != own and not trusts_reader(statement):
            self._fault("what is trusted is said", slot, f"{truth.name}: another chip was read")
        for fault in untrue_of_named(truth, statement):
            self._fault("a certificate names what lies there", slot, f"{truth.name}: {fault}")

    def _judge_cited(self, job: JobId, slot: SlotName, truth: Truth) -> None:
        """What was cited for a handset that is sold was stated of that very handset."""
        for gate, tag in self._cited.get(job, {}).items():
            paper = self._papers.of.get(truth.name) if self._papers else None
            told = f"{truth.name}: {gate} of {tag}"
            if paper is None or paper.tag != tag or (paper.excepted and gate != Gate.NETWORK):
                self._fault("what is cited was stated of it", slot, told)
            elif tag in self._withdrawn and gate != Gate.NETWORK:
                self._fault("what is cited wasn't withdrawn", slot, told)

    def _judge_chip(self, job: JobId, slot: SlotName, truth: Truth) -> None:
        chip = self._chips.get(job)
        seen_with = self._sold_chips.setdefault(chip, truth.name) if chip else truth.name
        if seen_with != truth.name:
            self._fault("a chip is one handset's", slot, f"{truth.name} has that of {seen_with}")
        in_use = truth.chip is not None and truth.chip.in_use
        if in_use and not self._is_trusted(slot, chip, truth):
            self._fault("sellable means an unused chip", slot, f"{truth.name}: its chip is in use")

    def _is_trusted(self, slot: SlotName, chip: str | None, truth: Truth) -> bool:
        """A donor's chip or a forgotten card is found at its second handset, and not before."""
        lie, donor = self._bays[slot].plan.handset.lie, self._bays[slot].donor
        if lie is Lie.CARD:
            is_card = donor is not None and donor.number == chip
            return is_card and self._seen_with.get(chip or "", {}).keys() == {truth.name}
        return lie is Lie.DONOR

    def finished(self, records: Sequence[StoredEntry]) -> None:
        """Whether every job has an end, once all is over."""
        ended = {r.entry.job for r in records if r.entry.kind is EntryKind.JOB_ENDED}
        for job, slot in self._opened.items():
            if job not in ended:
                self._fault("a job has one end", slot, f"{job} has none")

    def _judge_tie(self, slot: SlotName, chip: object) -> None:
        """A chip that is said to be this handset's own is no donor's."""
        truth = self._bays[slot].judged()
        if truth is None or chip != own_chip(truth):
            self._fault("a tied chip is its handset's own", slot, f"{chip} isn't")

    def reopened(self, records: Sequence[StoredEntry], acknowledged: Sequence[Receipt]) -> None:
        """Whether the ledger still holds all that it has acknowledged."""
        held = {record.sequence: record.hash_hex for record in records}
        for receipt in acknowledged:
            if self.untold_from is not None and receipt.sequence >= self.untold_from:
                continue
            if held.get(receipt.sequence) != receipt.hash_hex:
                self._fault("what was acknowledged is kept", "", f"record {receipt.sequence}")

    def _fault(self, rule: str, slot: str, detail: str) -> None:
        self.faults.append(Fault(rule=rule, slot=slot, detail=detail))

    def stuck(self, slot: str, detail: str) -> None:
        """A slot that doesn't come to an end though the storm is over."""
        self._fault("no slot is stuck", slot, detail)

    def doomed(self, slot: str, detail: str) -> None:
        """Somebody's honest handset is to be destroyed."""
        self._fault("an honest handset is never doomed", slot, detail)

    def broken(self, slot: str, detail: str) -> None:
        """A handset that had to end sellable didn't, or something else that had to be wasn't."""
        self._fault("an honest handset ends sellable", slot, detail)
