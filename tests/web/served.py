"""A whole rack for the API to serve: what a test doesn't bring is a quiet stand-in."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from benchd.daemon.system_clock import SystemEntropy
from benchd.domain.dossier import Dossier, KeptDossier
from benchd.domain.errors import NotFound
from benchd.domain.ids import JobId, SlotName
from benchd.domain.lot_papers import AskedPapers
from benchd.domain.wall_plan import WallPlan
from benchd.intake.grade_desk import GradeDesk
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.unplugged_handsets import HandDesk
from benchd.ledger.held_handsets import Held
from benchd.ledger.records.records_access import Records
from benchd.observe.log_level_change import LogLevels
from benchd.outbound.hooks.hook_dispatcher import Hooks
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.shipping import ShippingDesk
from benchd.slots.admission import Admission
from benchd.slots.disposal_desk import DisposalDesk
from benchd.slots.slot_dependencies import NoReaders
from benchd.texts.catalogue import Catalogue
from benchd.web.app import create_app
from benchd.web.callers import Callers
from benchd.web.service import LogControl, PlanInEffect, ServedRack
from tests.papers.labels.quiet_desk import quiet_desk
from tests.web.fake_sessions import EVERYBODY, FakeSessions, NoTokens
from tests.web.web_fakes import FakeClock, Feed


class FakePress:
    """Prints nothing: what may be asked for is the routes' business, not what comes."""

    async def pdf(self, envelope: bytes) -> bytes:
        return envelope

    async def page(self, envelope: bytes, language: str, links: object, since: object) -> str:
        return ""


@dataclass
class FakeLotPress:
    """The same for papers of many handsets, around a press for single ones."""

    press: object = field(default_factory=FakePress)

    async def export(self, asked: AskedPapers) -> AsyncGenerator[bytes]:
        async def nothing() -> AsyncGenerator[bytes]:
            yield b""

        return nothing()


class NoDossiers:
    """Keeps none, and finds no handset to ask."""

    async def kept(self) -> Sequence[KeptDossier]:
        return ()

    async def record(self, slot: SlotName) -> Dossier:
        raise NotFound(f"there is no slot {slot}")


async def no_trace(job: JobId) -> bytes:
    raise NotFound(f"there is no job {job} that has ended")


def served_rack(
    core: Any,  # noqa: ANN401 - each test has one of its own
    catalogue: Catalogue,
    **parts: Any,  # noqa: ANN401 - of whatever type the field is
) -> ServedRack:
    """`core` has a board, a ledger, a desk and an issuer; `parts` are fields of `ServedRack`.

    A read model that doesn't run looks nothing up, and everybody may do everything.
    """
    records = parts.pop("records", None) or Records(Path("/nowhere/records.sqlite"), Feed(core))
    intake = parts.pop("intake", None) or IntakeDesk(
        IntakeStore(core.ledger, FakeClock()), SystemEntropy()
    )
    hooks = Hooks(())
    hooks.held = getattr(core, "held", None) or Held()
    grades = parts.pop("grades", None) or GradeDesk(core.ledger, FakeClock(), lambda: intake.book)
    levels = LogLevels(time.monotonic)
    quiet: dict[str, Any] = {
        "admission": Admission(),
        "dossiers": NoDossiers(),
        "people": EVERYBODY,
        "sessions": FakeSessions(),
        "tokens": NoTokens(),
        "disposal": DisposalDesk(core.ledger, FakeClock()),
        "intake": intake,
        "grades": grades,
        "hand": HandDesk(intake, chips=NoReaders(), ledger=core.ledger, views=core.board.views),
        "papers": FakeLotPress(),
        "shipping": ShippingDesk(
            Chooser(records, lambda: intake.book, lambda: 0),
            ledger=core.ledger,
            issuer=core.issuer,
            book=lambda: intake.book,
            time=intake.time_basis,
            now=FakeClock().now,
            holder=hooks.held.holder,
            good_for_days={},
        ),
        "labels": quiet_desk(core, records, catalogue, hooks.held, grades.book),
        "holder": hooks.held.holder,
        "directions": hooks.directions,
        "trace": no_trace,
        "wall": PlanInEffect(WallPlan()),
        "scrape": None,
        "logs": LogControl(change=levels.change, in_effect=levels.in_effect),
    }
    return ServedRack(
        board=core.board,
        ledger=core.ledger,
        desk=core.desk,
        issuer=core.issuer,
        records=records,
        **{**quiet, **parts},
    )


def app_of(
    core: object,
    catalogue: Catalogue,
    *,
    callers: Callers | None = None,
    allowed_hosts: Collection[str] = (),
    **parts: object,
) -> FastAPI:
    """The API of such a rack; without `callers` nobody shows who they are."""
    return create_app(
        served_rack(core, catalogue, **parts),
        catalogue,
        callers=callers or Callers(),
        allowed_hosts=allowed_hosts,
    )
