"""QR codes: as a drawing, and as bars of dark modules for whatever draws them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

QUIET = 4
"""White modules around a code."""


def qr_svg(code: str) -> str:
    """The code with its quiet zone; capital letters, digits and `:` take the least room."""
    import segno  # noqa: PLC0415 - on the thread that draws, and only where one draws

    drawn = BytesIO()
    segno.make(code, error="m", micro=False).save(
        drawn, kind="svg", border=QUIET, light="#fff", xmldecl=False, svgns=True, omitsize=True
    )
    return drawn.getvalue().decode().strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class QrCode:
    """A code without its quiet zone."""

    modules: int
    """Of one side."""
    bars: tuple[tuple[int, int, int], ...]
    """Row, first column and length of each run of dark modules."""


def qr_code(text: str) -> QrCode:
    """The code of a text, of which a seventh may be lost to a scratch, or more where it is free."""
    import segno  # noqa: PLC0415 - on the thread that draws, and only where one draws

    matrix = segno.make(text, error="m", micro=False).matrix
    bars: list[tuple[int, int, int]] = []
    for row, modules in enumerate(matrix):
        begin: int | None = None
        for column, dark in enumerate((*modules, 0)):
            if dark and begin is None:
                begin = column
            elif not dark and begin is not None:
                bars.append((row, begin, column - begin))
                begin = None
    return QrCode(modules=len(matrix), bars=tuple(bars))
