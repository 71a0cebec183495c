"""Bars as they are printed; that a reader reads them is tested with the sheet they are on."""

from __future__ import annotations

import pytest

from benchd.papers.labels import code128


def test_bars_tell_ascii_and_nothing_else() -> None:
    assert code128.encodable("BD:S:A-1 ~")
    for text in ("", "棚1", "a\n", "é"):
        assert not code128.encodable(text)
        with pytest.raises(ValueError, match="set B"):
            code128.bars(text)
    # "A": start, the letter (value 33), the check digit ((104 + 33) % 103 = 34), stop.
    found, width = code128.bars("A")
    assert width == 3 * 11 + 13 + 2 * code128.QUIET
    assert found[0] == (code128.QUIET, 2)
