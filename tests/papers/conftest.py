"""A rack's key, one statement, and its paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from benchd.certificate import SigningKey, create_key
from benchd.certificate.statement import statement_of
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence, JsonValue
from benchd.papers import certificate_pdf
from benchd.papers.typesetting import set_pdf
from tests.certificate.certificate_rack import ISSUED_AT, proven_erasure
from tests.papers.papers_made import paper


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return create_key(tmp_path_factory.mktemp("rack") / "rack.key")


@pytest.fixture(scope="session")
def statement() -> Evidence:
    return to_json(
        statement_of(
            proven_erasure(),
            at=ISSUED_AT,
            site="大宮",
            benchd_version="0.1.0",
            benchd_commit="4f" * 20,
        )
    )


@pytest.fixture(scope="session")
def pages_set() -> dict[str, bytes]:
    """By all that goes into a page: what was set of it."""
    return {}


@pytest.fixture
def each_page_set_once(pages_set: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets no page twice: for tests of what is done with a page, which is set again to be read.

    That the same page has the same bytes is what the other tests show.
    """

    def once(source: str, data: Mapping[str, JsonValue], **rest: Any) -> bytes:  # noqa: ANN401
        asked = repr((source, data, rest))
        if asked not in pages_set:
            pages_set[asked] = set_pdf(source, data, **rest)
        return pages_set[asked]

    monkeypatch.setattr(certificate_pdf, "set_pdf", once)


@pytest.fixture(scope="session")
def pdf(statement: Evidence, key: SigningKey) -> bytes:
    return paper(statement, key)
