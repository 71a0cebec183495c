"""The read-back in its two modes: whole, and by a sample that is named as one."""

from __future__ import annotations

from typing import Any

import pytest

from benchd.domain.errors import AnswerNotRecognised, CertificateGap, HandsetGone
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Reason, StageName
from benchd.domain.record import StoredEntry
from benchd.pipelines.stages.overwrite import OverwriteStage
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.erasure import verify_erasure

from . import world as world_module
from .test_erasure import changed
from .world import MIB, Phone, World, failing, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CAPACITY = 512 * MIB


def sampling() -> World:
    return World(recipe=make_recipe(read_back=ReadBackStage(minimum_coverage=0.9, check="sampled")))


def sampled_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Storage large enough for a sample: on a small one everything is read."""
    monkeypatch.setattr(world_module, "CAPACITY", CAPACITY)
    return sampling()


async def test_the_tail_is_proven_and_gone_before_the_rest_is_read() -> None:
    world, phone = World(), Phone()
    await world.sells(phone)
    tail, body = phone.checked
    assert [file.is_tail for file in tail.files] == [True]
    assert not any(file.is_tail for file in body.files)
    assert (tail.ranges, body.ranges) == (None, None)
    assert phone.calls["drop_tail"] == 1
    evidence = world.evidence(StageName.READ_BACK)
    assert evidence["check_mode"] == "whole"
    assert evidence["host_past_cache"] == "eviction_seen"
    assert evidence["bytes_proven"] == tail.ordered_bytes + body.ordered_bytes
    assert evidence["bytes_shown"] == evidence["bytes_proven"]
    free_before = world_module.CAPACITY - phone.used_bytes
    assert evidence["coverage_of_free"] == evidence["bytes_proven"] / free_before
    assert evidence["coverage"] == evidence["bytes_proven"] / world_module.CAPACITY


async def test_where_all_is_in_the_tail_the_small_files_are_checked_with_it() -> None:
    world = World(recipe=make_recipe(overwrite=OverwriteStage(file_bytes=1024 * MIB)))
    world.file_bytes, phone = 1024 * MIB, Phone()
    await world.sells(phone)
    [only] = phone.checked
    assert only.small_files == world.evidence(StageName.READ_BACK)["small_files_same"] > 0


async def test_a_second_attempt_knows_what_the_first_has_proven() -> None:
    phone = Phone(faults=failing("check", HandsetGone("the link broke"), 2))
    await World().sells(phone)
    # The tail once, and the body in both attempts; the first of these was never answered.
    assert [order.files[0].is_tail for order in phone.checked] == [True, False]


@pytest.mark.parametrize("call", ["drop_tail", "drop"])
async def test_a_link_that_breaks_while_files_are_deleted_leaves_the_proof(call: str) -> None:
    """The handset has deleted them, but nobody heard of it: there is nothing to read again."""
    phone = Phone()
    gone: set[str] = set()

    async def delete_and_lose(phone: Phone) -> None:
        gone.add(call)
        if phone.calls[call] == 1:
            raise HandsetGone("the link broke")

    async def read_what_is_there(_: Phone) -> None:
        nothing_left = "drop" in gone or ("drop_tail" in gone and not phone.checked)
        phone.bad_bytes = 4096 if nothing_left else 0

    phone.faults = {call: delete_and_lose, "check": read_what_is_there}
    await World().sells(phone)
    assert [order.files[0].is_tail for order in phone.checked] == [True, False]


async def test_small_files_that_differ_are_a_storage_fault() -> None:
    await World().refuses(Phone(small_bad=1), Reason.STORAGE_FAULT)


async def test_host_samples_out_of_a_cache_certify_nothing() -> None:
    world = World()
    view = await world.end_of(Phone(host_past_cache="cached"))
    assert view.disposition is not Disposition.SELLABLE
    assert not world.certified()
    assert not world.passed_for_real


async def test_after_a_sample_that_differs_no_other_place_is_told() -> None:
    phone = Phone(sample_differs=True)
    await World().refuses(phone, Reason.STORAGE_FAULT)
    assert phone.calls["sample"] == 1


async def test_samples_whose_shell_hasnt_ended_well_certify_nothing() -> None:
    more = AnswerNotRecognised("a handset sends what nobody has asked for")
    world, phone = World(), Phone(faults=failing("samples_end", more))
    await world.refuses(phone, Reason.ANSWER_NOT_RECOGNISED)
    assert not world.passed_for_real


async def test_all_samples_are_taken_anew_where_the_link_broke_before_their_shell_ended() -> None:
    world, phone = World(), Phone()
    taken: list[int] = []

    async def lose_it_once(phone: Phone) -> None:
        taken.append(phone.calls["sample"])
        if len(taken) == 1:
            raise HandsetGone("the link broke")

    phone.faults["samples_end"] = lose_it_once
    await world.sells(phone)
    # Those of the tail twice, and then those of the body.
    assert taken[1] == 2 * taken[0]
    assert world.evidence(StageName.READ_BACK)["host_samples"] == taken[2] - taken[0]


async def test_a_sample_stands_for_the_whole_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world, phone = sampled_world(monkeypatch), Phone()
    await world.sells(phone)
    tail, body = phone.checked
    assert tail.ranges is None
    assert body.ranges is not None
    evidence = world.evidence(StageName.READ_BACK)
    written = sum(file.size_bytes for order in phone.checked for file in order.files)
    assert evidence["check_mode"] == "sampled"
    assert evidence["sample_subsections"] == 1000
    assert evidence["sample_places"] == 2002
    assert evidence["bytes_proven"] == tail.ordered_bytes + body.ordered_bytes < written
    assert body.ordered_bytes >= 0.1 * evidence["sampled_from_bytes"]
    assert evidence["coverage"] == written / CAPACITY


async def test_a_small_storage_is_read_whole_all_the_same() -> None:
    world, phone = sampling(), Phone()
    await world.sells(phone)
    assert all(order.ranges is None for order in phone.checked)
    assert world.evidence(StageName.READ_BACK)["check_mode"] == "whole"


SAMPLE_LIES: dict[str, dict[str, Any]] = {
    "called whole": {"check_mode": "whole"},
    "too few subsections": {"sample_subsections": 999},
    "no subsections": {"sample_subsections": 0, "sample_places": 2},
    "too few places": {"sample_places": 2001},
    "too few bytes": {"bytes_proven": 40 * MIB},
    "more than there is": {"bytes_proven": CAPACITY},
    "drawn from a part": {"sampled_from_bytes": 100 * MIB},
    "drawn from nothing": {"sampled_from_bytes": 0},
    "all of it in the tail": {"tail_bytes_proven": 400 * MIB},
    "no seed": {"seed": ""},
    "a bad byte": {"bytes_bad": 1},
    "no word on subsections": {"sample_subsections": ...},
}


async def sampled_records(monkeypatch: pytest.MonkeyPatch) -> list[StoredEntry]:
    world = sampled_world(monkeypatch)
    await world.end_of(Phone(used_bytes=30 * MIB))
    _, records = await world.proof()
    return records


@pytest.mark.parametrize("lie", SAMPLE_LIES)
async def test_a_sample_that_is_none_is_a_gap(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    records = await sampled_records(monkeypatch)
    verify_erasure(JobId("J"), records)
    with pytest.raises(CertificateGap):
        verify_erasure(JobId("J"), changed(records, StageName.READ_BACK, SAMPLE_LIES[lie]))
