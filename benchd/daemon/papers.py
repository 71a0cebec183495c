"""The papers of this rack."""

from __future__ import annotations

from functools import partial

from benchd.certificate import SigningKey, verify_certificate
from benchd.config import Settings
from benchd.papers.press import Press
from benchd.texts.catalogue import Catalogue


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
