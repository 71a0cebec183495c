"""What forbids an erasure is judged again from the records, each lie by itself."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JsonValue
from benchd.domain.job import Gate, Reason, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import verify_erasure
from tests.certificate.certificate_rack import IMEI, JOB, answer, records_of_an_erasure
from tests.proof.altered_records import Data, altered, ended, put, seen, with_data

OTHER_IMEI = "490154203237518"
FORBIDS: Mapping[str, tuple[dict[str, JsonValue], Reason]] = {
    "account": ({"account_count": 1}, Reason.LOCKED),
    "screen lock": ({"screen_lock": True}, Reason.LOCKED),
    "FRP": ({"frp_armed": True}, Reason.LOCKED),
    "device owner": ({"device_owner": True}, Reason.MANAGED_DEVICE),
    "second user": ({"user_ids": [0, 10]}, Reason.OTHER_USER),
    "memory card": ({"removable_media": True}, Reason.REMOVABLE_MEDIA),
    "one sign": (
        {"modification_signs": ["su"], "modification_sources": ["superuser"]},
        Reason.SYSTEM_SUSPECT,
    ),
    "signs from nowhere": ({"modification_signs": ["su"]}, Reason.SYSTEM_SUSPECT),
    "two signs": (
        {
            "modification_signs": ["su", "orange"],
            "modification_sources": ["superuser", "boot_chain"],
        },
        Reason.SYSTEM_MODIFIED,
    ),
}


def gaps(records: list[StoredEntry]) -> tuple[str, ...]:
    try:
        verify_erasure(JOB, records)
    except CertificateGap as gap:
        return gap.missing
    return ()


def changed(stage: StageName, /, **evidence: JsonValue) -> list[StoredEntry]:
    """The records with other evidence of one stage."""
    return ended(records_of_an_erasure(), stage, seen(**evidence))


def again(**changes: JsonValue) -> list[StoredEntry]:
    """The records with other facts that were read again right before the last reset."""

    def change(data: Data) -> Data:
        return seen(facts_again={**data["evidence"]["facts_again"], **changes})(data)

    return ended(records_of_an_erasure(), StageName.FINAL_RESET, change)


def test_row_7_the_good_records_prove_it_and_the_proof_wants_the_reading() -> None:
    assert gaps(records_of_an_erasure()) == ()
    assert gaps(again()) == ()
    records = changed(StageName.FINAL_RESET, facts_again=None)
    assert gaps(records) == ("final_reset: nobody has read again what the gates refuse by",)


LOCK = "com.samsung.android.kgclient"


def test_a_makers_lock_for_lenders_needs_somebody_who_has_looked() -> None:
    records = changed(StageName.INSPECT, lock_admins=[LOCK])
    assert gaps(records) == ("gates: nobody has looked whether a lender can lock it",)
    assert gaps(with_answers(records, True, gate=Gate.LOCK_ADMIN)) == ()
    assert gaps(with_answers(records, True, False, gate=Gate.LOCK_ADMIN)) == gaps(records)


def test_a_lock_that_came_after_inspection_is_no_lock_that_somebody_has_looked_at() -> None:
    came = "final_reset: a lock of its maker's for lenders has come since inspection"
    assert gaps(again(lock_admins=[LOCK])) == (came,)


@pytest.mark.parametrize("case", FORBIDS)
def test_row_7_what_was_read_at_inspection_and_again_is_judged_by_the_gates_own_rule(
    case: str,
) -> None:
    changes, reason = FORBIDS[case]
    [gap] = gaps(again(**changes))
    assert gap.startswith(f"final_reset: {reason}: ")
    [gap] = gaps(changed(StageName.INSPECT, **changes))
    assert gap.startswith(f"inspect: {reason}: ")


ANOTHER_IMEI = "another IMEI was read than at inspection"
TOO_LONG = "too long before it was read what the gates refuse by"
READ_AGAIN: list[tuple[dict[str, JsonValue], str | None]] = [
    ({"serial": "OTHER"}, "another serial was read than at inspection"),
    ({"manufacturer": "SHARP"}, "another maker was read than at inspection"),
    ({"model": "SO-52C"}, "another model was read than at inspection"),
    ({"imei": OTHER_IMEI}, ANOTHER_IMEI),
    ({"imei": OTHER_IMEI, "second_imei": "356938035643817"}, ANOTHER_IMEI),
    # A number that is told in one look only contradicts nothing.
    ({"imei": None}, None),
    ({"second_imei": OTHER_IMEI}, None),
    ({"imei": OTHER_IMEI, "second_imei": IMEI}, None),
    ({"before_reset_s": 900.0}, None),
    ({"before_reset_s": 900.5}, TOO_LONG),
    ({"sim": None}, None),
]


@pytest.mark.parametrize(("changes", "gap"), READ_AGAIN)
def test_row_7_it_was_the_same_handset_and_not_long_before(
    changes: dict[str, JsonValue], gap: str | None
) -> None:
    assert gaps(again(**changes)) == (() if gap is None else (f"final_reset: {gap}",))


def test_row_8_a_sim_may_have_been_there_at_first_but_not_at_the_reset() -> None:
    assert gaps(changed(StageName.INSPECT, sim=True)) == ()
    [gap] = gaps(again(sim=True))
    assert gap.startswith("final_reset: sim_present: ")


def test_records_of_before_are_held_to_the_rules_of_their_time() -> None:
    records = changed(StageName.FINAL_RESET, facts_again=None)
    older = altered(records, EntryKind.STAGE_ENDED, put(form=5))
    assert not [gap for gap in gaps(older) if "read again" in gap]


def with_answers(
    records: list[StoredEntry],
    *approved: bool,
    note: str = "基板を交換した",
    gate: Gate = Gate.DESTROYED_BEFORE,
) -> list[StoredEntry]:
    """The same with answers at a gate before all others: whether what was doomed may go on."""
    at, first = next((n, r) for n, r in enumerate(records) if r.entry.kind is EntryKind.DECISION)
    told = [
        with_data(
            first,
            **{
                **answer(gate, "高橋", approved=each),
                "note": note,
                "via": {},
            },
        )
        for each in approved
    ]
    return [*records[:at], *told, *records[at:]]


NO_ANSWER = "destroyed_before: nobody has approved it"
NO = "destroyed_before: the last answer was no"


def test_value_one_that_an_earlier_job_doomed_needs_somebodys_yes_and_a_reason() -> None:
    doomed = changed(StageName.GATES, doomed_by=["20261101-aa"])
    assert NO_ANSWER in gaps(doomed)
    assert NO in gaps(with_answers(doomed, True, False))
    assert gaps(with_answers(doomed, False, True)) == ()
    for note in ("", "  "):
        missing = "destroyed_before: nobody has said why it may go on"
        assert missing in gaps(with_answers(doomed, True, note=note))


def test_a_no_holds_whatever_the_stage_has_seen_and_somebody_has_to_have_looked() -> None:
    assert NO in gaps(with_answers(records_of_an_erasure(), False))
    [unseen] = gaps(changed(StageName.GATES, doomed_by=None))
    assert "nobody has looked whether it was to be destroyed" in unseen
