"""Sets a page in type: a typst source and its data in, PDF, PNG or SVG out.

Nothing but its arguments reaches the page: fonts are those that lie beside this file, no file and
no network is read, and the time is one that is given. So the same page has the same bytes anywhere.
Each call is work for the processor, a few milliseconds to a fifth of a second: call it from a
worker thread. The first one loads the compiler, 14 MB of it, which a daemon that prints nothing
doesn't hold.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchd.domain.ids import JsonValue

if TYPE_CHECKING:
    import typst

FONT: Final = "BIZ UDPGothic"
FONTS: Final = Path(str(resources.files("benchd.papers").joinpath("fonts")))
ARCHIVED: Final[list[typst.PDFStandard]] = ["a-3a", "ua-1"]
"""PDF/A-3, level A: to be kept, tagged, files within; and PDF/UA-1: to be read aloud."""

_PRELUDE: Final = f"""\
#let data = json(bytes(sys.inputs.data))
#set text(font: "{FONT}", fallback: false)
"""
"""What each source finds: its data, and the one font."""
_PDF_PRELUDE: Final = """\
#let moment = datetime(
  year: data.at.at(0), month: data.at.at(1), day: data.at.at(2),
  hour: data.at.at(3), minute: data.at.at(4), second: data.at.at(5),
)
#for file in data.attached {
  pdf.attach(
    file.name, bytes(file.text), relationship: "source",
    mime-type: file.kind, description: file.about,
  )
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A text file inside a PDF; its name, MIME type and description are benchd's own words."""

    name: str
    text: str
    kind: str
    about: str


class SettingFailed(Exception):
    """A source that can't be set: a mistake of benchd's, or data that its caller didn't bound."""


def set_pdf(
    source: str, data: Mapping[str, JsonValue], *, at: datetime, attached: Sequence[Attached] = ()
) -> bytes:
    """A PDF/A-3 that says it was made at that time; raises SettingFailed.

    The source finds its data as `data` and the time as `moment`; it sets the document's title,
    date and language itself.
    """
    made = at.astimezone(UTC).replace(microsecond=0)
    at_parts = [made.year, made.month, made.day, made.hour, made.minute, made.second]
    compiler = _compiler(
        _PDF_PRELUDE + source,
        {**data, "at": at_parts, "attached": [asdict(each) for each in attached]},
    )
    with _told():
        return _whole(compiler.compile(format="pdf", pdf_standards=ARCHIVED, timestamp=made))


def set_png(source: str, data: Mapping[str, JsonValue], *, dpi: float) -> bytes:
    """A picture of the one page that the source makes; raises SettingFailed.

    It has the page's size to the nearest dot: 50 mm at 203 dpi are 400 dots.
    """
    compiler = _compiler(source, data)
    with _told():
        return _whole(compiler.compile(format="png", ppi=dpi))


def set_svg(source: str, data: Mapping[str, JsonValue]) -> bytes:
    """The one page that the source makes, its letters as outlines; raises SettingFailed."""
    compiler = _compiler(source, data)
    with _told():
        return _whole(compiler.compile(format="svg"))


def _compiler(source: str, data: Mapping[str, JsonValue]) -> typst.Compiler:
    import typst  # noqa: PLC0415 - see above

    # Strangers' words are in the data alone, which typst never reads as a source.
    return typst.Compiler(
        (_PRELUDE + source).encode(),
        root=FONTS,
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False, allow_nan=False)},
    )


@cache
def _fonts() -> typst.Fonts:
    """Those beside this file, whatever else this machine has."""
    import typst  # noqa: PLC0415 - see above

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )


def _whole(made: bytes | list[bytes] | None) -> bytes:
    if not isinstance(made, bytes):
        message = f"a picture is of one page, not of {len(made or ())}"
        raise SettingFailed(message)
    return made


@contextmanager
def _told() -> Generator[None]:
    import typst  # noqa: PLC0415 - see above

    try:
        yield
    except typst.TypstError as error:
        raise SettingFailed(error.message) from error
