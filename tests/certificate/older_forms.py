"""What the second and the third form say otherwise than today's, of what wasn't written."""

from __future__ import annotations

from typing import Any

from benchd.certificate.wording import REST_BEFORE_FOURTH_FORM


def before_what_was_free(predicate: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The same without the figure of what was free when the overwrite ended."""
    in_use = {**predicate["in_use_before"]}
    del in_use["free_after_overwrite_bytes"]
    missing = predicate["medium"]["capacity_bytes"] - predicate["overwrite"]["bytes_written"]
    rest = max(missing - in_use["at_overwrite_bytes"] - in_use["reserved_bytes"], 0)
    said = predicate["not_reached"]
    not_reached = [*said[:3], REST_BEFORE_FOURTH_FORM.format(rest_bytes=rest), *said[5:]]
    return {**predicate, "in_use_before": in_use, "not_reached": not_reached}
