"""What people have to do next, as the API tells it: to whoever may read it, and on the wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import anyio

from benchd.domain.errand import Errand, ErrandKind
from benchd.domain.errand_priority import bins_of, errands_of
from benchd.domain.job import Disposition, Gate
from benchd.domain.slot import Away, SlotView
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue, Guidance, Texts
from benchd.web.objects import DirectedObject, HandsetObject, TextsObject
from benchd.web.present import directed, handset_object, moment
from benchd.web.proofs import Proofs
from benchd.web.serialiser import AnswerObject, Moment, Verbatim
from benchd.web.wall import WallHandsetObject, wall_handset


class ErrandObject(AnswerObject):
    """One thing that somebody has to do next; null where nothing is known."""

    kind: ErrandKind
    slot: Verbatim | None
    occupancy: int | None
    job: Verbatim | None
    since: Moment | None
    deadline: Moment | None
    """Until when it has to be done."""
    gate: Gate | None
    bin: Disposition | None
    """Where the handset is to be carried."""
    directed: DirectedObject | None = None
    ja: Verbatim
    en: Verbatim
    in_short: TextsObject | None
    """What a question wants done, short enough for a row; null of any other errand."""
    what_to_do: TextsObject
    handset: HandsetObject | WallHandsetObject | None
    here: bool
    """Of what was taken out in the middle of its job: whether its slot is empty since."""


class QueueObject(AnswerObject):
    """Everything that people have to do, the most urgent first."""

    now: Moment
    """The rack's own time: what deadlines are to be compared with."""
    errands: list[ErrandObject]
    bins: dict[Disposition, int]
    """How many finished handsets there are to carry to each place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeQueue:
    """The queue of one version of the board."""

    version: int
    made_at: float
    errands: tuple[Errand, ...]


class QueueDesk:
    """Makes the queue from what the board shows."""

    def __init__(self, board: RackBoard, catalogue: Catalogue, proofs: Proofs) -> None:
        self._board = board
        self._catalogue = catalogue
        self._proofs = proofs
        self._made: MadeQueue | None = None

    async def errands(self) -> tuple[Errand, ...]:
        """The queue as it is now; made once for all who ask while nothing has changed."""
        return (await self.made()).errands

    async def made(self, within_s: float = 0.0) -> MadeQueue:
        """The queue as it is now, or was so shortly before."""
        version, views = self._board.version, self._board.views()
        now, made = anyio.current_time(), self._made
        if made is not None:
            if now - made.made_at < within_s:
                return made
            if made.version == version and self._proofs.unchanged(views.values()):
                return made
        await self._proofs.look(views.values())
        is_open = {name for name, view in views.items() if self._proofs.open(view)}
        # What couldn't be asked about yet is on hold, or isn't told of where it says it is sold.
        known = {
            name: view
            for name, view in views.items()
            if name not in is_open or view.disposition is not Disposition.SELLABLE
        }
        errands = errands_of(
            known,
            ports=self._board.unknown_ports(),
            notices=self._board.notices(),
            tray=self._board.tray(),
            proven=self._proofs.found,
        )
        # What couldn't be asked about is asked about again.
        made = MadeQueue(version=version, made_at=now, errands=errands)
        self._made = None if is_open else made
        return made

    def shown(self, errands: tuple[Errand, ...], *, sees_all: bool) -> QueueObject:
        """The queue for the API; whoever sees only the wall is told of no job and no serial."""
        return QueueObject(
            now=datetime.now(UTC).isoformat(),
            errands=[self._errand(errand, sees_all=sees_all) for errand in errands],
            bins=dict(bins_of(errands)),
        )

    def _errand(self, errand: Errand, *, sees_all: bool) -> ErrandObject:
        view, tray = errand.view, errand.tray
        said = self._said(errand, sees_all=sees_all)
        job = tray.job if tray else view.job if view else None
        gate = view.question.gate if view and view.question else None
        is_cut = errand.kind is ErrandKind.REPLUG
        asks = errand.kind in (ErrandKind.QUESTION, ErrandKind.CONFIRM)
        return ErrandObject(
            kind=errand.kind,
            slot=errand.slot,
            occupancy=view.occupancy if view else None,
            job=job if sees_all else None,
            since=moment(errand.since),
            deadline=moment(errand.deadline) if sees_all or is_cut else None,
            gate=gate,
            bin=errand.goes,
            directed=directed(view) if view and errand.kind is ErrandKind.CARRY else None,
            ja=said.ja,
            en=said.en,
            in_short=_texts(self._catalogue.in_short(gate)) if gate and asks else None,
            what_to_do=TextsObject(ja=said.what_to_do.ja, en=said.what_to_do.en),
            handset=_handset(errand, sees_all=sees_all),
            here=errand.here,
        )

    def _said(self, errand: Errand, *, sees_all: bool) -> Guidance:
        question = errand.view.question if errand.view else None
        if (word := _word(errand)) is not None:
            return self._catalogue.guidance(word)
        if errand.problem is not None:
            return self._catalogue.problem(errand.problem)
        hidden = self._catalogue.guidance("errand.hidden")
        if question is None or sees_all:
            return self._catalogue.question(question) if question else hidden
        gate = self._catalogue.gate(question.gate)
        return Guidance(ja=gate.ja, en=gate.en, what_to_do=hidden.what_to_do)


def _texts(texts: Texts) -> TextsObject:
    return TextsObject(ja=texts.ja, en=texts.en)


def _word(errand: Errand) -> str | None:
    """What it says where neither a problem nor a question does."""
    view = errand.view
    match errand.kind:
        case ErrandKind.REPLUG:
            in_hand = view is not None and view.away is not None and view.away.why is Away.IN_HAND
            return "errand.in_hand" if in_hand else "errand.cable_out"
        case ErrandKind.TRAY:
            return "errand.tray"
        case ErrandKind.CARRY if errand.goes is not None:
            return "errand.unproven" if errand.unproven else _carried(errand.goes, view)
        case _:
            return None


def _carried(goes: Disposition, view: SlotView | None) -> str:
    if view is None:
        return f"errand.{goes}"
    if goes is Disposition.SELLABLE:
        return "errand.rechecked" if view.is_passed_look else "errand.sellable"
    may_be_sold = view.is_passed_look or view.disposition is Disposition.SELLABLE
    held = may_be_sold and view.directed is not None and view.directed.held_by is not None
    return "errand.held_back" if held else f"errand.{goes}"


def _handset(errand: Errand, *, sees_all: bool) -> HandsetObject | WallHandsetObject | None:
    tray = errand.tray
    if tray is not None:
        if not tray.model:
            return None
        if not sees_all:
            return WallHandsetObject(
                manufacturer=tray.manufacturer, model=tray.model, name=None, known_model=True
            )
        return HandsetObject(
            serial=tray.serial,
            model=tray.model,
            android="",
            manufacturer=tray.manufacturer,
            imei=None,
        )
    view = errand.view
    if view is None or view.identity is None:
        return None
    make = handset_object if sees_all else wall_handset
    return make(view.identity, view.model_name)
