"""Strangers: who comes without having signed in, and what they do to the door."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final

import anyio

from benchd.lab.storm.client import Browser, CutOffError
from benchd.lab.storm.storm_folder import CREW, Member
from benchd.lab.storm.storm_rack import StormRack
from benchd.lab.storm.storm_schedule import Kind, Strike

GONE: Final = (OSError, CutOffError, TimeoutError)
PAGES: Final = ("/api/v1/slots/A1/proof", "/cards.pdf", "/api/v1/slots/A1/proof", "/", "/cards")
SHOP: Final = "10.0.1.1"
"""From where the first of the crew comes, too."""
SOURCES: Final = 24
HURRY_S: Final = 0.5
LOCAL_UID: Final = 1000
AT_ONCE: Final = 64


class Visitors:
    """All that do not belong here."""

    def __init__(self, rack: StormRack, seed: int, refused: Callable[[str], None]) -> None:
        """`refused` hears of an answer that didn't arrive whole."""
        self._rack = rack
        self._seed = seed
        self._refused = refused
        self._do: dict[Kind, Callable[[Strike, int], Coroutine[object, object, None]]] = {
            Kind.PAGES: self._ask,
            Kind.SIGN_INS: self._guess,
            Kind.STREAMS: self._hold,
            Kind.SLOW_READERS: self._read_slowly,
            Kind.HALVES: self._send_half,
            Kind.HANG_UPS: self._hang_up,
            Kind.SOCKET: self._ask_locally,
        }

    def does(self, kind: Kind) -> bool:
        """Whether it's theirs."""
        return kind in self._do

    def guessed(self) -> Member:
        """Whose id somebody knows."""
        return CREW[self._seed % len(CREW)]

    async def come(self, strike: Strike) -> None:
        """All of a strike, until they leave."""
        async with anyio.create_task_group() as crowd:
            if strike.kind is Kind.SIGN_INS:
                # One after the other: a person who guesses, or a program that waits for no answer.
                crowd.start_soon(self._guess, strike, 0)
                return
            for number in range(strike.count):
                crowd.start_soon(self._do[strike.kind], strike, number)

    def _stranger(self, strike: Strike, number: int) -> Browser:
        machine = SHOP if strike.near else f"10.9.{number % SOURCES}.7"
        return Browser(self._rack.tcp, (machine, 1024 + number))

    async def _ask(self, strike: Strike, number: int) -> None:
        browser, asked = self._stranger(strike, number), 0
        until = anyio.current_time() + strike.lasts_s
        while anyio.current_time() < until:
            with suppress(*GONE):
                await browser.get(PAGES[(number + asked) % len(PAGES)])
            asked += 1
            await anyio.sleep(HURRY_S * 4)
        browser.leave()

    async def _guess(self, strike: Strike, number: int) -> None:
        browser, person = self._stranger(strike, number), self.guessed()
        for turn in range(strike.count):
            badge = f"FOUND-{turn}" if turn % 4 == 0 else None
            with suppress(*GONE):
                await browser.sign_in(person=person.id, badge=badge, pin="000000")
            await anyio.sleep(0.2)
        browser.leave()

    async def _hold(self, strike: Strike, number: int) -> None:
        """Each tries until it has its stream, then listens."""
        with anyio.move_on_after(strike.lasts_s):
            while True:
                browser = self._stranger(strike, number)
                try:
                    end = browser.connect()
                    await end.send(browser.request("GET", "/api/v1/events"))
                    told = await end.receive()
                    while told and not told.startswith(b"HTTP/1.1 503"):
                        told = await end.receive()
                except GONE:
                    pass
                finally:
                    browser.leave()
                await anyio.sleep(HURRY_S * 2)

    async def _read_slowly(self, strike: Strike, number: int) -> None:
        browser = self._stranger(strike, number)
        with suppress(*GONE), anyio.move_on_after(strike.lasts_s):
            end = browser.connect()
            await end.send(browser.request("GET", "/metrics"))
            while await end.receive(1000):  # noqa: ASYNC110 - it reads
                await anyio.sleep(3.0)
        browser.leave(reset=number % 2 == 0)

    async def _send_half(self, strike: Strike, number: int) -> None:
        browser = self._stranger(strike, number)
        with suppress(*GONE), anyio.move_on_after(strike.lasts_s):
            whole = browser.request("POST", "/api/v1/session", {"badge": "B" * 200})
            await browser.connect().send(whole[: 30 + number % 200])
            await anyio.sleep(strike.lasts_s)
        browser.leave()

    async def _hang_up(self, strike: Strike, number: int) -> None:
        browser = self._stranger(strike, number)
        with suppress(*GONE), anyio.move_on_after(HURRY_S):
            end = browser.connect()
            await end.send(browser.request("GET", ("/metrics", "/api/v1/events")[number % 2]))
            await end.receive(10 * (number % 7))
        browser.leave(reset=number % 3 == 0)

    async def _ask_locally(self, strike: Strike, number: int) -> None:
        """Some read so slowly that they keep their places; whoever comes then is told so."""
        browser = Browser(self._rack.unix, LOCAL_UID)
        if number >= AT_ONCE:
            # One after the other: of those who come at one moment, one makes room for the next.
            await anyio.sleep(HURRY_S + 0.05 * number)
            try:
                await browser.get("/healthz")
            except ConnectionResetError:
                self._refused("a refusal on the Unix socket came as a reset")
            except GONE:
                pass
        else:
            with suppress(*GONE), anyio.move_on_after(strike.lasts_s):
                end = browser.connect()
                await end.send(browser.request("GET", "/metrics"))
                while await end.receive(1000):  # noqa: ASYNC110 - it reads, slowly
                    await anyio.sleep(3.0)
        browser.leave()
