"""One try over a real socket, against collectors that lie, hang and talk without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.domain.errors import UsageRefused
from benchd.outbound.bounded_http import LARGEST_ANSWER_BYTES
from benchd.outbound.posting import Failure
from benchd.outbound.traces.trace_delivery import OtlpSender, Taken
from benchd.outbound.traces.trace_settings import TraceTarget, read_headers
from tests.outbound.hooks.http_receiver import HttpReceiver, receiving


def answered(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def sent(receiver: HttpReceiver, timeout_s: float = 10.0) -> Taken | Failure:
    target = TraceTarget(
        url=receiver.url, headers={"authorization": "Bearer t0p"}, timeout_s=timeout_s
    )
    sender = OtlpSender(target)
    try:
        return await sender.send(b"{}")
    finally:
        await sender.aclose()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (answered("200 OK", b"{}"), Taken()),
        (answered("202 Accepted", b"thanks"), Taken()),
        (answered("200 OK", b"x" * 9000), Taken()),
        (answered("200 OK", b"[" * 4000), Taken()),
        (answered("200 OK", b'{"partialSuccess":{"rejectedSpans":"3"}}'), Taken(rejected=3)),
        (answered("200 OK", b'{"partialSuccess":{"rejectedSpans":3}}'), Taken(rejected=3)),
        (answered("200 OK", b'{"partialSuccess":{"rejectedSpans":"-1"}}'), Taken()),
        (answered("200 OK", b'{"partialSuccess":{"rejectedSpans":true}}'), Taken()),
        (answered("200 OK", b'{"partialSuccess":[]}'), Taken()),
        (
            answered("429 Too Many", b"", "retry-after: 17"),
            Failure(why="http_429", status=429, retry_after_s=17),
        ),
        (
            answered("503 Away", b"", "retry-after: Fri, 27 Nov 2026 05:00:00 GMT"),
            Failure(why="http_503", status=503),
        ),
        (
            answered("302 Found", b"", "location: http://127.0.0.1:1/elsewhere"),
            Failure(why="http_302", status=302),
        ),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * LARGEST_ANSWER_BYTES, None),
        (b"SSH-2.0-OpenSSH_10.0\r\n\r\n", None),
    ],
)
async def test_what_a_collector_answers(answer: bytes, told: Taken | Failure | None) -> None:
    async with receiving() as receiver:
        receiver.answer = answer
        got = await sent(receiver)
    if told is None:
        assert isinstance(got, Failure)
        assert got.status is None
    else:
        assert got == told
    [(headers, body)] = receiver.got
    assert body == b"{}"
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer t0p"
    assert headers["accept-encoding"] == "identity"


@pytest.mark.asyncio
async def test_a_gigabyte_that_is_promised_is_not_waited_for() -> None:
    async with receiving() as receiver:
        receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n" + b"z" * 9000
        assert await sent(receiver) == Taken()


@pytest.mark.asyncio
async def test_a_collector_that_says_nothing_is_left_after_its_time() -> None:
    async with receiving() as receiver:
        receiver.answer = None
        got = await sent(receiver, timeout_s=0.2)
    assert isinstance(got, Failure)
    assert got.status is None


@pytest.mark.asyncio
async def test_nobody_there() -> None:
    async with receiving() as receiver:
        gone = HttpReceiver(port=receiver.port)
    assert await sent(gone) == Failure(why="ConnectError")


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "traces.headers"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_headers_are_read_from_a_private_file(tmp_path: Path) -> None:
    told = "Authorization: Bearer a b\n\nx-scope-orgid:rack-7\n"
    assert read_headers(written(tmp_path, told)) == {
        "authorization": "Bearer a b",
        "x-scope-orgid": "rack-7",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has 0 lines"),
        ("A: b\n" * 17, "has 17 lines"),
        ("secret-without-a-name\n", "line 1"),
        ("A: b\nContent-Type: text/plain\n", "line 2"),
        ("A: b\na: c\n", "line 2"),
        ("A: b\x00c\n", "line 1"),
        ("A: 秘密\n", "line 1"),
        ("A: " + "x" * 9000, "lines"),
    ],
)
def test_a_header_that_is_none_is_refused_and_never_told(
    tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(UsageRefused, match=why) as refused:
        read_headers(written(tmp_path, text))
    assert "secret" not in str(refused.value)


def test_headers_that_everybody_can_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="chmod 600"):
        read_headers(written(tmp_path, "A: b\n", 0o644))
    with pytest.raises(UsageRefused, match="can't be read"):
        read_headers(tmp_path / "gone")
    with pytest.raises(UsageRefused):
        read_headers(tmp_path)
