"""The people of a virtual rack: who they are, and their hands at the badge reader.

Their badges and PINs are for everybody to see, since nothing real hangs on them.
`python -m benchd.lab.demo.crew CONFIG` puts them on record, for a rack in a virtual machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2

from benchd.config import load_settings
from benchd.daemon.rack_people import people_on_disk
from benchd.domain.people import By, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of them."""

    id: str
    name: str
    reading: str
    badge: str
    pin: str
    roles: tuple[Role, ...]


WORKER = Member(
    id="sato",
    name="佐藤（仮想）",
    reading="さとう",
    badge="DEMO-SATO-1001",
    pin="271828",
    roles=(Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR),
)
SECOND = Member(
    id="suzuki",
    name="鈴木（仮想）",
    reading="すずき",
    badge="DEMO-SUZUKI-1002",
    pin="314159",
    roles=(Role.OPERATOR, Role.CONFIRMER),
)
NOT_SIGNED_IN = 401
CSRF = "x-benchd-csrf"
"""The header that shows whose screen it is; new with every time that somebody signs in."""
CREW = (WORKER, SECOND)


async def enrol(config: Path) -> None:
    """Put them on record, before the daemon starts for the first time."""
    by = By(actor=None, source="demo")
    async with people_on_disk(load_settings(config)) as people:
        for one in CREW:
            await people.add(by, one.id, name=one.name, reading=one.reading, roles=one.roles)
            await people.set_badge(by, one.id, one.badge)
            await people.set_pin(by, one.id, one.pin)


class BadgeReaderHands:
    """Each of them signs in with badge and PIN when they are asked to, and again when locked out.

    Raises what httpx2 raises while the daemon is away.
    """

    def __init__(self, connect: Callable[[], httpx2.AsyncClient]) -> None:
        """Each gets a connection of their own, as each has a screen."""
        self._connect = connect
        self._screens: dict[str, httpx2.AsyncClient] = {}
        self._one_at_a_time = {one.id: anyio.Lock() for one in CREW}

    async def post(
        self,
        who: Member,
        path: str,
        content: bytes,
        *,
        kind: str = "application/json",
        params: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Send it as this member; `kind` is the content's media type."""
        screen = await self._screen_of(who)

        async def sent() -> httpx2.Response:
            headers = {"content-type": kind}
            return await screen.post(path, content=content, params=params, headers=headers)

        answer = await sent()
        if answer.status_code == NOT_SIGNED_IN:
            await self._sign_in_again(screen, who, answer.request.headers)
            answer = await sent()
        return answer

    async def _screen_of(self, who: Member) -> httpx2.AsyncClient:
        # Whoever answers for many slots at once signs in once: a PIN is dear to compare.
        async with self._one_at_a_time[who.id]:
            screen = self._screens.get(who.id)
            if screen is None:
                screen = self._screens[who.id] = self._connect()
                await self._sign_in(screen, who)
        return screen

    async def _sign_in_again(
        self, screen: httpx2.AsyncClient, who: Member, refused: Mapping[str, str]
    ) -> None:
        """Unless it was done for another answer since this one was refused."""
        async with self._one_at_a_time[who.id]:
            if screen.headers.get(CSRF) == refused.get(CSRF):
                await self._sign_in(screen, who)

    async def _sign_in(self, screen: httpx2.AsyncClient, who: Member) -> None:
        shown = {"badge": who.badge, "person": who.id, "pin": who.pin}
        answer = await screen.post("/api/v1/session", json=shown)
        if answer.is_success:
            screen.headers[CSRF] = str(answer.json()["csrf"])

    async def aclose(self) -> None:
        """Let go of all connections."""
        for screen in self._screens.values():
            await screen.aclose()


if __name__ == "__main__":
    anyio.run(enrol, Path(sys.argv[1]))
