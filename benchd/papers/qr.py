"""A QR code as a drawing."""

from __future__ import annotations

from io import BytesIO


def qr_svg(code: str) -> str:
    """The code with its quiet zone; capital letters, digits and `:` take the least room."""
    import segno  # noqa: PLC0415 - on the thread that draws, and only where one draws

    drawn = BytesIO()
    segno.make(code, error="m", micro=False).save(
        drawn, kind="svg", border=4, light="#fff", xmldecl=False, svgns=True, omitsize=True
    )
    return drawn.getvalue().decode().strip()
