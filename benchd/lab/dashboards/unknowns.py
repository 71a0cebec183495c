"""What a panel asks beside its own queries, so that nothing known never looks like nothing wrong.

Prometheus answers alike, with no series, where a rack has nothing to tell and where it doesn't
answer; and a sum over racks leaves out the one that is away.
"""

from __future__ import annotations

from typing import Final

from benchd.lab.dashboards.sheet import NO_DATA, NONE, Kind, Panel, Query, of

_OWN: Final = "job, instance, site, rack"
"""What tells a rack's series from another's; where nobody gives sites and racks, the first two."""


def besides(panel: Panel) -> tuple[Query, ...]:
    """The racks of which nobody knows, by name, and `NONE` where all are known."""
    if not panel.known:
        return ()
    name = f"{{{{rack}}}} {NO_DATA}" if panel.kind is Kind.NAMES else "{{rack}}"
    unknown = _unknown(panel.known)
    found = [Query(f"{unknown} * NaN", name)]
    if panel.may_be_empty:
        shown = " or ".join(f"({query.expr})" for query in panel.queries)
        none = f"0 * count ({panel.known}) unless on () {unknown} unless on () ({shown})"
        found.append(Query(none, str(NONE)))
    return tuple(found)


def _unknown(known: str) -> str:
    """The racks that tell no number of this; one without a name where Prometheus has no rack."""
    racks = of("up", 'job="benchd"')
    # No number is less than -Inf, and what isn't a number isn't more either.
    return f"(({racks} unless on ({_OWN}) ({known}) >= -Inf) or absent ({racks}))"
