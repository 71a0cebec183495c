"""Small plots as SVG: text is text, whatever a handset calls itself.

Colours are classes for the page's own style, with an attribute behind them for wherever else the
picture is opened. Each has a title and a description with all that it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import east_asian_width
from xml.etree import ElementTree as ET

SVG: Final = "http://www.w3.org/2000/svg"
WIDTH: Final = 640
ROW: Final = 46
BAR: Final = 16
MOST_ROWS: Final = 10
NUMBER: Final = 72
"""Room for a number beside a bar."""
LONGEST_LABEL: Final = 60
"""In halves of a full-width letter."""
HEIGHT: Final = 240
FOOT: Final = 30
HEAD: Final = 24
SIDE: Final = 16
COLOURS: Final = {"all": "#8a99ab", "part": "#2f7fbf", "text": "#5a6675", "line": "#8a99ab"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: `part` of `all`."""

    label: str
    part: int
    all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """What is plotted, in one language."""

    title: str
    part: str
    all: str
    others: str


def horizontal_bars(name: str, legend: Legend, bars: Sequence[Bar], *, of_all: bool = True) -> str:
    """Bars below each other, the first ones; `of_all` shows the whole behind each part."""
    shown, more = bars[:MOST_ROWS], len(bars) - MOST_ROWS
    height = ROW * len(shown) + (FOOT if more > 0 else 0) + 4
    svg = _picture(name, legend, bars, height, of_all=of_all)
    most = max((bar.all if of_all else bar.part for bar in shown), default=0) or 1
    for number, bar in enumerate(shown):
        top = number * ROW
        _text(svg, 0, top + 16, _cut(bar.label))
        room = WIDTH - NUMBER
        if of_all:
            _rect(svg, "all", 0, top + 22, room * bar.all / most, BAR)
        _rect(svg, "part", 0, top + 22, room * bar.part / most, BAR)
        told = f"{bar.part} / {bar.all}" if of_all else str(bar.part)
        _text(svg, WIDTH, top + 22 + BAR - 2, told, at="end", bold=True)
    if more > 0:
        _text(svg, 0, height - 10, f"{legend.others} {more}")
    return ET.tostring(svg, encoding="unicode")


def standing_bars(name: str, legend: Legend, bars: Sequence[Bar]) -> str:
    """Bars beside each other, as of hours; those that are nothing keep their place."""
    svg = _picture(name, legend, bars, HEIGHT, of_all=True)
    most = max((bar.all for bar in bars), default=0) or 1
    floor = HEIGHT - FOOT
    step = (WIDTH - 2 * SIDE) / max(len(bars), 1)
    thin = step * 0.72
    # No more labels than have room.
    every = -(-len(bars) * 76 // WIDTH) or 1
    for number, bar in enumerate(bars):
        left = SIDE + number * step + (step - thin) / 2
        for kind, count in (("all", bar.all), ("part", bar.part)):
            high = (floor - HEAD) * count / most
            _rect(svg, kind, left, floor - high, thin, high)
        middle = left + thin / 2
        if bar.all:
            high = (floor - HEAD) * bar.all / most
            _text(svg, middle, floor - high - 6, str(bar.all), at="middle", bold=True)
        if number % every == 0:
            _text(svg, middle, HEIGHT - 8, bar.label, at="middle")
    line = {"x1": "0", "x2": str(WIDTH), "y1": str(floor), "y2": str(floor)}
    ET.SubElement(svg, "line", {"class": "line", "stroke": COLOURS["line"], **line})
    return ET.tostring(svg, encoding="unicode")


def _picture(
    name: str, legend: Legend, bars: Sequence[Bar], height: int, *, of_all: bool
) -> ET.Element:
    svg = ET.Element(
        "svg",
        {
            "xmlns": SVG,
            "viewBox": f"0 0 {WIDTH} {height}",
            "class": "plot",
            "role": "img",
            "aria-labelledby": f"plot-{name}-title plot-{name}-all",
        },
    )
    ET.SubElement(svg, "title", {"id": f"plot-{name}-title"}).text = legend.title
    told = [f"{bar.label} {bar.part}" + (f" / {bar.all}" if of_all else "") for bar in bars]
    what = f"{legend.part} / {legend.all}" if of_all else legend.part
    said = f"{what}: {', '.join(told)}"
    ET.SubElement(svg, "desc", {"id": f"plot-{name}-all"}).text = said
    return svg


def _rect(svg: ET.Element, kind: str, x: float, y: float, width: float, height: float) -> None:
    if width <= 0 or height <= 0:
        return
    places = {"x": x, "y": y, "width": width, "height": height}
    told = {key: f"{value:.1f}" for key, value in places.items()}
    ET.SubElement(svg, "rect", {"class": kind, "fill": COLOURS[kind], "rx": "2", **told})


def _text(
    svg: ET.Element, x: float, y: float, text: str, *, at: str = "start", bold: bool = False
) -> None:
    told = {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": COLOURS["text"], "font-size": "15"}
    told |= {"text-anchor": at} if at != "start" else {}
    told |= {"font-weight": "700"} if bold else {}
    ET.SubElement(svg, "text", told).text = text


def _cut(text: str) -> str:
    width = 0
    for place, letter in enumerate(text):
        width += 2 if east_asian_width(letter) in "WF" else 1
        if width > LONGEST_LABEL:
            return f"{text[:place]}…"
    return text
