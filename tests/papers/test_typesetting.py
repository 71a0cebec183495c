"""What is set is the same anywhere, can be read by others, and holds nothing but what was given."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from benchd.papers.glyphs import settable
from benchd.papers.typesetting import Attached, SettingFailed, set_pdf, set_png, set_svg
from tests.papers.outside import check_structure, read_by, text_of

AT = datetime(2026, 11, 26, 3, 4, 5, 678_000, tzinfo=UTC)
PAGE = """
#set document(title: data.title, date: moment)
#set text(lang: "ja")
= #data.title
#data.words
"""
LABEL = """
#set page(width: 50mm, height: 30mm, margin: 2mm)
#data.words
"""
STATEMENT = Attached(
    name="statement.json", text='{"名":"値"}', kind="application/json", about="the statement"
)


def page(words: str = "髙﨑鷗齟齬") -> bytes:
    return set_pdf(PAGE, {"title": "証明書", "words": words}, at=AT, attached=[STATEMENT])


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "page.pdf"
    path.write_bytes(page())
    return path


def test_a_page_has_the_same_bytes_each_time_and_in_any_time_zone() -> None:
    tokyo = AT.astimezone(timezone(timedelta(hours=9)))
    again = set_pdf(
        PAGE, {"title": "証明書", "words": "髙﨑鷗齟齬"}, at=tokyo, attached=[STATEMENT]
    )
    assert page() == again
    assert page() != page("other words")


def test_others_find_its_words_parts_fonts_and_the_file_that_goes_with_it(
    pdf: Path, tmp_path: Path
) -> None:
    """What a validator would ask for first; none can be had here."""
    check_structure(pdf)
    assert "髙﨑鷗齟齬" in text_of(pdf)
    told = read_by("pdfinfo", "-isodates", pdf)
    assert "2026-11-26T03:04:05Z" in told
    assert "証明書" in told
    assert "H1" in read_by("pdfinfo", "-struct-text", pdf)
    told = read_by("pdfinfo", "-meta", pdf)
    assert "<pdfaid:part>3</pdfaid:part>" in told
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in told
    assert "<pdfuaid:part>1</pdfuaid:part>" in told
    fonts = read_by("pdffonts", pdf).splitlines()[2:]
    assert fonts
    for font in fonts:
        # Embedded, a part of it only, with the characters that its letters stand for.
        assert font.split()[-5:-2] == ["yes", "yes", "yes"]
    out = tmp_path / "out"
    read_by("pdfdetach", "-save", "1", "-o", out, pdf)
    assert out.read_text() == STATEMENT.text


def test_words_are_never_read_as_a_source(tmp_path: Path) -> None:
    """A model's name may look like markup, code or another file."""
    hostile = '#read("/BIZUDPGothic-Bold.ttf") *x* $y$ @z \\ #panic() ]{<'
    path = tmp_path / "hostile.pdf"
    path.write_bytes(page(hostile))
    assert hostile in text_of(path)


@pytest.mark.parametrize("dpi", [203, 300])
def test_a_label_has_the_dots_that_its_size_makes(dpi: int) -> None:
    picture = set_png(LABEL, {"words": "販売可"}, dpi=dpi)
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == (round(50 / 25.4 * dpi), round(30 / 25.4 * dpi))


def test_a_drawing_is_one_picture_without_letters_to_look_up() -> None:
    drawn = set_svg(LABEL, {"words": "販売可"})
    assert drawn.startswith(b"<svg")
    assert "font" not in drawn.decode()


def test_what_cant_be_set_is_refused() -> None:
    with pytest.raises(SettingFailed, match="could not be displayed"):
        page("한글")
    with pytest.raises(SettingFailed, match="one page, not of 2"):
        set_png(LABEL + "#pagebreak() x", {"words": "x"}, dpi=203)
    with pytest.raises(SettingFailed):
        set_png("#panic()", {}, dpi=203)


def test_a_character_that_the_font_lacks_is_told_by_its_number_and_no_other() -> None:
    assert settable("𠮷野 한\u202e\x07 A", 80) == "〔U+20BB7〕野 〔U+D55C〕 A"
    assert settable("x" * 100, 10) == "x" * 9 + "…"
    every = "".join(map(chr, (*range(0x20, 0xD800), *range(0xE000, 0x20000))))
    shown = "".join(c for c in every if settable(c, 1) == c and not c.isspace())
    assert len(shown) > 7_000
    page(shown)
