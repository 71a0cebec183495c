"""The hooks as the daemon runs them: from the configuration to a signed event on a socket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner

from benchd.certificate import DsseIssuer, create_key
from benchd.cli.main import app
from benchd.config import load_settings
from benchd.daemon.rack_hooks import Directing, HookBoard, HookLife, recall_held
from benchd.domain.hook import Direction, NextAction
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import DirectedView, ProblemCode, SlotView
from benchd.ledger import open_ledger
from benchd.observe.announcing_ledger import announcing, keep_following
from benchd.observe.metrics import RackMetrics
from benchd.outbound.hooks.hook_dispatcher import Hooks
from benchd.slots.board import RackBoard
from tests.config.config_folder import SECRET
from tests.outbound.hooks.hook_rig import START
from tests.outbound.hooks.http_receiver import receiving

pytestmark = pytest.mark.asyncio


def configuration(folder: Path, url: str) -> Path:
    (folder / "recipes").mkdir()
    recipe = Path(__file__).parents[3] / "configs/recipes/overwrite.toml"
    (folder / "recipes/overwrite.toml").write_bytes(recipe.read_bytes())
    secret = folder / "stock.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    path = folder / "benchd.toml"
    path.write_text(
        '[site]\nname = "東京"\n[models]\nfresh_pictures = "fresh"\n'
        '[ledger]\npath = "ledger.sqlite"\n'
        f'[[hooks]]\nname = "stock"\nurl = "{url}"\nsecret = "stock.secret"\n'
    )
    return path


def holds_in(directions: Sequence[Direction]) -> list[str]:
    return [told.hook for told in directions if told.counts and told.action is NextAction.HOLD]


def opened(number: int) -> Entry:
    return Entry(
        kind=EntryKind.JOB_OPENED,
        at=START,
        slot=SlotName("A1"),
        job=JobId(f"job-{number}"),
        data={"recipe": "overwrite", "usb_serial": "HQ612345"},
    )


async def test_from_the_configuration_to_the_receiver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C")
    key = create_key(tmp_path / "key.pem")
    metrics, board = RackMetrics(slots=[], recipes=[], version="0", hooks=["stock"]), RackBoard()
    async with (
        receiving() as receiver,
        open_ledger(tmp_path / "ledger.sqlite", head_key=key) as stored,
    ):
        config = configuration(tmp_path, receiver.url)
        settings = load_settings(config)
        hooks = Hooks([hook.settings for hook in settings.hooks])
        ledger = announcing(stored, [hooks], metrics.fault)
        issuer = DsseIssuer(key=key, directory=tmp_path, site="東京", benchd_version="0")
        life = HookLife(hooks, settings, ledger.append, issuer, HookBoard(board, metrics.hooks))
        async with anyio.create_task_group() as group:
            group.start_soon(partial(keep_following, life.run, metrics.fault))
            with anyio.fail_after(30):
                while not [
                    r for r in await stored.entries_after(0, 9) if r.entry.kind == "hook_begun"
                ]:
                    await anyio.lowlevel.checkpoint()
                await ledger.append(opened(1))
                await receiver.arrived.wait()
                receiver.answer = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"
                await ledger.append(opened(2))
                while not board.notices():
                    await board.changed(board.version)
            [notice] = board.notices()
            assert (notice.code, notice.facts) == (ProblemCode.HOOK_GAVE_UP, {"count": "1"})
            body, _ = await metrics.expose("text/plain")
            assert b'benchd_hook_dead_letters{hook="stock"} 1.0' in body
            assert b"HQ612345" not in body
            run = partial(CliRunner().invoke, app)
            listed = await anyio.to_thread.run_sync(
                run, ["hooks", "list", "--json", "--config", str(config)]
            )
            [told] = json.loads(listed.stdout)["hooks"]
            assert (told["dead"], told["dead_letters"][0]["why"]) == (1, "http_410")
            receiver.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
            replayed = await anyio.to_thread.run_sync(
                run, ["hooks", "replay", "stock", "--config", str(config)]
            )
            assert replayed.exit_code == 0
            beyond = await anyio.to_thread.run_sync(
                run, ["hooks", "replay", "stock", "--since", "4711", "--config", str(config)]
            )
            assert beyond.exit_code != 0
            assert "4711" in str(beyond.exception)
            hooks.stored(opened(2))  # instead of waiting for its next look
            with anyio.fail_after(30):
                while board.notices():
                    await board.changed(board.version)
            group.cancel_scope.cancel()
    assert len(receiver.got) == 3
    for headers, sent in receiver.got:
        assert headers["content-type"].startswith("application/cloudevents+json")
        event = json.loads(sent)
        assert event["id"] == headers["webhook-id"]
        # By the clock of the test's machine: the signature's age is looked at, too.
        Webhook(SECRET.strip()).verify(sent, headers)


async def test_a_test_event_and_a_hook_that_isnt_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C")
    async with receiving() as receiver:
        config = str(configuration(tmp_path, receiver.url))
        run = partial(CliRunner().invoke, app)
        sent = await anyio.to_thread.run_sync(run, ["hooks", "test", "stock", "--config", config])
        assert sent.exit_code == 0, sent.output
        receiver.answer = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
        refused = await anyio.to_thread.run_sync(
            run, ["hooks", "test", "stock", "--config", config]
        )
        assert refused.exit_code != 0
        other = await anyio.to_thread.run_sync(run, ["hooks", "test", "shop", "--config", config])
        assert other.exit_code != 0
    assert json.loads(receiver.got[0][1])["type"] == "benchd.test"
    assert not (tmp_path / "ledger-hooks.sqlite").exists()


async def test_what_a_receiver_asks_for_is_shown_at_the_slot(tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    metrics = RackMetrics(slots=[], recipes=[], version="0", hooks=["stock"])
    job = JobId("job-1")
    async with (
        receiving() as receiver,
        open_ledger(tmp_path / "ledger.sqlite", head_key=key) as stored,
    ):
        said = b'{"next_action":"hold"}'
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(said)}\r\n\r\n"
        receiver.answer = head.encode() + said
        settings = load_settings(configuration(tmp_path, receiver.url))
        hooks = Hooks([hook.settings for hook in settings.hooks])
        board = RackBoard(hooks.held.directed)
        board.show(SlotView(slot=SlotName("A1"), port_path=PortPath("1-1"), job=job))
        ledger = announcing(stored, [hooks, Directing(board)], metrics.fault)
        issuer = DsseIssuer(key=key, directory=tmp_path, site="東京", benchd_version="0")
        life = HookLife(hooks, settings, ledger.append, issuer, HookBoard(board, metrics.hooks))
        async with anyio.create_task_group() as group:
            group.start_soon(partial(keep_following, life.run, metrics.fault))
            with anyio.fail_after(30):
                while not [
                    r for r in await stored.entries_after(0, 9) if r.entry.kind == "hook_begun"
                ]:
                    await anyio.lowlevel.checkpoint()
                await ledger.append(opened(1))
                while (directed := board.views()[SlotName("A1")].directed) is None:
                    await board.changed(board.version)
            assert directed == DirectedView(held_by="stock")
            assert holds_in(await hooks.directions(job)) == ["stock"]
            group.cancel_scope.cancel()
        # The hooks run no more: what counts is told all the same.
        assert holds_in(await hooks.directions(job)) == ["stock"]
        # So it is by a daemon whose configuration names no hook any more.
        without = Hooks([])
        await recall_held(without.held, settings.ledger.path)
        assert holds_in(await without.directions(job)) == ["stock"]
        board = RackBoard(without.held.directed)
        board.show(SlotView(slot=SlotName("A1"), port_path=PortPath("1-1"), job=job))
        assert board.views()[SlotName("A1")].directed == DirectedView(held_by="stock")


async def test_a_hook_that_is_behind_or_faulty_is_told_on_the_wall() -> None:
    board, metrics = RackBoard(), RackMetrics(slots=[], recipes=[], version="0", hooks=["a", "b"])
    wall = HookBoard(board, metrics.hooks)
    wall.stands("a", waiting=1, dead=0, behind=True)
    wall.faulty("b", is_so=True)
    wall.stands("b", waiting=1, dead=0, behind=False)
    [notice] = board.notices()
    assert (notice.code, notice.facts) == (ProblemCode.HOOK_BEHIND, {"hooks": "a, b"})
    wall.faulty("b", is_so=False)
    wall.stands("a", waiting=0, dead=0, behind=False)
    assert board.notices() == ()
