"""Asks a service for time stamps (RFC 3161, over HTTP as its 3.4 has it) and takes nothing else."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Final, cast

import anyio
import httpx2
from asn1crypto import cms, tsp
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.validation.generic_cms import (
    extract_certs_for_validation,
    validate_sig_integrity,
)

from benchd.domain.plain_text import printable
from benchd.outbound.bounded_http import BoundedTransport

TIME_STAMP_S: Final = 10.0
"""How long a time stamp is waited for, seconds: from the connection to the last byte."""
QUERY: Final = "application/timestamp-query"
REPLY: Final = "application/timestamp-reply"
PLAIN: Final = "identity"
"""Of what is packed, a few bytes could become as many as they like."""
TST_INFO: Final = "tst_info"
OK: Final = 200


class _Response(tsp.TimeStampResp):
    """A refusal comes without a stamp (RFC 3161, 2.4.2), which asn1crypto doesn't read."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class WebTimeStamper(TimeStamper):
    """A service by its address. Every method raises TimestampRequestError where there is no stamp.

    What it answers is read to 64 KiB, without redirects and without a proxy, and it is taken only
    where it is signed and is of the very digest that was asked for. Whose signature that is,
    benchd doesn't judge.
    """

    def __init__(self, url: str) -> None:
        """Reads certificates, so not on the loop."""
        super().__init__()
        self._url = url
        self._context = httpx2.create_ssl_context()

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """One request."""
        body = await self._posted(cast("Any", req).dump())
        return cast("Any", _Response).load(body, strict=True)

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """The stamp of a digest."""
        try:
            stamp = await cast("Any", super()).async_timestamp(message_digest, md_algorithm)
            taken = _is_of(stamp["content"], message_digest, md_algorithm)
        except TimestampRequestError as error:
            # A refusal has the service's own words.
            raise TimestampRequestError(printable(str(error))) from error
        except (
            Exception
        ) as error:  # its parts are read one by one, and each stumbles in its own way
            raise _no_stamp() from error
        if not taken:
            raise _no_stamp()
        return stamp

    async def async_dummy_response(self, md_algorithm: str) -> cms.ContentInfo:
        """A stamp of nothing, by which room is left for the one that follows."""
        try:
            return await cast("Any", super()).async_dummy_response(md_algorithm)
        except TimestampRequestError:
            raise
        except Exception as error:  # the certificates in it are looked for here
            raise _no_stamp() from error

    async def _posted(self, query: bytes) -> bytes:
        headers = {"content-type": QUERY, "accept": REPLY, "accept-encoding": PLAIN}
        try:
            with anyio.fail_after(TIME_STAMP_S):
                async with (
                    httpx2.AsyncClient(
                        transport=BoundedTransport(self._context),
                        trust_env=False,
                        follow_redirects=False,
                        timeout=TIME_STAMP_S,
                    ) as client,
                    client.stream("POST", self._url, content=query, headers=headers) as answer,
                ):
                    _expect_reply(answer)
                    # The transport ends a longer one.
                    return b"".join([part async for part in answer.aiter_raw()])
        except TimeoutError as error:
            message = f"the service didn't answer in {TIME_STAMP_S:g} s"
            raise TimestampRequestError(message) from error
        except httpx2.ConnectError as error:
            message = f"the service can't be reached: {error}"
            raise TimestampRequestError(message) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # The text of an error may have the address in it.
            message = f"the service's answer can't be read: {type(error).__name__}"
            raise TimestampRequestError(message) from error


def _is_of(signed: Any, digest: bytes, algorithm: str) -> bool:  # noqa: ANN401 - asn1crypto has no types
    """Whether it is signed, as a reader of the PDF checks it, and stamps this digest.

    pyHanko's own check asks for trust besides, and logs each service that has none.
    """
    told = signed["encap_content_info"]
    imprint = told["content"].parsed["message_imprint"]
    if (told["content_type"].native, imprint["hash_algorithm"]["algorithm"].native) != (
        TST_INFO,
        algorithm,
    ) or imprint["hashed_message"].native != digest:
        return False
    [signer] = signed["signer_infos"]
    hashed = hashlib.new(signer["digest_algorithm"]["algorithm"].native, bytes(told["content"]))
    certificate = extract_certs_for_validation(signed).signer_cert
    return all(validate_sig_integrity(signer, certificate, TST_INFO, hashed.digest()))


def _expect_reply(answer: httpx2.Response) -> None:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = answer.headers.get("content-encoding", PLAIN).strip().lower()
    if answer.status_code != OK:
        message = f"the service answered with {answer.status_code}"
    elif kind != REPLY:
        message = f"the service's answer isn't {REPLY}"
    elif coding != PLAIN:
        message = "the service has packed its answer, which it was asked not to"
    else:
        return
    raise TimestampRequestError(message)


def _no_stamp() -> TimestampRequestError:
    return TimestampRequestError("the service's answer is no time stamp of what was asked")
