"""Draws all pictures: `python -m benchd.lab.dashboards.drawing DATA PICTURES`.

DATA is a folder in which figures are kept from one time to the next: ten minutes of a demo, and a
drawn week. What isn't in it is gathered first.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import anyio

from benchd.lab.dashboards.drawing import demo_source, week_source
from benchd.lab.dashboards.drawing.album import ALBUM, DASHBOARDS, DRAWN_FROM, Source, digests
from benchd.lab.dashboards.drawing.bundle import bundle
from benchd.lab.dashboards.drawing.camera import Camera
from benchd.lab.dashboards.drawing.prometheus import prometheus
from benchd.lab.dashboards.drawing.query_answers import SCRAPED_EVERY_S, Span, answers_of
from benchd.lab.dashboards.week.week_plan import ENDS, JAPAN, SCRAPED_EVERY

_ENDED: Final = "ended"
"""When the figures in a folder end, in seconds since 1970; there once they are complete."""
_ONLY_ASKED: Final = "global: {scrape_interval: 1m}\n"


async def main(data: Path, pictures: Path) -> None:
    """Gather what isn't there yet, ask, draw."""
    folders = await _gathered(data)
    with TemporaryDirectory(prefix="benchd-pictures-") as page:
        modules = bundle(Path(page)) / "node_modules"
        async with Camera.ready(Path(page), modules) as camera:
            for source in Source:
                await _draw(camera, source, folders[source], pictures)
    (pictures / DRAWN_FROM).write_text(digests(_files()))


async def _draw(camera: Camera, source: Source, folder: Path, pictures: Path) -> None:
    end = float((folder / _ENDED).read_text())
    every = SCRAPED_EVERY.total_seconds() if source is Source.WEEK else SCRAPED_EVERY_S
    async with prometheus(folder, _ONLY_ASKED) as client:
        for picture in (one for one in ALBUM if one.source is source):
            span = Span(begin_s=end - picture.range_s, end_s=end, scraped_every_s=every)
            dashboard = json.loads((DASHBOARDS / f"{picture.uid}.json").read_text())
            drawing = {
                "dashboard": dashboard,
                "answers": await answers_of(client, dashboard, span),
                "from": span.begin_s * 1000,
                "to": span.end_s * 1000,
                "mode": picture.mode,
                "shown": _shown(span),
            }
            await camera.photograph(drawing, pictures / picture.name)
            sys.stderr.write(f"{picture.name}\n")


async def _gathered(data: Path) -> Mapping[Source, Path]:
    names = week_source.metrics_of(_files())
    folders = {
        Source.DEMO: data / Source.DEMO,
        Source.WEEK: data / f"{Source.WEEK}-{week_source.key_of(names)}",
    }
    for folder in folders.values():
        _begin_anew_unless_complete(folder)
    week, demo = folders[Source.WEEK] / _ENDED, folders[Source.DEMO] / _ENDED
    if not week.exists():
        sys.stderr.write("draws a week: some minutes\n")
        week_source.gather(folders[Source.WEEK], names)
        week.write_text(str(ENDS.timestamp()))
    if not demo.exists():
        sys.stderr.write("watches scripts/demo: ten minutes\n")
        demo.write_text(str(await demo_source.gather(folders[Source.DEMO])))
    return folders


def _begin_anew_unless_complete(folder: Path) -> None:
    if not (folder / _ENDED).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)


def _files() -> list[Path]:
    return sorted(DASHBOARDS.glob("*.json"))


def _shown(span: Span) -> str:
    ends = [datetime.fromtimestamp(at, UTC).astimezone(JAPAN) for at in (span.begin_s, span.end_s)]
    return " – ".join(f"{end:%Y-%m-%d %H:%M}" for end in ends)


if len(sys.argv) != 3:
    sys.exit(__doc__)
anyio.run(main, Path(sys.argv[1]), Path(sys.argv[2]))
