"""From a picture to the language of label printers."""

from __future__ import annotations

HALF = 127
"""Darker than this is a dot: nothing is dithered, which would tear letters and codes."""


def zpl_of(png: bytes) -> bytes:
    """A whole label in ZPL: its size in dots, and the picture as one graphic field.

    The picture carries the Japanese, so that no printer needs a font for it.
    """
    # It brings 7 MB of its own, which a rack without a printer doesn't need.
    from zebrafy.zebrafy_image import ZebrafyImage  # noqa: PLC0415

    image = ZebrafyImage(
        png, format="Z64", dither=False, threshold=HALF, complete_zpl=True, set_label_size=True
    )
    return image.to_zpl().encode("ascii")
