"""The people of a rack in a storm: what adversity's say of handsets, sent as browsers send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final, cast

import anyio

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.slot import SlotView
from benchd.lab.adversity.drawn_people import People
from benchd.lab.storm.client import Answer, Browser, CutOffError
from benchd.lab.storm.storm_folder import CREW, Member
from benchd.lab.storm.storm_rack import StormRack

TRIES: Final = 20
AGAIN_S: Final = 3.0
OF: Final[Mapping[str, Member]] = {one.name: one for one in CREW}
REFUSED: Final = (OSError, CutOffError, TimeoutError)

Told = Callable[[Member, str, Answer | None, float], None]
"""Who has asked what, the answer, and how long they have waited for it or for nothing."""


class Screens:
    """A screen for each person, at which they sign in when they have to."""

    def __init__(self, rack: StormRack, told: Told) -> None:
        self._rack = rack
        self._told = told
        self._one_at_a_time = {one.id: anyio.Lock() for one in CREW}
        self._of = {
            one.id: Browser(rack.tcp, (f"10.0.1.{number}", 40000))
            for number, one in enumerate(CREW, start=1)
        }

    async def sign_in(self, who: Member) -> bool:
        """Show badge and PIN; whether that was taken."""
        screen = self._of[who.id]
        began = anyio.current_time()
        try:
            answer = await screen.sign_in(person=who.id, badge=who.badge, pin=who.pin)
        except REFUSED:
            self._told(who, "sign in", None, anyio.current_time() - began)
            return False
        self._told(who, "sign in", answer, answer.took_s)
        return answer.status == 201

    async def ask(self, who: Member, method: str, path: str, body: object = None) -> Answer | None:
        """One request of theirs; None where nothing came back, however often it was tried."""
        screen = self._of[who.id]
        async with self._one_at_a_time[who.id]:
            for _ in range(TRIES):
                if not screen.csrf and not await self.sign_in(who):
                    await anyio.sleep(AGAIN_S)
                    continue
                began = anyio.current_time()
                try:
                    answer = await screen.ask(method, path, body)
                except REFUSED:
                    self._told(who, path, None, anyio.current_time() - began)
                    await anyio.sleep(AGAIN_S)
                    continue
                self._told(who, path, answer, answer.took_s)
                if answer.status == 401:
                    screen.csrf = screen.cookie = ""
                    continue
                if answer.status != 503:
                    return answer
                await anyio.sleep(AGAIN_S)
        return None

    async def come_to_another(self, who: Member) -> None:
        """The same person goes to another screen, and shows badge and PIN there."""
        screen = Browser(self._rack.tcp, self._of[who.id].peer)
        began = anyio.current_time()
        try:
            answer = await screen.sign_in(person=who.id, badge=who.badge, pin=who.pin)
        except REFUSED:
            answer = None
        self._told(who, "sign in", answer, anyio.current_time() - began)
        screen.leave()

    def like(self, who: Member) -> Browser:
        """Another tab of this person's browser."""
        theirs = self._of[who.id]
        tab = Browser(self._rack.tcp, theirs.peer)
        tab.cookie, tab.csrf = theirs.cookie, theirs.csrf
        return tab

    def leave(self) -> None:
        """Everybody goes home."""
        for screen in self._of.values():
            screen.leave()


class Crew(People):
    """Who answers the questions of the slots."""

    def __init__(self, rack: StormRack, screens: Screens) -> None:
        served = rack.served
        if served is None:
            raise RuntimeError("the daemon isn't up")
        daemon = SimpleNamespace(board=served.board, papers=None, intake=served.intake)
        super().__init__(
            cast("Any", daemon),
            rack.bays,
            rack.hands,
            rack.points,
            lambda _job: None,
        )
        self._screens = screens
        self.answered: list[tuple[JobId, Gate]] = []
        """What the daemon has said it has taken."""

    async def _decide(
        self,
        view: SlotView,
        gate: Gate,
        notes: Sequence[str],
        approved: bool,  # noqa: FBT001
        operator: str,
    ) -> bool:
        if view.job is None:
            return True
        for note in (*notes, notes[-1]):
            answer = await self._screens.ask(
                OF[operator],
                "POST",
                f"/api/v1/jobs/{view.job}/decisions",
                {"gate": gate, "approved": approved, "note": note},
            )
            if answer is None:
                return True
            if answer.status == 200:
                self.answered.append((view.job, gate))
                return True
            code = answer.json["error"]["code"]
            if code == "second_person_needed":
                return False
            if code == "not_found":
                return True
        return True
