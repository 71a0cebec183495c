"""The papers of this rack."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchd.certificate import DsseIssuer, SigningKey, verify_certificate
from benchd.config import Settings
from benchd.domain.ids import JobId
from benchd.domain.ports import Clock, Ledger
from benchd.domain.revision import commit, version
from benchd.intake.grade_book import GradeBook
from benchd.intake.intake_store import IntakeStore
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.records.records_access import Records
from benchd.papers.lots.lot_desk import LotPress
from benchd.papers.press import Press
from benchd.texts.catalogue import Catalogue


def lot_press_of(  # noqa: PLR0913 - what they are made of, and by whom
    settings: Settings,
    key: SigningKey,
    *,
    stored: SqliteLedger,
    ledger: Ledger,
    issuer: DsseIssuer,
    records: Records,
    intake: IntakeStore,
    grades: GradeBook,
    holder: Callable[[JobId], str | None],
    clock: Clock,
) -> LotPress:
    """What makes the papers of lots, days and consignors."""
    return LotPress(
        key,
        press_of(settings, key),
        Catalogue.load(),
        ledger=ledger,
        issuer=issuer,
        lists=records,
        book=lambda: intake.book,
        grades=grades,
        holder=holder,
        head=lambda: stored.head.sequence,
        clock=clock,
        site=settings.site.name,
        program=(version(), commit()),
    )


def press_of(settings: Settings, key: SigningKey) -> Press:
    """What prints certificates, with what the configuration says of them."""
    return Press(
        key,
        partial(verify_certificate, trusted=key.ring),
        Catalogue.load(),
        site=settings.site.name,
        where=settings.certificate.verify_at,
        time_stamps=settings.certificate.time_stamps,
    )
