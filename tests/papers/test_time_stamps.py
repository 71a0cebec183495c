"""A time stamp stands beside the signature, which doesn't cover it; and nothing else does.

A service for time stamps is another machine: what it answers is bounded, and a stamp or none.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest
from asn1crypto import cms, tsp
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper

from benchd.certificate import SigningKey
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.outbound import time_stamps
from benchd.papers.pdf_signing import NoTimeStamp, sign_pdf
from tests.outbound.hooks.http_receiver import HttpReceiver, receiving
from tests.papers.forging import range_of, signature_of
from tests.papers.papers_made import draft, paper, read, vouching

pytestmark = pytest.mark.usefixtures("each_page_set_once")

SIGNED = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")


def time_stamper() -> DummyTimeStamper:
    """A service of this test's own; no other machine is asked."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "time")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    der = serialization.Encoding.DER
    private = key.private_bytes(
        der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(certificate.public_bytes(der)),
        tsa_key=asn1_keys.PrivateKeyInfo.load(private),
        fixed_dt=now,
    )


SERVICE = time_stamper()
REPLY = "application/timestamp-reply"


def stamps_in(pdf: bytes) -> list[Any]:
    [beside] = signature_of(pdf).signer_info["unsigned_attrs"]
    return list(beside["values"])


def beside(*values: Any) -> list[Any]:  # noqa: ANN401 - asn1crypto has no types
    """An attribute with these in the place of its one time stamp."""
    return [cms.CMSAttribute({"type": "signature_time_stamp_token", "values": list(values)})]


def signed_beside(pdf: bytes, attributes: Sequence[Any]) -> bytes:
    """The same signature with other attributes beside it, which it doesn't cover.

    Longer than the file where there is no room for them.
    """
    signature = signature_of(pdf)
    before, after, _ = range_of(pdf)
    data, signer = signature.signed_data, signature.signer_info
    told = {name: signer[name] for name in SIGNED}
    if attributes:
        told["unsigned_attrs"] = cms.CMSAttributes(attributes)
    kept = ("version", "digest_algorithms", "encap_content_info", "certificates")
    again = cms.SignedData(
        {**{name: data[name] for name in kept}, "signer_infos": [cms.SignerInfo(told)]}
    )
    whole = cms.ContentInfo({"content_type": "signed_data", "content": again})
    digits = whole.dump().hex().upper().encode()
    return pdf[: before + 1] + digits.ljust(after - before - 2, b"0") + pdf[after - 1 :]


def http(body: bytes, *more: str, kind: str = REPLY, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reply(query: bytes) -> Any:  # noqa: ANN401 - asn1crypto has no types
    return SERVICE.request_tsa_response(tsp.TimeStampReq.load(query))


def honest(query: bytes) -> bytes:
    return http(reply(query).dump())


def packed(query: bytes) -> bytes:
    return http(gzip.compress(reply(query).dump()), "content-encoding: gzip")


def refusal(_: bytes) -> bytes:
    said = {"status": "rejection", "status_string": ["no credit\x1b[2J" * 1000]}
    status = tsp.PKIStatusInfo(said).dump()
    return http(b"\x30\x82" + len(status).to_bytes(2) + status)


def of_another_nonce(query: bytes) -> bytes:
    asked = tsp.TimeStampReq.load(query)
    asked["nonce"] = asked["nonce"].native + 1
    return honest(asked.copy().dump(force=True))


def of_another_digest(query: bytes) -> bytes:
    asked = tsp.TimeStampReq.load(query)
    asked["message_imprint"]["hashed_message"] = bytes(32)
    return honest(asked.copy().dump(force=True))


def not_signed(stamp: Any) -> Any:  # noqa: ANN401 - asn1crypto has no types
    """The same stamp, which its service has not signed."""
    signer = stamp["content"]["signer_infos"][0]
    signer["signature"] = bytes(len(signer["signature"].native))
    return cms.ContentInfo({"content_type": "signed_data", "content": stamp["content"].copy()})


def unsigned(query: bytes) -> bytes:
    told = reply(query)
    told["time_stamp_token"] = not_signed(told["time_stamp_token"])
    return http(told.copy().dump(force=True))


def granted_nothing(_: bytes) -> bytes:
    data = cms.ContentInfo({"content_type": "data", "content": b"12:00"})
    told = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": data})
    return http(told.dump())


async def signed_with(receiver: HttpReceiver, statement: Evidence, key: SigningKey) -> bytes:
    unsigned_page = await anyio.to_thread.run_sync(draft, statement, key)
    stamps = time_stamps.WebTimeStamper(
        f"http://user:word@127.0.0.1:{receiver.port}/tsa?token=S3CRET"
    )
    sign = partial(sign_pdf, unsigned_page, vouching(key)[0], name="x", time_stamps=stamps)
    return await anyio.to_thread.run_sync(sign)


@pytest.mark.asyncio
async def test_a_service_stamps_what_reads_back(statement: Evidence, key: SigningKey) -> None:
    async with receiving() as receiver:
        receiver.answer = honest
        pdf = await signed_with(receiver, statement, key)
        headers, _ = receiver.got[0]
    assert len(stamps_in(pdf)) == 1
    assert (await anyio.to_thread.run_sync(read, pdf, key)).page_compared
    assert headers["content-type"] == "application/timestamp-query"
    assert headers["accept-encoding"] == "identity"
    # "user:word", as a service may ask for it.
    assert headers["authorization"] == "Basic dXNlcjp3b3Jk"
    assert receiver.paths[0] == "/tsa?token=S3CRET"


NO_STAMPS: dict[str, tuple[Any, str]] = {
    "without end": (http(bytes(100_000)), "AnswerTooLong"),
    "hints without end": (b"HTTP/1.1 103 \r\n\r\n" * 10_000, "AnswerTooLong"),
    "packed": (packed, "packed"),
    "a page": (http(b"<p>sign in</p>", kind="text/html"), "isn't application"),
    "a redirect": (http(b"", "location: /other", status="302 Found"), "302"),
    "an error": (http(b"", status="500 No"), "500"),
    "no HTTP": (b"S3CRET\r\n\r\n", "RemoteProtocolError"),
    "nothing": (http(b""), "no time stamp"),
    "noise": (http(b"\x30\x82noise"), "no time stamp"),
    "a stamp and more": (lambda query: http(reply(query).dump() + b"more"), "no time stamp"),
    "a refusal": (refusal, "no credit"),
    "granted nothing": (granted_nothing, "no time stamp"),
    "of another nonce": (of_another_nonce, "no time stamp"),
    "of another digest": (of_another_digest, "no time stamp"),
    "unsigned": (unsigned, "no time stamp"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize(("answer", "said"), NO_STAMPS.values(), ids=NO_STAMPS)
async def test_what_is_no_time_stamp_is_told_as_that(
    answer: Any,  # noqa: ANN401 - what an HttpReceiver takes
    said: str,
    statement: Evidence,
    key: SigningKey,
) -> None:
    async with receiving() as receiver:
        receiver.answer = answer
        with pytest.raises(NoTimeStamp, match=said) as told:
            await signed_with(receiver, statement, key)
    assert "S3CRET" not in str(told.value)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 1000


@pytest.mark.asyncio
async def test_a_stamp_for_which_no_room_was_left_is_told(
    statement: Evidence, key: SigningKey
) -> None:
    service = time_stamper()

    def growing(query: bytes) -> bytes:
        told = service.request_tsa_response(tsp.TimeStampReq.load(query))
        der = service.tsa_cert.dump()
        service.certs_to_embed = [asn1_x509.Certificate.load(der) for _ in range(20)]
        return http(told.dump())

    async with receiving() as receiver:
        receiver.answer = growing
        with pytest.raises(NoTimeStamp, match="longer"):
            await signed_with(receiver, statement, key)


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [None, http(bytes(100))[:-1]], ids=["silence", "a byte short"])
async def test_a_service_is_waited_for_so_long_in_all(
    answer: bytes | None, statement: Evidence, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_stamps, "TIME_STAMP_S", 0.05)
    async with receiving() as receiver:
        receiver.answer = answer
        with pytest.raises(NoTimeStamp, match="didn't answer in"):
            await signed_with(receiver, statement, key)


@pytest.fixture(scope="module")
def stamped(statement: Evidence, key: SigningKey) -> bytes:
    unsigned_page = draft(statement, key)
    return sign_pdf(unsigned_page, vouching(key)[0], name="x", time_stamps=SERVICE)


OTHERS: dict[str, Callable[[Any], list[Any]]] = {
    "none": lambda _: [],
    "no value": lambda _: beside(),
    "two": lambda stamp: beside(stamp, stamp),
    "twice": lambda stamp: beside(stamp) + beside(stamp),
    "no stamp": lambda _: beside(cms.ContentInfo({"content_type": "data"})),
    "not signed": lambda stamp: beside(not_signed(cms.ContentInfo.load(stamp.dump()))),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_nothing_stands_in_the_place_of_a_time_stamp(
    other: Callable[[Any], list[Any]], stamped: bytes, statement: Evidence, key: SigningKey
) -> None:
    [stamp] = stamps_in(stamped)
    assert read(stamped, key).page_compared
    assert paper(statement, key) != stamped
    assert signed_beside(stamped, beside(stamp)) == stamped
    with pytest.raises(CertificateInvalid):
        read(signed_beside(stamped, other(stamp)), key)


def test_the_time_stamp_of_another_signature_is_refused(
    stamped: bytes, statement: Evidence, key: SigningKey
) -> None:
    again = sign_pdf(draft(statement, key), vouching(key)[0], name="x", time_stamps=time_stamper())
    with pytest.raises(CertificateInvalid):
        read(signed_beside(stamped, beside(*stamps_in(again))), key)


@pytest.mark.parametrize("values", [(), (cms.ContentInfo({"content_type": "data"}),)])
def test_beside_a_signature_without_one_there_is_no_room(
    values: tuple[Any, ...], pdf: bytes, key: SigningKey
) -> None:
    longer = signed_beside(pdf, beside(*values))
    assert len(longer) > len(pdf)
    with pytest.raises(CertificateInvalid):
        read(longer, key)
