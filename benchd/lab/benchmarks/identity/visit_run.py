"""One visit: the real stages that decide by identity, between records as the others leave them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast

from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import StageFailed
from benchd.domain.evidence_json import FORM, to_json
from benchd.domain.handset import HandsetFacts, ModificationSource
from benchd.domain.job import (
    DISPOSITION_OF,
    Disposition,
    Gate,
    Outcome,
    Reason,
    StageName,
)
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import Entry, EntryKind
from benchd.lab.benchmarks.identity.identity_people import AtTheRack, named
from benchd.lab.benchmarks.identity.shop import SLOT, Shop, Visit
from benchd.lab.usual_handset import USUAL
from benchd.pipelines.assets import bind_if_sure
from benchd.pipelines.chip_history import tie_unless_anothers
from benchd.pipelines.handset_binding import tie_and_name_by_screen
from benchd.pipelines.identity_lookup import handsets_of, refuse_over_reader, resolve_identity
from benchd.pipelines.rack_readers import RackReaders
from benchd.pipelines.stage_contract import JobContext, Station
from benchd.pipelines.stages.certify import drawn_records
from benchd.pipelines.stages.confirm import ConfirmStage
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.erasure import ANDROID_PROFILE
from benchd.proof.evidence.chip_evidence import OPERATOR as BY_EYE
from benchd.proof.evidence.chip_evidence import READER, ChipEvidence, SwitchEvidence, TieEvidence
from benchd.proof.evidence.fresh_evidence import FreshPictures
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.recheck_evidence import DrawRecord, FindDrawnEvidence
from benchd.proof.identity.sighting import Sighting, sighting_of
from benchd.proof.identity.unresolved_jobs import identity_gaps
from benchd.proof.recheck_draw import draw_in
from benchd.proof.watch_list import Wanted, WatchList

SHARE: Final = 0.05
"""Of the handsets that a recipe draws."""
PATTERN: Final = (True, False, True, True, False, True, True)
"""The steps of each tie, as if they were drawn."""
_TOKEN_DRAWN: Final = "0" * 16


class Run:
    """Takes a visit to its end; StageFailed where it ends without a certificate."""

    def __init__(self, shop: Shop, visit: Visit) -> None:
        self._shop = shop
        self._visit = visit
        self._people = AtTheRack(shop, visit)
        nobody: Any = None
        self._context = JobContext(
            job=visit.job,
            slot=SLOT,
            profile=ANDROID_PROFILE,
            device=None,
            station=cast("Station", self._people),
            chips=nobody,
            ledger=shop.kept,
            issuer=nobody,
            clock=shop.clock,
            entropy=_Drawn(shop),
            keystream=nobody,
            models=ModelCatalogue(),
            pictures=FreshPictures(),
            intake=shop.intake,
            readers=RackReaders(),
            other_racks=None,
            holds_unasked=False,
            certifies=True,
            checks_chip_first=True,
            grounds=lambda _context: None,
        )

    async def to_its_end(self) -> Sighting:
        """Returns what is on record of it just before its certificate."""
        await self._inspect()
        await self._gates()
        await self._chip()
        self._overwrite()
        await self._last_reset()
        await self._confirm()
        await self._draw()
        handsets = await handsets_of(self._context)
        gaps = list(identity_gaps(handsets))
        if gaps:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "; ".join(gaps))
        return handsets.me

    @property
    def cited(self) -> str | None:
        """The tag of the asset whose papers have settled something."""
        gates = self._context.evidence.gates
        cited = [each.cited for each in (gates.settled if gates else ()) if each.cited]
        return cited[0].tag if cited else None

    def end(self, reason: Reason | None) -> None:
        """Put the end on record."""
        data = {
            "outcome": Outcome.PASSED if reason is None else Outcome.FAILED,
            "disposition": Disposition.SELLABLE if reason is None else DISPOSITION_OF[reason],
            "reason": reason,
            "detail": "",
            "certificate": "{}" if reason is None else None,
        }
        self._people.put(EntryKind.JOB_ENDED, data)

    # The stages

    async def _inspect(self) -> None:
        opened = {"recipe": "overwrite", "recipe_sha256": "0" * 64, "recheck_share": 0.0}
        self._people.put(EntryKind.JOB_OPENED, opened)
        self._context.facts = facts = self._facts()
        self._passed(StageName.INSPECT, facts)
        await bind_if_sure(self._context)

    async def _gates(self) -> None:
        stage = GatesStage(
            attest=(Gate.JPKI,),
            watch_list=WatchList(
                wanted=Wanted(imeis=frozenset(self._shop.trade.listed), sha256="0" * 64)
            ),
        )
        try:
            result = await stage.run(self._context)
        except StageFailed:
            if self._context.seen is not None:
                self._put_stage(StageName.GATES, self._context.seen, Outcome.FAILED)
            raise
        self._passed(StageName.GATES, result.evidence)
        self._visit.at_gates = False

    async def _chip(self) -> None:
        truth, visit, shop = self._visit.truth, self._visit, self._shop
        if not visit.has_reader:
            refuse_over_reader(await resolve_identity(self._context, by_eye=True))
            self._passed(StageName.FELICA_CHECK, _by_eye(self._people))
            return
        if truth.chip is None:
            self._passed(
                StageName.FELICA_CHECK, ChipEvidence(source=READER, verdict=ChipVerdict.NO_CHIP)
            )
            return
        held = not truth.dirty and shop.happens(shop.mix.held / 2)
        truth.dirty = truth.dirty or held
        tied = shop.happens(shop.mix.tied)
        wrong = tied and shop.happens(shop.mix.wrong_tie)
        seen = shop.trade.neighbour(truth) if wrong else truth
        if wrong:
            visit.told.append("tied to the neighbour's chip")
        if seen.dirty or seen.chip is None:
            self._put_stage(StageName.FELICA_CHECK, _silent(), Outcome.FAILED)
            visit.by_the_mix = held
            truth.unclean = True
            raise StageFailed(Reason.FELICA_SILENT, "a reader saw no unused chip")
        visit.chip_seen = seen.chip
        visit.told.append("its chip tied" if tied else "its chip seen")
        evidence = _unused(seen.chip, tied=tied)
        untied = replace(evidence, tied=False)

        async def tie(_context: JobContext, _seen: ChipEvidence) -> ChipEvidence:
            return evidence

        try:
            await tie_unless_anothers(self._context, untied, tie)
        except StageFailed:
            self._put_stage(StageName.FELICA_CHECK, evidence, Outcome.FAILED)
            raise
        self._passed(StageName.FELICA_CHECK, evidence)
        if seen is truth:
            truth.unclean = False

    def _overwrite(self) -> None:
        shop, visit = self._shop, self._visit
        if shop.happens(shop.mix.doomed / 2):
            visit.truth.doomed = visit.by_the_mix = True
            raise StageFailed(Reason.STORAGE_FAULT, "its storage failed")

    async def _last_reset(self) -> None:
        self._put_stage(StageName.FINAL_RESET, None, Outcome.PASSED)
        self._visit.attachment = "2"
        await tie_and_name_by_screen(self._context, "")

    async def _confirm(self) -> None:
        result = await ConfirmStage().run(self._context)
        self._passed(StageName.CONFIRM, result.evidence)

    async def _draw(self) -> None:
        """What is owed is drawn for certain, and rechecked at once; of the others the mix says."""
        shop, visit = self._shop, self._visit
        records, _others = await drawn_records(self._context)
        draw = draw_in(records)
        if draw is not None:
            visit.told.append(f"drawn: the recheck of {', '.join(draw.owed)} is owed")
            if visit.truth.owed in draw.owed:
                visit.truth.owed = None
            else:
                visit.asked["third person: a recheck that another handset owes"] += 1
            self._rechecked()
        elif shop.happens(shop.mix.held / 2):
            drawn = DrawRecord(share=SHARE, token=_TOKEN_DRAWN, owed=(), drawn=True)
            self._people.put(EntryKind.RECHECK_DRAWN, to_json(drawn))
            visit.truth.owed, visit.by_the_mix = visit.job, True
            raise StageFailed(Reason.RECHECK_DUE, "drawn, and nobody has rechecked it")

    def _rechecked(self) -> None:
        """A third person has, in a job of its own."""
        seen = sighting_of(self._visit.job, self._shop.kept.of(self._visit.job))
        job = self._shop.new_job(self._visit.truth)
        found = FindDrawnEvidence(
            drawn_job=self._visit.job,
            screen_number=next(iter(sorted(seen.numbers)), "0"),
            answer=DecisionEvidence.of(self._people.yes(Gate.RECHECK)),
            interfaces=(),
            usb_serial=None,
            vendor_id=None,
            product_id=None,
        )
        at = self._shop.clock.now()
        end = {"outcome": "passed", "disposition": "sellable", "reason": None, "certificate": "{}"}
        for kind, data in (
            (EntryKind.JOB_OPENED, {"recipe": "certify_drawn"}),
            (EntryKind.STAGE_ENDED, _stage(StageName.FIND_DRAWN, found, Outcome.PASSED)),
            (EntryKind.JOB_ENDED, end),
        ):
            self._shop.kept.put(Entry(kind=kind, at=at, slot=SLOT, occupancy=0, job=job, data=data))

    # What a handset tells

    def _facts(self) -> HandsetFacts:
        truth, visit, shop = self._visit.truth, self._visit, self._shop
        told = list(truth.imeis)
        if truth.tells == 1:
            told = [shop.chance.choice(told)]
        told = told[: truth.tells]
        signs = self._modified()
        visit.told.append(
            f"adb tells {' and '.join(named(truth, each) for each in told) or 'no number'},"
            f" {'serial' if truth.serial else 'no serial'}"
        )
        return replace(
            USUAL,
            serial=truth.serial or "",
            manufacturer="Maker",
            model=truth.model,
            imei=told[0] if told else None,
            second_imei=told[1] if len(told) > 1 else None,
            modification_signs=signs,
            modification_sources=tuple(ModificationSource)[:2] if signs else (),
            felica_capable=truth.chip is not None,
            sim_slots=truth.sim_slots,
        )

    def _modified(self) -> tuple[str, ...]:
        """Signs of a modified system: half of what is to be destroyed is found by them."""
        visit, shop = self._visit, self._shop
        if not shop.happens(shop.mix.doomed / 2):
            return ()
        visit.truth.doomed = visit.by_the_mix = True
        return ("ro.boot.verifiedbootstate=orange",)

    # Records

    def _passed(self, stage: StageName, evidence: object) -> None:
        self._context.saw(stage, evidence)
        self._put_stage(stage, evidence, Outcome.PASSED)

    def _put_stage(self, stage: StageName, evidence: object, outcome: Outcome) -> None:
        self._people.put(EntryKind.STAGE_ENDED, _stage(stage, evidence, outcome))


class _Drawn:
    """Randomness by the seed."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def token(self, size_bytes: int) -> bytes:
        """So many bytes of it."""
        return self._shop.chance.randbytes(size_bytes)


def _stage(stage: StageName, evidence: object, outcome: Outcome) -> dict[str, Any]:
    return {
        "stage": stage,
        "outcome": outcome,
        "because": None,
        "form": FORM,
        "came_back": None,
        "evidence": {} if evidence is None else to_json(evidence),
    }


def _by_eye(people: AtTheRack) -> ChipEvidence:
    answer = people.yes(Gate.FELICA_CHECK)
    return ChipEvidence(
        source=BY_EYE, verdict=ChipVerdict.UNUSED, answer=DecisionEvidence.of(answer)
    )


def _silent() -> ChipEvidence:
    return ChipEvidence(source=READER, verdict=ChipVerdict.SILENT)


def _unused(chip: str, *, tied: bool) -> ChipEvidence:
    steps = [
        SwitchEvidence(
            nfc_on=on,
            seen=ChipVerdict.UNUSED if on else ChipVerdict.SILENT,
            chip=chip if on else None,
            passes=1,
            power_cycled=True,
        )
        for on in PATTERN
    ]
    tie = TieEvidence(found_on=True, pattern=PATTERN, steps=tuple(steps))
    return ChipEvidence(
        source=READER,
        verdict=ChipVerdict.UNUSED,
        chip=chip,
        tied=tied,
        tie=tie if tied else None,
    )
