"""`/cards`: answer cards and slot labels for a reader, to be printed; made here, without a net."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from benchd.papers.labels import code128
from benchd.papers.labels.sheets import SIGNS
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue, Texts
from benchd.web.access_level import AccessLevel, served_to

QUIET = 4
"""Modules around a QR code."""
BAR_HEIGHT = 24

PAGE = """<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/static/icons.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/cards.css">
</head>
<body>
<main>
{pdf}<section class="answers"><h1>{answers}</h1><p>{hint}</p><ul>{cards}</ul></section>
<section class="slots"><h1>{slots}</h1><p>{slot_hint}</p><ul>{labels}</ul></section>
</main>
</body>
</html>
"""


def cards_route(board: RackBoard, catalogue: Catalogue) -> APIRouter:
    """The sheet, for the slots as they are now; it leads to its PDF."""
    router = APIRouter(include_in_schema=False)
    one = CapacityLimiter(1)

    # It takes a sixth of a second for 64 slots, and is the same until the rack is another.
    @lru_cache(maxsize=1)
    def made(slots: tuple[str, ...]) -> str:
        return sheet(slots, catalogue)

    @router.get("/cards", response_class=HTMLResponse)
    # Names the slots, as the wall does.
    @served_to(AccessLevel.WALL)
    async def cards() -> HTMLResponse:
        slots = tuple(board.views())
        return HTMLResponse(await to_thread.run_sync(made, slots, limiter=one))

    return router


def sheet(slots: Iterable[str], catalogue: Catalogue) -> str:
    """The page, in both languages at once: a sheet lies there for everybody."""
    words = catalogue.labels()["cards"]

    def both(word: str) -> str:
        return _both(words[word])

    return PAGE.format(
        title=escape(words["title"].ja),
        pdf=f'<p class="pdf"><a href="/cards.pdf">{both("as_pdf")}</a></p>',
        answers=both("answers"),
        hint=both("hint"),
        cards="".join(_card(f"BD:A:{a.upper()}", both(a), sign) for a, sign in SIGNS.items()),
        slots=both("slots"),
        slot_hint=both("slot_hint"),
        labels="".join(_card(f"BD:S:{slot}", escape(slot), "") for slot in slots),
    )


def _both(texts: Texts) -> str:
    return f'<span>{escape(texts.ja)}</span> <span lang="en">{escape(texts.en)}</span>'


def _card(code: str, title: str, sign: str) -> str:
    large = f"<b>{escape(sign)}</b> " if sign else ""
    shown = escape(code)
    return (
        f'<li data-code="{escape(code, quote=True)}">{_qr(code)}<h2>{large}{title}</h2>'
        f"{_bars(code)}<code>{shown}</code></li>"
    )


def _qr(code: str) -> str:
    import segno  # noqa: PLC0415 - on the thread that draws, and only where one draws

    matrix = segno.make(code, error="q", micro=False).matrix
    dots = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, dark in enumerate(row)
        if dark
    )
    size = len(matrix) + 2 * QUIET
    return _svg("qr", size, size, dots)


def _bars(code: str) -> str:
    """Nothing where a slot's name has letters that bars can't tell: its QR code does."""
    if not code128.encodable(code):
        return ""
    found, width = code128.bars(code)
    drawn = "".join(f"M{at} 0h{wide}v{BAR_HEIGHT}h-{wide}z" for at, wide in found)
    return _svg("bars", width, BAR_HEIGHT, drawn, stretch=True)


def _svg(kind: str, width: int, height: int, drawn: str, *, stretch: bool = False) -> str:
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}"{ratio} aria-hidden="true"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{width}v{height}H0z"/>'
        f'<path fill="#000" d="{drawn}"/></svg>'
    )
