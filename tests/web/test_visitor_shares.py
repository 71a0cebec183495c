"""Row 1: a crowd of strangers takes nothing from people, the health check and Prometheus."""

from __future__ import annotations

import random
from collections.abc import Callable

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from benchd.domain.people import Actor
from benchd.web import visitor_shares as limits
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Caller
from benchd.web.concurrency_limit import RequestLimit
from benchd.web.connection import EXTENSION
from benchd.web.peer import EXTENSION as PEER
from benchd.web.peer import Peer
from benchd.web.visitor_shares import Shares, Visit, Who, visit_of
from tests.people.somebody import somebody

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Connection:
    """Notes what it is told."""

    is_nobodys = True

    def __init__(self) -> None:
        self.rests = 0

    def answers(self) -> None:
        pass

    def rest(self) -> None:
        self.rests += 1

    def leave(self) -> None:
        pass


class Requests:
    """Serves requests that are held until they may go on, and keeps their answers."""

    def __init__(self) -> None:
        self.stopping = anyio.Event()
        self.shares = Shares(self.stopping)
        self.at_once = 0
        self.most = 0
        self.go_on = anyio.Event()
        self.answers: list[tuple[str, int, float]] = []
        self.connection = Connection()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self.go_on.wait()
        finally:
            self.at_once -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, visit: Visit) -> None:
        headers: dict[bytes, bytes] = {}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers.update(message["headers"])
                at = anyio.current_time()
                self.answers.append((visit.whose, message["status"], at))

        async def receive() -> Message:
            raise NotImplementedError

        scope = {"type": "http", "extensions": {EXTENSION: self.connection}}
        await self.shares.serve(visit, self.app, scope, receive, send)
        if self.answers[-1][1] == 503:
            assert headers[b"retry-after"] == b"1"

    def statuses(self, whose: str) -> list[int]:
        return [status for who, status, _ in self.answers if who == whose]


def anybody(whose: str = "10.0.0.1", route: str = limits.FILES) -> Visit:
    return Visit(who=Who.ANYBODY, whose=whose, route=route)


def person(name: str = "sato") -> Visit:
    return Visit(who=Who.PERSON, whose=name, route="/api/v1/slots")


async def test_a_flood_has_a_few_places_a_line_and_the_rest_hear_so_at_once() -> None:
    requests = Requests()
    async with anyio.create_task_group() as group:
        for _ in range(192):
            group.start_soon(requests.ask, anybody())
        await anyio.wait_all_tasks_blocked()
        assert requests.most == 4
        refused = requests.statuses("10.0.0.1")
        assert refused == [503] * (192 - 4 - 32)
        assert requests.connection.rests == len(refused)
        # Another page, another source and people have places all the same.
        for visit in (anybody(route="/"), anybody("10.0.0.2", "/x"), person()):
            group.start_soon(requests.ask, visit)
        await anyio.wait_all_tasks_blocked()
        assert requests.at_once == 7
        requests.go_on.set()
    assert requests.statuses("10.0.0.1").count(200) == 4 + 32 + 1
    assert requests.statuses("10.0.0.2") == requests.statuses("sato") == [200]


@pytest.fixture
def served() -> Requests:
    """Requests that are served as they come."""
    requests = Requests()
    requests.go_on.set()
    return requests


async def test_who_waits_is_let_in_as_places_are_given_back_and_who_leaves_waits_no_more() -> None:
    requests = Requests()
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(requests.ask, anybody())
        async with anyio.create_task_group() as leaving:
            for _ in range(32):
                leaving.start_soon(requests.ask, anybody())
            await anyio.wait_all_tasks_blocked()
            leaving.cancel_scope.cancel()
        group.start_soon(requests.ask, anybody())
        await anyio.wait_all_tasks_blocked()
        assert requests.statuses("10.0.0.1") == []
        requests.go_on.set()
    assert requests.statuses("10.0.0.1") == [200] * 5


async def test_a_place_is_given_back_when_the_answer_begins_or_fails(served: Requests) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    async def tells_on(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        app = served.app
        served.app = tells_on  # type: ignore[method-assign]
        for _ in range(20):
            group.start_soon(served.ask, anybody())
        await anyio.wait_all_tasks_blocked()
        served.app = fails  # type: ignore[method-assign]
        for _ in range(20):
            with pytest.raises(ZeroDivisionError):
                await served.ask(anybody())
        served.app = app  # type: ignore[method-assign]
        await served.ask(anybody())
        group.cancel_scope.cancel()
    assert served.statuses("10.0.0.1") == [200] * 21


async def test_one_source_asks_no_faster_than_its_bucket_fills_and_others_do(
    served: Requests,
) -> None:
    began = anyio.current_time()
    for _ in range(int(limits.SOURCE_AT_ONCE) + 50):
        await served.ask(anybody())
    waited_s = anyio.current_time() - began
    assert waited_s == pytest.approx(50 / limits.SOURCE_PER_S, rel=0.1)
    began = anyio.current_time()
    for _ in range(50):
        await served.ask(anybody("10.0.0.2"))
        await served.ask(person())
    assert anyio.current_time() == began


async def test_what_is_made_for_nobody_has_a_slower_pace_of_its_own(served: Requests) -> None:
    """A proof or a page of cards costs the loop that all slots are on; a file costs little."""
    began = anyio.current_time()
    for _ in range(int(limits.MADE_OF_SOURCE_AT_ONCE) + 10):
        await served.ask(anybody(route="/api/v1/slots/{slot}/proof"))
    waited_s = anyio.current_time() - began
    assert waited_s == pytest.approx(10 / limits.MADE_OF_SOURCE_PER_S, rel=0.1)
    began = anyio.current_time()
    for _ in range(50):
        await served.ask(anybody())
        await served.ask(person())
    assert anyio.current_time() == began
    for number in range(int(limits.MADE_AT_ONCE)):
        await served.ask(anybody(f"10.0.1.{number}", "/cards.pdf"))
    waited_s = anyio.current_time() - began
    assert waited_s == pytest.approx(limits.MADE_OF_SOURCE_AT_ONCE / limits.MADE_PER_S, rel=0.2)


async def test_signing_in_is_apart_from_the_crowd_and_has_its_own_pace() -> None:
    requests = Requests()
    async with anyio.create_task_group() as group:
        for _ in range(192):
            group.start_soon(requests.ask, anybody())
        sign_in = Visit(who=Who.SIGN_IN, whose="10.0.0.9", route=limits.SIGN_IN)
        for _ in range(int(limits.SIGN_IN_AT_ONCE) + 192):
            group.start_soon(requests.ask, sign_in)
        await anyio.wait_all_tasks_blocked()
        told = requests.statuses("10.0.0.9")
        assert told == [503] * (192 - limits.MOST_DELAYED)
        requests.go_on.set()
    assert requests.statuses("10.0.0.9").count(200) == limits.SIGN_IN_AT_ONCE + limits.MOST_DELAYED


async def test_who_waits_for_a_turn_as_the_server_stops_is_refused_and_outlasts_nothing(
    served: Requests,
) -> None:
    at = anyio.current_time()
    async with anyio.create_task_group() as group:
        for number in range(int(limits.SIGN_IN_AT_ONCE) + 5):
            visit = Visit(who=Who.SIGN_IN, whose="10.0.0.9", route=f"/{number}")
            group.start_soon(served.ask, visit)
        await anyio.wait_all_tasks_blocked()
        served.stopping.set()
    statuses = served.statuses("10.0.0.9")
    assert (statuses.count(200), statuses.count(503)) == (limits.SIGN_IN_AT_ONCE, 5)
    # They would have come one after the other for as long as five turns take.
    assert anyio.current_time() - at < 1 / limits.SIGN_IN_PER_S


async def test_the_machines_own_probes_are_always_served(served: Requests) -> None:
    for _ in range(3000):
        await served.ask(Visit(who=Who.PROBE, whose="loopback", route="/healthz"))
    assert {status for _, status, _ in served.answers} == {200}
    assert anyio.current_time() == served.answers[0][2]


async def test_no_more_sources_are_known_than_may_be(
    monkeypatch: pytest.MonkeyPatch, served: Requests
) -> None:
    monkeypatch.setattr(limits, "MOST_SOURCES", 3)
    served.shares = Shares(served.stopping)  # which reads its bounds as it is made
    for number in range(20):
        await served.ask(anybody(f"10.0.0.{number}"))
    assert len(served.shares._sources) == 3


def scope_of(path: str, host: str = "127.0.0.1", **more: object) -> Scope:
    return {"type": "http", "path": path, "client": (host, 5000), "headers": [], **more}


PEER_ROOT = {PEER: Peer(pid=1, uid=0, gid=0)}


@pytest.mark.parametrize(
    ("scope", "actor", "on_machine", "who", "whose"),
    [
        (scope_of("/healthz"), None, False, Who.PROBE, "loopback"),
        (scope_of("/metrics", "::1"), None, False, Who.PROBE, "loopback"),
        (scope_of("/metrics", "10.1.2.3"), None, False, Who.ANYBODY, "10.1.2.3"),
        (scope_of("/cards.pdf"), None, False, Who.ANYBODY, "loopback"),
        (scope_of("/metrics", extensions=PEER_ROOT), None, False, Who.ANYBODY, "socket, uid 0"),
        (scope_of("/metrics", extensions=PEER_ROOT), None, True, Who.MACHINE, "socket, uid 0"),
        (scope_of("/api/v1/session"), None, False, Who.SIGN_IN, "loopback"),
        (scope_of("/api/v1/session"), somebody("佐藤"), False, Who.PERSON, None),
        (scope_of("/", "2001:db8::1"), None, False, Who.ANYBODY, "20010db800000000"),
    ],
)
async def test_each_request_is_of_one_share(
    scope: Scope, actor: Actor | None, on_machine: bool, who: Who, whose: str | None
) -> None:
    caller = Caller(actor=actor, access_level=AccessLevel.READ if actor else AccessLevel.WALL)
    visit = visit_of(scope, caller, "/x", on_machine=on_machine)
    assert visit.who is who
    assert visit.whose == (whose or (actor and actor.person))


@pytest.mark.parametrize("seed", range(20))
async def test_places_are_never_more_and_never_lost(seed: int, draw: Callable[[int], int]) -> None:
    places = RequestLimit(most=3, of_each=(2, 2), waiting=6, of_one=4)
    held: list[tuple[str, str]] = []

    async def visit(marks: tuple[str, str], stays_s: int, leaves_s: int) -> None:
        with anyio.move_on_after(leaves_s):
            if await places.take(*marks):
                held.append(marks)
                assert len(held) <= 3
                assert held.count(marks) <= 2
                try:
                    await anyio.sleep(stays_s)
                finally:
                    held.remove(marks)
                    places.give_back(*marks)

    async with anyio.create_task_group() as group:
        for _ in range(60):
            marks = (f"whose {draw(3)}", f"what {draw(3)}")
            group.start_soon(visit, marks, draw(4), 1 + draw(6))
            await anyio.sleep(draw(2))
    assert (places._count, places._line, +places._taken) == (0, [], {})


@pytest.fixture
def draw(seed: int) -> Callable[[int], int]:
    return random.Random(seed).randrange
