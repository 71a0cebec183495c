"""The sheets as PDF, read by poppler and zbar, which know nothing of how they were made."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchd.papers.labels import code128
from benchd.papers.labels.sheets import badge_sheet, rack_sheet
from benchd.texts.catalogue import Catalogue
from tests.papers.outside import check_structure, read_by, text_of

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("zbarimg", "pdftoppm", "pdftotext", "qpdf"))),
    reason="zbar-tools, poppler-utils or qpdf isn't here",
)

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
ANSWERS = ["YES", "NO", "CIRCLE", "TRIANGLE", "CROSS", "DASH", "NEXT", "PRINT", "CANCEL"]
SLOTS = ["A1", "b2", "C-10", "ABCDEFGHIJKLMNOP"]
CODE = "0123456789ABCDEF0123"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def scanned(pdf: bytes, folder: Path) -> set[str]:
    """Every code on its pages: a reader is held nearer and farther until it has read one."""
    (folder / "sheet.pdf").write_bytes(pdf)
    read: set[str] = set()
    for dpi in ("150", "200", "250", "300"):
        read_by("pdftoppm", "-r", dpi, "-gray", "-png", f"{folder}/sheet.pdf", f"{folder}/{dpi}")
        pages = sorted(str(page) for page in folder.glob(f"{dpi}-*.png"))
        assert pages
        told = subprocess.run(
            ["zbarimg", "--quiet", *pages], capture_output=True, check=False, timeout=60
        )
        read.update(told.stdout.decode().splitlines())
    return read


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


def test_each_code_of_the_racks_sheet_is_read_as_what_it_stands_for(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    made = rack_sheet(SLOTS, catalogue, AT)
    codes = [*(f"BD:A:{answer}" for answer in ANSWERS), *(f"BD:S:{slot}" for slot in SLOTS)]
    assert scanned(made, tmp_path) == {
        f"{kind}:{c}" for kind in ("QR-Code", "CODE-128") for c in codes
    }
    text = text_of(tmp_path / "sheet.pdf")
    for words in ("回答カード", "Answer cards", "利用制限なし", "not restricted", "C-10"):
        assert words in text
    check_structure(tmp_path / "sheet.pdf")
    assert made == rack_sheet(SLOTS, catalogue, AT)


def test_a_badge_says_its_code_to_readers_alone(catalogue: Catalogue, tmp_path: Path) -> None:
    made = badge_sheet({CODE: "森 葵", "x" * 60: "#panic() 佐藤" * 20}, catalogue, AT)
    codes = {f"QR-Code:{CODE}", f"CODE-128:{CODE}", f"QR-Code:{'x' * 60}"}
    assert scanned(made, tmp_path) == codes
    text = text_of(tmp_path / "sheet.pdf")
    assert "森葵" in "".join(text.split())
    assert CODE not in text
    assert CODE.encode() not in made


def test_a_large_rack_has_a_label_for_each_slot(catalogue: Catalogue, tmp_path: Path) -> None:
    slots = [f"{row}{number}" for row in "ABCDEFGH" for number in range(1, 9)]
    (tmp_path / "sheet.pdf").write_bytes(rack_sheet(slots, catalogue, AT))
    text = text_of(tmp_path / "sheet.pdf")
    assert [slot for slot in slots if f"BD:S:{slot}" not in text] == []
