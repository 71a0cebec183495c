"""From the report to the API's objects; every foreign string is cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from benchd.intake.desk import LONGEST_TEXT
from benchd.texts.catalogue import Catalogue, printable
from benchd.web.objects import TextsObject
from benchd.web.present_records import upto_object
from benchd.web.records_objects import (
    CountObject,
    FigureObject,
    FigureValueObject,
    ReportObject,
    ShareFigureObject,
    ShareObject,
)
from benchd.words.handset_file import Upto
from benchd.words.report import Counted, Figure, Report, Share


class ReportPresenter:
    """Makes the objects of `/api/v1/report`."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def report(self, report: Report, upto: Upto, days: Mapping[str, str]) -> ReportObject:
        """The figures, each value with its jobs; `days` is how they were asked for."""
        return ReportObject(
            begin=report.asked.begin.isoformat(),
            end=report.asked.end.isoformat(),
            lot=_text(report.asked.lot),
            consignor=_text(report.asked.consignor),
            figures=[
                FigureObject(
                    figure=figure,
                    text=self._name(figure),
                    values=[
                        self._value(figure, value, counted)
                        for value, counted in report.figures[figure].items()
                    ],
                )
                for figure in Figure
            ],
            consignors=[
                self._share(one, {**days, "consignor": one.consignor or ""})
                for one in report.consignors
            ],
            lots=[self._share(one, {**days, "lot": one.lot or ""}) for one in report.lots],
            upto=upto_object(upto),
        )

    def _share(self, share: Share, asked: Mapping[str, str]) -> ShareObject:
        return ShareObject(
            lot=_text(share.lot),
            consignor=_text(share.consignor),
            figures=[
                ShareFigureObject(
                    figure=figure,
                    text=self._name(figure),
                    values=[
                        self._count(figure, value, counted)
                        for value, counted in share.figures[figure].items()
                    ],
                )
                for figure in Figure
            ],
            with_jobs=f"/api/v1/report?{urlencode(asked)}",
        )

    def _value(self, figure: Figure, value: str, counted: Counted) -> FigureValueObject:
        said = self._catalogue.figure_value(figure, value)
        return FigureValueObject(
            value=value,
            ja=said.ja,
            en=said.en,
            handsets=counted.handsets,
            jobs=list(counted.jobs),
            assets=[printable(tag) for tag in counted.tags],
        )

    def _count(self, figure: Figure, value: str, counted: Counted) -> CountObject:
        said = self._catalogue.figure_value(figure, value)
        return CountObject(value=value, ja=said.ja, en=said.en, handsets=counted.handsets)

    def _name(self, figure: Figure) -> TextsObject:
        name = self._catalogue.text(f"figure.{figure}")
        return TextsObject(ja=name.ja, en=name.en)


def _text(text: str | None) -> str | None:
    return None if text is None else printable(text, LONGEST_TEXT)
