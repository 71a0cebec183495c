"""The hooks as the daemon runs them: from the configuration to a signed event, killed or not."""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from benchd.certificate import load_rack_key
from benchd.cli.main import app
from benchd.daemon.rack_hooks import HookBoard, recall_held
from benchd.domain.hook import Direction, NextAction
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import DirectedView, ProblemCode, SlotView
from benchd.ledger import open_ledger
from benchd.observe.metrics import RackMetrics
from benchd.outbound.hooks.hook_dispatcher import Hooks
from benchd.slots.board import RackBoard
from tests.outbound.hooks.hook_daemon import HOOK, SECRET, configuration, entry, telling
from tests.outbound.hooks.http_receiver import OK, answer, receiving

pytestmark = pytest.mark.asyncio


def holds_in(directions: Sequence[Direction]) -> list[str]:
    return [told.hook for told in directions if told.counts and told.action is NextAction.HOLD]


def opened(number: int) -> Entry:
    told = {"recipe": "overwrite", "usb_serial": "HQ612345"}
    return entry(EntryKind.JOB_OPENED, f"job-{number}", "A1", told)


async def hooks_command(config: Path, *words: str) -> Result:
    """`benchd hooks` as it is typed beside the daemon."""
    typed = ["hooks", *words, "--config", str(config)]
    return await anyio.to_thread.run_sync(partial(CliRunner().invoke, app, typed))


async def test_from_the_configuration_to_the_receiver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C")
    async with receiving() as receiver:
        config = configuration(tmp_path, HOOK.format(url=receiver.url))
        async with telling(tmp_path) as rack:
            with anyio.fail_after(30):
                await rack.begun()
                await rack.ledger.append(opened(1))
                await receiver.arrived.wait()
                receiver.answer = answer("410 Gone")
                await rack.ledger.append(opened(2))
                while not rack.board.notices():
                    await rack.board.changed(rack.board.version)
            [notice] = rack.board.notices()
            assert (notice.code, notice.facts) == (ProblemCode.HOOK_GAVE_UP, {"count": "1"})
            body, _ = await rack.metrics.expose("text/plain")
            assert b'benchd_hook_dead_letters{hook="stock"} 1.0' in body
            assert b"HQ612345" not in body
            listed = await hooks_command(config, "list", "--json")
            [told] = json.loads(listed.stdout)["hooks"]
            assert (told["dead"], told["dead_letters"][0]["why"]) == (1, "http_410")
            receiver.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
            assert (await hooks_command(config, "replay", "stock")).exit_code == 0
            beyond = await hooks_command(config, "replay", "stock", "--since", "4711")
            assert beyond.exit_code != 0
            assert "4711" in str(beyond.exception)
            rack.hooks.stored(opened(2))  # instead of waiting for its next look
            with anyio.fail_after(30):
                while rack.board.notices():
                    await rack.board.changed(rack.board.version)
    assert len(receiver.got) == 3
    for headers, sent in receiver.got:
        assert headers["content-type"].startswith("application/cloudevents+json")
        event = json.loads(sent)
        assert event["id"] == headers["webhook-id"]
        # By the clock of the test's machine: the signature's age is looked at, too.
        Webhook(SECRET).verify(sent, headers)


async def test_item_6_the_list_tells_the_last_error_and_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C")
    async with receiving() as receiver:
        receiver.answer = answer("503 Busy")
        config = configuration(tmp_path, HOOK.format(url=receiver.url))
        async with telling(tmp_path) as rack:
            with anyio.fail_after(30):
                await rack.begun()
                [fresh] = json.loads((await hooks_command(config, "list", "--json")).stdout)[
                    "hooks"
                ]
                assert (fresh["next_try"], fresh["last_error"]) == (None, None)
                began = datetime.now(UTC)
                await rack.ledger.append(opened(1))
                await receiver.arrived.wait()
                told = fresh
                while told["last_error"] is None:
                    listed = await hooks_command(config, "list", "--json")
                    [told] = json.loads(listed.stdout)["hooks"]
            assert (told["waiting"], told["dead"], told["last_error"]) == (1, 0, "http_503")
            assert datetime.fromisoformat(told["next_try"]) > began
            shown = (await hooks_command(config, "list")).stdout
            assert shown.split("\t")[-2:] == [told["next_try"], "http_503\n"]


async def test_a_test_event_and_a_hook_that_isnt_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C")
    async with receiving() as receiver:
        config = configuration(tmp_path, HOOK.format(url=receiver.url))
        sent = await hooks_command(config, "test", "stock")
        assert sent.exit_code == 0, sent.output
        receiver.answer = answer("500 No")
        for hook in ("stock", "shop"):
            assert (await hooks_command(config, "test", hook)).exit_code != 0
    assert json.loads(receiver.got[0][1])["type"] == "benchd.test"
    assert not (tmp_path / "ledger-hooks.sqlite").exists()


async def test_what_a_receiver_asks_for_is_shown_at_the_slot(tmp_path: Path) -> None:
    job = JobId("job-1")
    view = SlotView(slot=SlotName("A1"), port_path=PortPath("1-1"), job=job)
    async with receiving() as receiver:
        receiver.answer = answer("200 OK", b'{"next_action":"hold"}')
        configuration(tmp_path, HOOK.format(url=receiver.url))
        async with telling(tmp_path) as rack:
            rack.board.show(view)
            with anyio.fail_after(30):
                await rack.begun()
                await rack.ledger.append(opened(1))
                while (directed := rack.board.views()[view.slot].directed) is None:
                    await rack.board.changed(rack.board.version)
            assert directed == DirectedView(held_by="stock")
            assert holds_in(await rack.hooks.directions(job)) == ["stock"]
    # The hooks run no more: what counts is told all the same.
    assert holds_in(await rack.hooks.directions(job)) == ["stock"]
    # So it is by a daemon whose configuration names no hook any more.
    without = Hooks([])
    await recall_held(without.held, rack.settings.ledger.path)
    assert holds_in(await without.directions(job)) == ["stock"]
    board = RackBoard(without.held.directed)
    board.show(view)
    assert board.views()[view.slot].directed == DirectedView(held_by="stock")


async def test_a_hook_that_is_behind_or_faulty_is_told_on_the_wall() -> None:
    board = RackBoard()
    metrics = RackMetrics(slots=[], recipes=[], stages=[], version="0", hooks=["a", "b"])
    wall = HookBoard(board, metrics.hooks)
    wall.stands("a", waiting=1, dead=0, behind=True)
    wall.faulty("b", is_so=True)
    wall.stands("b", waiting=1, dead=0, behind=False)
    [notice] = board.notices()
    assert (notice.code, notice.facts) == (ProblemCode.HOOK_BEHIND, {"hooks": "a, b"})
    wall.faulty("b", is_so=False)
    wall.stands("a", waiting=0, dead=0, behind=False)
    assert board.notices() == ()


KILLS = 5
TOLD = {EntryKind.JOB_OPENED: "benchd.job_started", EntryKind.JOB_ENDED: "benchd.job_ended"}


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_each_event_arrives_in_order_however_often_its_daemon_is_killed(
    on_disk: Path,
) -> None:
    draw = random.Random(20_261_126)
    cut_short = 0
    async with receiving() as receiver:
        configuration(on_disk, HOOK.format(url=receiver.url))
        key = load_rack_key(on_disk / "key.pem", {})

        def program(seed: int, jobs: int) -> list[str]:
            module = "tests.outbound.hooks.hook_daemon"
            return [sys.executable, "-m", module, str(on_disk), str(seed), str(jobs)]

        for seed in range(KILLS):
            # Half of them die while their receiver has the event and hasn't said so.
            silent, enough = draw.random() < 0.5, len(receiver.got) + draw.randrange(1, 25)
            receiver.answer = OK
            async with await anyio.open_process(
                program(seed, 10_000), cwd=Path(__file__).parents[3], stdout=None
            ) as one:
                while len(receiver.got) < enough:
                    if len(receiver.got) == enough - 1 and silent:
                        receiver.answer = None
                    receiver.arrived = anyio.Event()
                    await receiver.arrived.wait()
                one.kill()
                assert await one.wait() < 0
            cut_short += silent
        async with open_ledger(on_disk / "ledger.sqlite", head_key=key) as ledger:
            records = await ledger.entries_after(0, 100_000)
        begun = next(r.sequence for r in records if r.entry.kind is EntryKind.HOOK_BEGUN)
        due = {r.sequence: r for r in records if r.entry.kind in TOLD and r.sequence > begun}
        receiver.answer = OK
        async with await anyio.open_process(
            program(KILLS, 0), cwd=Path(__file__).parents[3], stdout=None
        ) as last:
            while due.keys() - {number(body) for _, body in receiver.got}:
                receiver.arrived = anyio.Event()
                await receiver.arrived.wait()
            last.terminate()
            await last.wait()
    assert 0 < cut_short < KILLS
    came, lanes = [json.loads(body) for _, body in receiver.got], defaultdict[str, list[int]](list)
    for event in came:
        # What isn't in the ledger is a KeyError here.
        record = due[int(event["sequence"])]
        assert event["type"] == TOLD[record.entry.kind]
        assert event["subject"] == record.entry.job
        assert event["id"] == f"{record.sequence}-{record.hash_hex[:16]}"
        lanes[str(record.entry.slot)].append(record.sequence)
    for lane in lanes.values():
        assert lane == sorted(lane)
    assert len(came) > len(due) > 20


def number(body: bytes) -> int:
    return int(json.loads(body)["sequence"])
