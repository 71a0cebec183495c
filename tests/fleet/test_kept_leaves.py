"""The centre's lists in a locked store: which stores are refused, and what is read back of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pytest
from structlog.testing import capture_logs

from benchd.certificate import create_key
from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.fleet.centre_server import CentreSettings, run_centre
from benchd.fleet.fleet_database import open_database
from benchd.fleet.kept_leaves import KeptLeaves
from benchd.fleet.leaf_list import decode_leaves, encode_leaves
from benchd.fleet.locked_store import LockedStore, StoreAway, StoreTarget
from benchd.signing.private_key import SigningKey
from tests.fleet.centre_rig import NOW, Centre, centre
from tests.fleet.fake_s3 import FakeS3, fake_s3
from tests.fleet.high_availability import until
from tests.fleet.locked_bucket import verify
from tests.fleet.test_fleet_commands import benchd
from tests.fleet.written_ledger import WrittenLedger
from tests.free_port import free_port


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FakeS3]:
    with fake_s3(tmp_path) as here:
        yield here


def verified(conninfo: str, store: FakeS3, tmp_path: Path) -> tuple[int, str]:
    """What `benchd fleet checkpoints verify` says, and its exit status."""
    return verify(conninfo, store.url, store.credentials, tmp_path / "centre.pem.pub")


def ours(logs: Sequence[Any]) -> list[Any]:
    """What was told of the list and its store."""
    return [each for each in logs if each["event"] in {"fleet_locked_store", "fleet_leaves_kept"}]


def opened(store: FakeS3) -> LockedStore:
    return LockedStore(StoreTarget(url=store.url, credentials=store.credentials))


@dataclass
class Kept:
    """A centre, what keeps its leaves, and the time there."""

    centre: Centre
    leaves: KeptLeaves
    clock: list[datetime]

    async def send(self, ledger: WrittenLedger, after: int) -> None:
        self.clock[0] += timedelta(hours=1)
        await self.centre.send(ledger, after)


@asynccontextmanager
async def keeping(
    conninfo: str, store: FakeS3, key: SigningKey | None = None
) -> AsyncGenerator[Kept]:
    clock = [NOW]
    async with centre(conninfo) as here, open_database(conninfo) as database:
        leaves = KeptLeaves(database, key or here.key, lambda: clock[0], opened(store), 0.01)
        yield Kept(here, leaves, clock)


async def grow(conninfo: str, store: FakeS3, key: SigningKey, ledger: WrittenLedger) -> None:
    """Two lists in the store: of no line, and of one."""
    async with keeping(conninfo, store, key) as here:
        await here.leaves.begin()
        await here.centre.join(ledger)
        await here.send(ledger, 0)
        await here.leaves.keep()


def purge(conninfo: str) -> None:
    """The centre without its records."""
    with psycopg.connect(conninfo) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("TRUNCATE record")


@pytest.mark.asyncio
async def test_a_list_is_put_where_something_has_changed_and_is_the_centres_own(
    conninfo: str, store: FakeS3
) -> None:
    ledger = WrittenLedger()
    ledger.add(count=9)
    async with keeping(conninfo, store) as here:
        await here.leaves.begin()
        assert [each.key for each in store.kept] == ["leaves/2026-12-01T02:00:00.000000Z.json"]
        await here.leaves.keep()
        assert len(store.kept) == 1
        await here.centre.join(ledger)
        await here.send(ledger, 0)
        await here.leaves.keep()
        read = [decode_leaves(each.content, here.centre.key.public) for each in store.kept]
        assert [[leaf.tip.sequence for leaf in each.leaves] for each in read] == [[], [9]]


@pytest.mark.asyncio
async def test_a_store_that_is_away_delays_nothing_and_is_told_once(
    conninfo: str, store: FakeS3
) -> None:
    ledger = WrittenLedger()
    ledger.add(count=2)
    with capture_logs() as logs:
        async with keeping(conninfo, store) as here, anyio.create_task_group() as group:
            store.status = 503
            await here.leaves.begin()
            group.start_soon(here.leaves.run)
            await here.centre.join(ledger)
            await here.send(ledger, 0)
            asked = len(store.asked)
            with anyio.fail_after(20):
                while len(store.asked) < asked + 3:
                    await anyio.lowlevel.checkpoint()
                store.status = None
                while not store.kept:
                    await anyio.lowlevel.checkpoint()
                while logs[-1]["event"] != "fleet_leaves_kept":
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert [each["event"] for each in ours(logs)] == ["fleet_locked_store", "fleet_leaves_kept"]
    assert ours(logs)[0]["log_level"] == "error"
    assert "503" in ours(logs)[0]["detail"]


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ({"mode": None}, "tells of no Object Lock"),
        ({"mode": "GOVERNANCE"}, "locks by GOVERNANCE"),
        ({"days": 29}, "for 29 days"),
        ({"allows": {"rule"}}, "change its lock"),
        ({"puts_by": "GOVERNANCE"}, "without a lock of 30 days"),
        ({"puts_by": None}, "without a lock of 30 days"),
        ({"allows": {"shorten"}}, "shorten a lock"),
        ({"allows": {"delete"}}, "delete what is locked"),
        ({"allows": {"lose"}}, "refused to change a lock and has changed it"),
    ],
)
@pytest.mark.asyncio
async def test_a_store_that_does_not_lock_is_refused_at_the_start(
    conninfo: str, store: FakeS3, tmp_path: Path, lie: dict[str, Any], why: str
) -> None:
    for name, value in lie.items():
        setattr(store, name, value)
    create_key(tmp_path / "centre.pem")
    settings = CentreSettings(
        database=conninfo,
        key=tmp_path / "centre.pem",
        host="127.0.0.1",
        port=free_port(),
        tls=None,
        locked_store=StoreTarget(url=store.url, credentials=store.credentials),
    )
    with anyio.fail_after(30), pytest.raises(DependencyMissing, match=why) as refused:
        await run_centre(settings)
    assert "docs/fleet.md" in refused.value.cure


# Whoever may switch the store off, or sets the PC's clock, would stop every rack otherwise.
@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("GET object-lock", 403, "RequestTimeTooSkewed"),
        ("GET object-lock", 403, "InvalidAccessKeyId"),
        ("GET object-lock", 403, "AccessDenied"),
        ("GET object-lock", 404, "NoSuchBucket"),
        ("PUT object-lock", 409, "OperationAborted"),
        ("PUT object-lock", 400, "MalformedXML"),
        ("PUT", 403, "AccessDenied"),
        ("HEAD", 403, ""),
        ("PUT retention", 400, "RequestTimeout"),
        ("PUT retention", 403, "RequestTimeTooSkewed"),
        ("DELETE", 409, "OperationAborted"),
        ("DELETE", 403, "InvalidAccessKeyId"),
    ],
)
@pytest.mark.asyncio
async def test_an_error_that_says_nothing_of_the_lock_stops_no_start_and_proves_nothing(
    conninfo: str, store: FakeS3, asked: str, status: int, code: str
) -> None:
    store.says = {asked: (status, code)}
    with capture_logs() as logs:
        async with keeping(conninfo, store) as here:
            await here.leaves.begin()
            for _ in range(3):
                here.clock[0] += timedelta(minutes=1)
                with pytest.raises(StoreAway, match=f"{status} {code}"):
                    await here.leaves.keep()
            # What was put once is what is tried again.
            assert len(store.kept) <= 1
            store.says = {}
            await here.leaves.keep()
            assert len(store.kept) == 1
    assert [each["event"] for each in ours(logs)] == ["fleet_locked_store", "fleet_leaves_kept"]
    assert f"{status} {code}" in ours(logs)[0]["detail"]
    assert "docs/fleet.md" in ours(logs)[0]["detail"]
    assert "DELETE versionId" in store.asked


@pytest.mark.asyncio
async def test_a_list_that_is_gone_before_it_was_tried_is_put_anew(
    conninfo: str, store: FakeS3
) -> None:
    async with keeping(conninfo, store) as here:
        store.says = {"DELETE": (409, "OperationAborted")}
        await here.leaves.begin()
        store.kept.clear()
        with pytest.raises(StoreAway, match="404"):
            await here.leaves.keep()
        store.says = {}
        await here.leaves.keep()
        assert len(store.kept) == 1


@pytest.mark.asyncio
async def test_another_failure_is_told_too_and_the_same_one_once(
    conninfo: str, store: FakeS3
) -> None:
    def told() -> list[str]:
        return [each["detail"] for each in logs if each["event"] == "fleet_locked_store"]

    ledger = WrittenLedger()
    ledger.add(count=2)
    with capture_logs() as logs:
        async with keeping(conninfo, store) as here, anyio.create_task_group() as group:
            await here.leaves.begin()
            store.puts_by = None
            await here.centre.join(ledger)
            group.start_soon(here.leaves.run)
            await until("it has put three", lambda: len(store.kept) > 3)
            store.status = 503
            await until("the other one is told", lambda: len(told()) > 1)
            asked = len(store.asked)
            await until("it is asked again", lambda: len(store.asked) > asked + 3)
            group.cancel_scope.cancel()
    assert ["without a lock" in each for each in told()] == [True, False]
    assert "503" in told()[1]


@pytest.mark.parametrize(
    ("error", "told"), [(KeyError("a bug"), "a bug"), (RuntimeError(), "RuntimeError()")]
)
@pytest.mark.asyncio
async def test_no_error_whatever_it_is_ends_the_keeping(
    conninfo: str, store: FakeS3, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fails(_self: LockedStore) -> None:
        raise error

    with capture_logs() as logs:
        async with keeping(conninfo, store) as here, anyio.create_task_group() as group:
            with monkeypatch.context() as patch:
                patch.setattr(LockedStore, "check", fails)
                group.start_soon(here.leaves.run)
                await until("it is told", lambda: len(ours(logs)) > 0)
            await until("the list is kept", lambda: len(ours(logs)) > 1)
            group.cancel_scope.cancel()
    assert [each["event"] for each in ours(logs)] == ["fleet_locked_store", "fleet_leaves_kept"]
    assert told in ours(logs)[0]["detail"]


@pytest.mark.asyncio
async def test_a_lock_that_was_loosened_later_is_told_and_stops_nothing(
    conninfo: str, store: FakeS3
) -> None:
    ledger = WrittenLedger()
    ledger.add(count=2)
    with capture_logs() as logs:
        async with keeping(conninfo, store) as here, anyio.create_task_group() as group:
            await here.leaves.begin()
            store.puts_by = "GOVERNANCE"
            await here.centre.join(ledger)
            group.start_soon(here.leaves.run)
            await until(
                "it is told", lambda: "fleet_locked_store" in [one["event"] for one in logs]
            )
            await here.send(ledger, 0)
            group.cancel_scope.cancel()


@pytest.mark.parametrize(
    "url",
    [
        "http://store.example/leaves",
        "https://store.example",
        "https://store.example/a/b",
        "https://name:secret@store.example/leaves",
        "s3://leaves",
    ],
)
def test_an_address_that_is_none_is_refused(store: FakeS3, url: str) -> None:
    with pytest.raises(UsageRefused, match="https://STORE/BUCKET"):
        LockedStore(StoreTarget(url=url, credentials=store.credentials))


@pytest.mark.parametrize("content", ["", "[default]\naws_access_key_id = secret", "secret", None])
def test_a_file_without_credentials_is_named_and_nothing_of_it(
    store: FakeS3, content: str | None
) -> None:
    store.credentials.unlink()
    if content is not None:
        store.credentials.write_text(content)
    with pytest.raises(DependencyMissing, match="holds no credentials") as refused:
        opened(store)
    assert "secret" not in str(refused.value).replace("aws_secret_access_key", "")


def test_what_the_centre_lost_and_what_somebody_hid_shows(
    conninfo: str, store: FakeS3, tmp_path: Path
) -> None:
    key = create_key(tmp_path / "centre.pem")
    ledger = WrittenLedger()
    ledger.add(count=9)

    code, told = verified(conninfo, store, tmp_path)
    assert code == 1
    assert "nothing was verified" in told
    anyio.run(grow, conninfo, store, key, ledger)
    code, told = verified(conninfo, store, tmp_path)
    assert code == 0, told
    assert "All of 2 lists of the centre's state hold" in told
    assert "is of 2026-12-01 03:00 UTC" in told

    # A newer version over one, a delete marker over the other: each is read nevertheless.
    first, second = (each.key for each in store.kept)
    store.hide(first)
    store.add(second, b"nothing of the centre's")
    code, told = verified(conninfo, store, tmp_path)
    assert code == 1
    assert f"{first}: a delete marker or a newer version hides it" in told
    assert f"{second}: a delete marker or a newer version hides it" in told
    assert f"{second}: it isn't a list of this centre's leaves" in told
    assert "PUT BACK" not in told

    # And so a purge shows that they were to hide.
    purge(conninfo)
    code, told = verified(conninfo, store, tmp_path)
    assert code == 1
    assert "THE CENTRE WAS PUT BACK" in told
    assert f"rack {ledger.rack}: record 9, which it had, isn't there" in told


def test_a_list_that_is_not_locked_is_named_and_counts_and_one_whose_lock_ran_out_may_go(
    conninfo: str, store: FakeS3, tmp_path: Path
) -> None:
    key = create_key(tmp_path / "centre.pem")
    old = store.add("leaves/old", encode_leaves([], NOW - timedelta(days=300), key))
    old.put_at -= timedelta(days=300)
    old.until = old.put_at + timedelta(days=90)
    store.hide("leaves/old")

    async def made() -> None:
        async with open_database(conninfo):
            pass

    anyio.run(made)
    assert verified(conninfo, store, tmp_path)[0] == 0
    store.puts_by = "GOVERNANCE"
    store.add("leaves/new", encode_leaves([], NOW, key))
    code, told = verified(conninfo, store, tmp_path)
    assert code == 1
    assert "leaves/new: it isn't locked by COMPLIANCE" in told
    assert "leaves/old" not in told


def test_what_cannot_be_read_and_what_came_before_are_named_and_stop_no_audit(
    conninfo: str, store: FakeS3, tmp_path: Path
) -> None:
    key = create_key(tmp_path / "centre.pem")
    ledger = WrittenLedger()
    ledger.add(count=9)

    store.add("a/locked-up", b"")
    store.unreadable.add("a/locked-up")
    anyio.run(grow, conninfo, store, key, ledger)
    code, told = verified(conninfo, store, tmp_path)
    assert code == 1
    assert "a/locked-up: the store doesn't give it out (400 InvalidRequest)" in told
    assert "PUT BACK" not in told

    newest = store.kept[-1].content
    store.add("leaves/again", store.kept[1].content)
    store.add("leaves/once-more", newest)
    code, told = verified(conninfo, store, tmp_path)
    assert code == 1
    assert "leaves/again: the same list came before it" in told
    assert "leaves/once-more: the same list came before it" in told
    assert "PUT BACK" not in told

    # What lies behind them is read all the same.
    purge(conninfo)
    code, told = verified(conninfo, store, tmp_path)
    assert code == 1
    assert f"rack {ledger.rack}: record 9, which it had, isn't there" in told


def test_a_store_needs_its_credentials_and_something_to_verify(tmp_path: Path) -> None:
    create_key(tmp_path / "centre.pem")
    key = ("--key", f"{tmp_path / 'centre.pem'}.pub")
    assert benchd("fleet", "checkpoints", "verify", *key).returncode == 2
    at = ("--locked-store", "https://store.example/leaves")
    done = benchd("fleet", "checkpoints", "verify", *key, *at)
    assert done.returncode == 2
    assert "--locked-store-credentials" in done.stderr
