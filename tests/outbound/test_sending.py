"""One try over a real socket, against receivers and collectors that lie, hang and talk on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from benchd.config.traces_section import read_headers
from benchd.domain.errors import UsageRefused
from benchd.outbound.bounded_http import LARGEST_ANSWER_BYTES
from benchd.outbound.hooks.hook_delivery import HttpSender, Target
from benchd.outbound.hooks.hook_delivery import Taken as HookTaken
from benchd.outbound.hooks.hook_directions import LARGEST_REPLY_BYTES
from benchd.outbound.http_post import Failure
from benchd.outbound.traces.trace_delivery import OtlpSender, Taken, TraceTarget
from benchd.signing.webhook_signature import headers_of, read_secrets, secret_of
from tests.outbound.hooks.http_receiver import answer, receiving

HINT = b"HTTP/1.1 103 \r\n\r\n"


def hook(url: str, timeout_s: float) -> HttpSender:
    target = Target(url=url, secrets=(secret_of(SECRET),), timeout_s=timeout_s)
    return HttpSender(target, now=time.time)


def trace(url: str, timeout_s: float) -> OtlpSender:
    headers = {"authorization": "Bearer t0p"}
    return OtlpSender(TraceTarget(url=url, headers=headers, timeout_s=timeout_s))


Make = Callable[[str, float], HttpSender] | Callable[[str, float], OtlpSender]
either = pytest.mark.parametrize("make", [hook, trace])


async def one_try(make: Make, url: str, timeout_s: float = 10) -> object:
    sender = make(url, timeout_s)
    try:
        if isinstance(sender, HttpSender):
            return await sender.send("1-ab", b"{}")
        return await sender.send(b"{}")
    finally:
        await sender.aclose()


def refused(status: int, retry_after_s: float | None = None) -> Failure:
    return Failure(why=f"http_{status}", status=status, retry_after_s=retry_after_s)


BOTH: list[tuple[bytes, Failure]] = [
    (answer("500 No"), refused(500)),
    (answer("410 Gone"), refused(410)),
    (answer("503 Busy", b"", "retry-after: 120"), refused(503, 120)),
    (answer("429 Busy", b"", "retry-after: Fri, 31 Dec 1999 23:59:59 GMT"), refused(429)),
    (answer("429 Too Many", b"", "retry-after: 17"), refused(429, 17)),
    (answer("503 Away", b"", "retry-after: Fri, 27 Nov 2026 05:00:00 GMT"), refused(503)),
    (answer("302 Found", b"", "location: http://127.0.0.1:1/elsewhere"), refused(302)),
    (b"SSH-2.0-OpenSSH_10.0\r\n\r\n", Failure(why="RemoteProtocolError")),
    (b"not http at all\r\n\r\n", Failure(why="RemoteProtocolError")),
]
GZIPPED = b"\x1f\x8b" + b"\0" * 50
HOOKS: list[tuple[bytes, HookTaken]] = [
    (answer("200 OK", b"ok"), HookTaken(b"ok")),
    (answer("204 No Content"), HookTaken(b"")),
    (answer("202 Accepted", b'{"next_action":"hold"}'), HookTaken(b'{"next_action":"hold"}')),
    (answer("200 OK", b"x" * 20_000), HookTaken(b"x" * (LARGEST_REPLY_BYTES + 1))),
    (answer("200 OK", GZIPPED, "content-encoding: gzip"), HookTaken(GZIPPED)),
    (HINT * 3 + answer("200 OK", b"ok"), HookTaken(b"ok")),
]


def partial(rejected: str) -> bytes:
    return answer("200 OK", b'{"partialSuccess":%b}' % rejected.encode())


TRACES: list[tuple[bytes, Taken | None]] = [
    (answer("200 OK", b"{}"), Taken()),
    (answer("202 Accepted", b"thanks"), Taken()),
    (answer("200 OK", b"x" * 9000), Taken()),
    (answer("200 OK", b"[" * 4000), Taken()),
    (partial('{"rejectedSpans":"3"}'), Taken(rejected=3)),
    (partial('{"rejectedSpans":3}'), Taken(rejected=3)),
    (partial('{"rejectedSpans":"-1"}'), Taken()),
    (partial('{"rejectedSpans":true}'), Taken()),
    (partial("[]"), Taken()),
    # A gigabyte that is promised is not waited for.
    (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n" + b"z" * 9000, Taken()),
    (b"HTTP/1.1 200 OK\r\nx: " + b"y" * LARGEST_ANSWER_BYTES, None),
]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("make", "said", "result"),
    [
        *((make, said, result) for said, result in BOTH for make in (hook, trace)),
        *((hook, said, result) for said, result in HOOKS),
        *((trace, said, result) for said, result in TRACES),
    ],
)
async def test_what_an_answer_means(make: Make, said: bytes, result: object) -> None:
    async with receiving() as receiver:
        receiver.answer = said
        got = await one_try(make, receiver.url)
    if result is None:
        assert isinstance(got, Failure)
        assert got.status is None
    else:
        assert got == result
    [(headers, body)] = receiver.got
    # Nothing that is packed is unpacked.
    assert (body, headers["accept-encoding"]) == (b"{}", "identity")
    if make is trace:
        assert headers["content-type"] == "application/json"
        assert headers["authorization"] == "Bearer t0p"


@pytest.mark.asyncio
async def test_a_flood_of_hints_ends_long_before_its_time() -> None:
    """Each is read and thrown away, as fast as they come: a whole core for nothing."""
    async with receiving() as receiver:
        receiver.answer = HINT * 100_000
        assert await one_try(hook, receiver.url, 60) == Failure(why="AnswerTooLong")


@pytest.mark.asyncio
@either
async def test_silence_ends_and_so_does_nobody_there(make: Make) -> None:
    async with receiving() as receiver:
        receiver.answer = None
        url = receiver.url
        silent = await one_try(make, url, 0.3)
    assert isinstance(silent, Failure)
    assert silent.status is None
    assert "imeout" in silent.why
    assert await one_try(make, url) == Failure(why="ConnectError")
    nowhere = await one_try(make, "https://name.invalid./?token=t0p")
    assert isinstance(nowhere, Failure)
    assert "t0p" not in nowhere.why


OTHER = "whsec_" + "A" * 40
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_vector_of_the_standard() -> None:
    headers = headers_of(
        [secret_of(SECRET)],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("known", [SECRET, OTHER])
def test_a_receiver_with_either_secret_finds_it_good(known: str) -> None:
    body = '{"IMEI":"端末"}'
    headers = headers_of(
        [secret_of(SECRET), secret_of(OTHER)], "7-ab", int(time.time()), body.encode()
    )
    Webhook(known).verify(body, headers)
    assert len(headers["benchd-key-id"].split()) == 2
    for other in (body + " ", body.replace("端", "瑞")):
        with pytest.raises(WebhookVerificationError):
            Webhook(known).verify(other, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(known).verify(body, {**headers, "webhook-id": "8-ab"})


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 200, SECRET[6:], "whsec_端末", SECRET + "!"],
)
def test_what_is_no_secret(text: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        secret_of(text)
    assert len(text) < 8 or text not in str(refused.value)


def private(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "private"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("read", [read_secrets, read_headers])
def test_what_is_secret_stands_in_a_private_file(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    for mode in (0o604, 0o644):
        with pytest.raises(UsageRefused, match="chmod 600"):
            read(private(tmp_path, "A: b\n", mode))
    with pytest.raises(UsageRefused, match="can't be read"):
        read(tmp_path / "gone")
    with pytest.raises(UsageRefused):
        read(tmp_path)


def test_a_file_of_secrets(tmp_path: Path) -> None:
    found = read_secrets(private(tmp_path, f"{SECRET}\n\n{OTHER}\n"))
    assert len(found) == 2
    assert SECRET[6:] not in repr(found)
    for wrong in ("", "\n", f"{SECRET}\n" * 5, "secret"):
        with pytest.raises(UsageRefused):
            read_secrets(private(tmp_path, wrong))


def test_a_file_of_headers(tmp_path: Path) -> None:
    told = "Authorization: Bearer a b\n\nx-scope-orgid:rack-7\n"
    found = {"authorization": "Bearer a b", "x-scope-orgid": "rack-7"}
    assert read_headers(private(tmp_path, told)) == found


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
        read_headers(private(tmp_path, text))
    assert "secret" not in str(refused.value)
