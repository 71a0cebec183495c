"""Prints certificates on demand: what is kept is the certificate alone, and no job waits for this.

Setting and signing is work for the processor: it's done on one thread beside the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from anyio import CapacityLimiter, to_thread

from benchd.certificate.envelope import decode_envelope
from benchd.domain.errors import DependencyMissing
from benchd.domain.ids import Evidence
from benchd.domain.plain_text import Language
from benchd.papers.certificate_html import html_of
from benchd.papers.certificate_page import CertificatePage
from benchd.papers.certificate_pdf import draft_of
from benchd.papers.key_voucher import Vouched, vouched_for
from benchd.papers.paper_content import Signed
from benchd.signing.private_key import SigningKey
from benchd.texts.catalogue import Catalogue

if TYPE_CHECKING:
    from pyhanko.sign.timestamps import TimeStamper

_Made = TypeVar("_Made")
BY_COMMAND: Final = "benchd certificate verify"
"""Where a certificate is verified unless the site names a place."""


class Press:
    """The papers of one rack. Make it inside the event loop that uses it."""

    def __init__(
        self,
        key: SigningKey,
        verify: Callable[[bytes], Evidence],
        catalogue: Catalogue,
        *,
        site: str,
        where: str | None = None,
        time_stamper: Callable[[], TimeStamper] | None = None,
    ) -> None:
        """`verify` raises CertificateInvalid for what the rack hasn't signed.

        `where` stands on each paper as the place to verify it; `time_stamper` gives one
        that asks an RFC 3161 service. Without one, nothing is asked of any other machine.
        """
        self._verify = verify
        self._catalogue = catalogue
        self._pages = CertificatePage(catalogue)
        self._key = key
        self._site = site
        self._where = where or BY_COMMAND
        self._time_stamper = time_stamper
        self._limiter = CapacityLimiter(1)

    async def pdf(self, envelope: bytes) -> bytes:
        """The signed PDF of a certificate.

        Raises CertificateInvalid for what is none, DependencyMissing where no time stamp is to be
        had.
        """
        return await to_thread.run_sync(partial(self._pdf, envelope), limiter=self._limiter)

    async def page(
        self,
        envelope: bytes,
        language: Language,
        links: Iterable[tuple[str, str]],
        since: Sequence[str] = (),
    ) -> str:
        """Its page for the screen, with what the rack knows `since`; raises CertificateInvalid."""
        return await to_thread.run_sync(
            partial(self._page, envelope, language, tuple(links), tuple(since)),
            limiter=self._limiter,
        )

    async def at_work(self, call: Callable[[], _Made]) -> _Made:
        """Do this on the thread on which papers are made, in turn with them."""
        return await to_thread.run_sync(call, limiter=self._limiter)

    async def signed_page(self, draft: Callable[[Vouched], bytes], *, where: str) -> bytes:
        """A paper of many handsets, verified at `where`: set by `draft`, signed as any page is.

        Raises what `draft` raises, and DependencyMissing where no time stamp is to be had.
        """
        return await self.at_work(lambda: self._sign(draft, where))

    def _signed(self, envelope: bytes) -> Signed:
        return Signed(
            statement=self._verify(envelope),
            envelope=envelope,
            key_id=decode_envelope(envelope).key_id,
            where=self._where,
        )

    def _page(
        self,
        envelope: bytes,
        language: Language,
        links: tuple[tuple[str, str], ...],
        since: tuple[str, ...],
    ) -> str:
        return html_of(self._pages.document(self._signed(envelope), language), links, since)

    def _pdf(self, envelope: bytes) -> bytes:
        signed = self._signed(envelope)
        return self._sign(lambda vouched: draft_of(signed, vouched, self._catalogue), self._where)

    def _sign(self, draft: Callable[[Vouched], bytes], where: str) -> bytes:
        # It loads for a good while, and the daemon starts for its rack, not for a PDF.
        from benchd.papers.pdf_signing import NoTimeStamp, sign_pdf  # noqa: PLC0415

        stamps = None if self._time_stamper is None else self._time_stamper()
        paper_key, vouched = vouched_for(self._key, where=where)
        try:
            return sign_pdf(draft(vouched), paper_key, name=self._site, time_stamps=stamps)
        except NoTimeStamp as error:
            message = f"no time stamp was to be had for a PDF: {error}"
            cure = "See to the service that certificate.time_stamps names, or name none."
            raise DependencyMissing(message, cure=cure) from error
