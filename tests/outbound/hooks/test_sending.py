"""One try over a real socket: what counts as taken, and what a hostile receiver can't do."""

from __future__ import annotations

import time

import pytest

from benchd.outbound.hooks.hook_delivery import HttpSender, Taken
from benchd.outbound.hooks.hook_settings import Target
from benchd.outbound.hooks.replies import LARGEST_REPLY_BYTES
from benchd.outbound.hooks.webhook_signature import secret_of
from benchd.outbound.posting import Failure
from tests.outbound.hooks.http_receiver import HttpReceiver, receiving
from tests.outbound.hooks.test_signing import SECRET

pytestmark = pytest.mark.asyncio


HINT = b"HTTP/1.1 103 \r\n\r\n"


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    told = "".join(f"{header}\r\n" for header in (*headers, f"content-length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{told}\r\n".encode() + body


def sender(receiver: HttpReceiver, url: str | None = None, timeout_s: float = 10) -> HttpSender:
    target = Target(url=url or receiver.url, secrets=(secret_of(SECRET),), timeout_s=timeout_s)
    return HttpSender(target, now=time.time)


async def one_try(receiver: HttpReceiver, timeout_s: float = 10) -> Taken | Failure:
    made = sender(receiver, timeout_s=timeout_s)
    try:
        return await made.send("1-ab", b"{}")
    finally:
        await made.aclose()


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (answer("200 OK", b"ok"), Taken(b"ok")),
        (answer("204 No Content"), Taken(b"")),
        (answer("202 Accepted", b'{"next_action":"hold"}'), Taken(b'{"next_action":"hold"}')),
        (answer("200 OK", b"x" * 20_000), Taken(b"x" * (LARGEST_REPLY_BYTES + 1))),
        (answer("500 No"), Failure(why="http_500", status=500)),
        (answer("410 Gone"), Failure(why="http_410", status=410)),
        (
            answer("503 Busy", b"", "retry-after: 120"),
            Failure(why="http_503", status=503, retry_after_s=120),
        ),
        (
            answer("429 Busy", b"", "retry-after: Fri, 31 Dec 1999 23:59:59 GMT"),
            Failure(why="http_429", status=429),
        ),
        (
            answer("302 Found", b"", "location: http://127.0.0.1:1/elsewhere"),
            Failure(why="http_302", status=302),
        ),
        (b"not http at all\r\n\r\n", Failure(why="RemoteProtocolError")),
    ],
)
async def test_what_an_answer_means(said: bytes, result: Taken | Failure) -> None:
    async with receiving() as receiver:
        receiver.answer = said
        assert await one_try(receiver) == result
        assert len(receiver.got) == 1


async def test_nothing_that_is_packed_is_unpacked() -> None:
    async with receiving() as receiver:
        receiver.answer = answer("200 OK", b"\x1f\x8b" + b"\0" * 50, "content-encoding: gzip")
        assert await one_try(receiver) == Taken(b"\x1f\x8b" + b"\0" * 50)
        [(headers, _)] = receiver.got
        assert headers["accept-encoding"] == "identity"


async def test_hints_before_an_answer_are_passed_over() -> None:
    async with receiving() as receiver:
        receiver.answer = HINT * 3 + answer("200 OK", b"ok")
        assert await one_try(receiver) == Taken(b"ok")


async def test_a_flood_of_hints_ends_long_before_its_time() -> None:
    """Each is read and thrown away, as fast as they come: a whole core for nothing."""
    async with receiving() as receiver:
        receiver.answer = HINT * 100_000
        assert await one_try(receiver, timeout_s=60) == Failure(why="AnswerTooLong")


async def test_silence_ends() -> None:
    async with receiving() as receiver:
        receiver.answer = None
        failure = await one_try(receiver, timeout_s=0.3)
        assert isinstance(failure, Failure)
        assert "imeout" in failure.why


async def test_nobody_there_and_no_address() -> None:
    async with receiving() as receiver:
        url = receiver.url
    for target in (url, "https://name.invalid./"):
        made = sender(receiver, target)
        failure = await made.send("1-ab", b"{}")
        assert isinstance(failure, Failure)
        assert "t0p" not in failure.why
        await made.aclose()
