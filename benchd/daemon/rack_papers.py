"""The papers of this rack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from benchd.certificate import DsseIssuer, SigningKey, verify_certificate
from benchd.config import Settings
from benchd.domain.ids import JobId
from benchd.domain.ports import Clock, Ledger
from benchd.domain.version_info import commit, version
from benchd.intake.intake_store import IntakeStore
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.records.records_access import Records
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.lot_desk import LotPress
from benchd.papers.lots.shipping import ShippingDesk
from benchd.papers.press import Press
from benchd.pipelines.recipe import Recipe
from benchd.proof.grade_book import GradeBook
from benchd.texts.catalogue import Catalogue

if TYPE_CHECKING:
    from benchd.outbound.time_stamps import WebTimeStamper


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


def shipping_desk_of(
    settings: Settings,
    *,
    stored: SqliteLedger,
    ledger: Ledger,
    issuer: DsseIssuer,
    records: Records,
    intake: IntakeStore,
    holder: Callable[[JobId], str | None],
) -> ShippingDesk:
    """What lets lots and pallets out."""
    return ShippingDesk(
        Chooser(records, lambda: intake.book, lambda: stored.head.sequence),
        ledger=ledger,
        issuer=issuer,
        book=lambda: intake.book,
        time=intake.time_basis,
        now=intake.clock.now,
        holder=holder,
        good_for_days=good_for_days(settings.recipes),
    )


def good_for_days(recipes: Mapping[str, Recipe]) -> Mapping[str, float]:
    """How old a look before the sale may be, by the recipe that it was made with."""
    return {
        name: recipe.good_for_days
        for name, recipe in recipes.items()
        if recipe.good_for_days is not None
    }


def press_of(settings: Settings, key: SigningKey) -> Press:
    """What prints certificates, with what the configuration says of them."""
    stamps_at = settings.certificate.time_stamps
    return Press(
        key,
        partial(verify_certificate, trusted=key.ring),
        Catalogue.load(),
        site=settings.site.name,
        where=settings.certificate.verify_at,
        time_stamper=partial(_time_stamper, stamps_at) if stamps_at else None,
    )


def _time_stamper(url: str) -> WebTimeStamper:
    # It loads pyHanko, for which the daemon doesn't wait: see Press.
    from benchd.outbound.time_stamps import WebTimeStamper  # noqa: PLC0415

    return WebTimeStamper(url)
