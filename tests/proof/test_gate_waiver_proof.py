"""What a job's own records say of the asset that its handset is."""

from __future__ import annotations

from benchd.domain.evidence_json import to_json
from benchd.domain.record import EntryKind
from benchd.proof.gate_waiver_proof import bound_in
from tests.proof.altered_records import stored
from tests.recorded import bound

FIRST, LAST = bound("T-1"), bound("T-2")


def test_the_last_asset_that_a_handset_was_bound_to_counts() -> None:
    records = [
        stored(1, EntryKind.ASSET_BOUND, to_json(FIRST)),
        stored(2, EntryKind.ASSET_BOUND, to_json(LAST)),
        stored(3, EntryKind.STAGE_ENDED, {"stage": "inspect"}),
    ]
    assert bound_in(records) == LAST
    assert bound_in(records[:1]) == FIRST
    assert bound_in(records[2:]) is None
