"""docs/metrics.md tells of the metrics that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.observe import reference

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_is_as_the_code_makes_it() -> None:
    """If this fails: scripts/metrics-reference."""
    assert PAGE.read_text() == reference.reference_text()


def test_a_label_that_nobody_has_explained_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {name: text for name, text in reference.LABELS.items() if name != "gate"}
    monkeypatch.setattr(reference, "LABELS", told)
    with pytest.raises(LookupError, match="what the label gate of benchd_answer_seconds holds"):
        reference.reference_text()
