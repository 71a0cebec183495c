"""From a sheet to the JSON that Grafana reads, by Grafana's own library.

The classic form of a dashboard and not the second, which Grafana reads only from 12 on.
"""

from __future__ import annotations

import json
from typing import Final

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, timeseries
from grafana_foundation_sdk.builders import prometheus as source
from grafana_foundation_sdk.builders import statetimeline as timeline
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as parts

from benchd.lab.dashboards.sheet import (
    ALL_RACKS,
    NEVER,
    NO_DATA,
    NONE,
    Kind,
    Panel,
    Query,
    Sheet,
    Shown,
    Unit,
    Words,
    of,
)

_SOURCE: Final = options.DataSourceRef(type_val="prometheus", uid="${datasource}")
_ROWS_SHOWN: Final = 256
"""Grafana shows twenty rows of a timeline and hides the others on further pages."""
_BAR_PX: Final = 44
_BAR_TEXT: Final = common.VizTextDisplayOptions().title_size(12).value_size(16)
"""Otherwise a single bar fills its panel, and its name is written as large as that."""
_TILE_TEXT: Final = common.VizTextDisplayOptions().value_size(15)
"""A dozen tiles still hold a rack and a slot; a single one isn't written all over."""
_NOBODY_KNOWS: Final = "#808080"
_LONGEST_AGE_S: Final = 8 * 86400
"""The slowest of the timers is weekly: what is older fills its bar."""
_NEVER: Final = parts.ValueMap(
    options={"-1": parts.ValueMappingResult(text=str(NEVER), color="orange")}
)
"""Less than an empty bar: what never was isn't old."""
_NO_NUMBER: Final = tuple(
    parts.SpecialValueMap(
        options=parts.DashboardSpecialValueMapOptions(
            match=match, result=parts.ValueMappingResult(text=str(NO_DATA), color=_NOBODY_KNOWS)
        )
    )
    # Timelines before Grafana 12 don't take both in one for their gaps.
    for match in (parts.SpecialValueMatch.NULL, parts.SpecialValueMatch.NA_N)
)
"""Grafana would give it the colour of the lowest threshold, which may be green."""
_DECIMALS: Final = {Unit.COUNT: 0, Unit.RATIO: 2}
_OWN: Final = "job, instance, site, rack"
"""What tells a rack's series from another's; where nobody gives sites and racks, the first two."""
_Picture = bargauge.Panel | stat.Panel | timeline.Panel | timeseries.Panel


def dashboard_text(sheet: Sheet) -> str:
    """The file of one dashboard."""
    made = (
        dashboard.Dashboard(str(sheet.title))
        .uid(sheet.uid)
        .description(str(sheet.says))
        .tags(["benchd"])
        .time(sheet.since, "now")
        .timezone("browser")
        .refresh("1m")
        .readonly()
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
        )
        .with_variable(_variable("site", Words("拠点", "Site"), "benchd_build_info, site"))
        .with_variable(
            _variable("rack", Words("ラック", "Rack"), 'benchd_build_info{site=~"$site"}, rack')
        )
    )
    for number, panel in enumerate(sheet.panels, start=1):
        made.with_panel(_picture(panel).id(number))
    text = json.dumps(made.build(), cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True)
    return text + "\n"


def _variable(name: str, label: Words, values: str) -> dashboard.QueryVariable:
    """Which sites, or which racks: all at first, also those that tell no name."""
    return (
        dashboard.QueryVariable(name)
        .label(str(label))
        .datasource(_SOURCE)
        .query({"query": f"label_values({values})", "refId": name})
        .definition(f"label_values({values})")
        .refresh(parts.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(parts.VariableSort.NATURAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(parts.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _picture(panel: Panel) -> _Picture:
    """A panel with all that is the same whatever its kind."""
    made = _of_kind(panel)
    made.title(str(panel.title)).description(str(panel.says)).datasource(_SOURCE)
    made.unit(panel.unit).thresholds(_thresholds(panel)).span(panel.width).height(panel.height)
    decimals = _DECIMALS.get(panel.unit)
    if decimals is not None:
        made.decimals(decimals)
    made.no_value(str(NO_DATA)).mappings(_mappings(panel))
    for name, shown in panel.series.items():
        made.override_by_name(name, _override(shown))
    over_time = panel.kind in (Kind.LINES, Kind.STATES)
    for place, query in enumerate((*panel.queries, *besides(panel))):
        made.with_target(_target(query, chr(ord("A") + place), over_time=over_time))
    return made


def _of_kind(panel: Panel) -> _Picture:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    # The library leaves legends out unless told, other than Grafana itself.
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    legend.display_mode(options.LegendDisplayMode.LIST)
    legend.placement(options.LegendPlacement.BOTTOM)
    match panel.kind:
        case Kind.NUMBER:
            number = stat.Panel().reduce_options(last)
            if panel.known:
                # Of a single value Grafana would leave out whose it is.
                number.text_mode(options.BigValueTextMode.VALUE_AND_NAME)
            return number.graph_mode(options.BigValueGraphMode.NONE)
        case Kind.NAMES:
            names = stat.Panel().reduce_options(last).text_mode(options.BigValueTextMode.NAME)
            names.color_mode(options.BigValueColorMode.BACKGROUND_SOLID).text(_TILE_TEXT)
            return names.graph_mode(options.BigValueGraphMode.NONE)
        case Kind.BARS:
            bars = bargauge.Panel().reduce_options(last).min(0).text(_BAR_TEXT)
            bars.sizing(options.BarGaugeSizing.MANUAL).min_viz_height(16).max_viz_height(_BAR_PX)
            if panel.long_names:
                bars.name_placement(options.BarGaugeNamePlacement.TOP)
            if panel.is_age:
                bars.max(_LONGEST_AGE_S)
            return bars.orientation(options.VizOrientation.HORIZONTAL)
        case Kind.LINES:
            colours = dashboard.FieldColor().mode(parts.FieldColorModeId.PALETTE_CLASSIC)
            lines = timeseries.Panel().min(0).line_width(2).fill_opacity(0).color_scheme(colours)
            return lines.legend(legend)
        case Kind.STATES:
            states = timeline.Panel().show_value(options.VisibilityMode.NEVER).legend(legend)
            return states.per_page(_ROWS_SHOWN).fill_opacity(90)


def _override(shown: Shown) -> list[parts.DynamicConfigValue]:
    told = [parts.DynamicConfigValue("displayName", str(shown.words))]
    if shown.colour is not None:
        colour = {"mode": "fixed", "fixedColor": shown.colour}
        told.append(parts.DynamicConfigValue("color", colour))
    return told


def _mappings(panel: Panel) -> list[parts.ValueMapping]:
    states = {number: (shown.words, shown.colour) for number, shown in panel.states.items()}
    if panel.kind is Kind.NUMBER and panel.may_be_empty:
        states[0] = (NONE, None)
    told: list[parts.ValueMapping] = [_NEVER] if panel.is_age else []
    if states:
        shown = {
            str(number): parts.ValueMappingResult(text=str(words), color=colour)
            for number, (words, colour) in states.items()
        }
        told.append(parts.ValueMap(options=shown))
    return [*told, *_NO_NUMBER]


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    if panel.kind is Kind.NAMES:
        steps = [
            parts.Threshold(value=None, color=_NOBODY_KNOWS),
            parts.Threshold(value=0, color="green"),
            parts.Threshold(value=1, color=panel.colour),
        ]
    else:
        always = panel.colour if panel.good_from is None else "red"
        steps = [parts.Threshold(value=None, color=always)]
    if panel.good_from is not None:
        steps.append(parts.Threshold(value=panel.good_from, color="green"))
    if panel.worse_from is not None:
        steps.append(parts.Threshold(value=panel.worse_from, color="red"))
    return dashboard.ThresholdsConfig().mode(parts.ThresholdsMode.ABSOLUTE).steps(steps)


def _target(query: Query, name: str, *, over_time: bool) -> source.Dataquery:
    made = source.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(name)
    made.datasource(_SOURCE)
    return made.range() if over_time else made.instant()


def besides(panel: Panel) -> tuple[Query, ...]:
    """What it asks beside its own queries: racks of which nobody knows, and `NONE` without any.

    So nothing known never looks like nothing wrong. Prometheus answers alike, with no series, where
    a rack has nothing to tell and where it doesn't answer; and a sum over racks leaves out the one
    that is away.
    """
    if not panel.known:
        return ()
    rack = "{{site}} {{rack}}"
    name = f"{rack} {NO_DATA}" if panel.kind is Kind.NAMES else rack
    unknown = _unknown(panel.known)
    found = [Query(f"{unknown} * NaN", name)]
    if panel.may_be_empty:
        shown = " or ".join(f"({query.expr})" for query in panel.queries)
        none = f"0 * count ({panel.known}) unless on () {unknown} unless on () ({shown})"
        # A number says `NONE` itself, and its name whose it is.
        found.append(Query(none, str(ALL_RACKS if panel.kind is Kind.NUMBER else NONE)))
    return tuple(found)


def _unknown(known: str) -> str:
    """The racks that tell no number of this; one without a name where Prometheus has no rack."""
    racks = of("up", 'job="benchd"')
    # No number is less than -Inf, and what isn't a number isn't more either.
    return f"(({racks} unless on ({_OWN}) ({known}) >= -Inf) or absent ({racks}))"
