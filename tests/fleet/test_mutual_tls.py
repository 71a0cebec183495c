"""Who is let in to the centre: whoever shows a certificate of its authority, nobody else."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.fleet.centre_server import (
    CentreServer,
    CentreSettings,
    mutual_tls,
    run_centre,
    server_config,
)
from benchd.fleet.client_revocations import ClientRevocations
from benchd.ledger.head import EMPTY_HEAD
from benchd.observe.notify_socket import Notifier
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.outbound.fleet.ports import Had, Taken
from benchd.outbound.http_post import Failure
from benchd.signing.tls import ClientFiles, TlsFiles
from tests.fleet.centre_rig import Centre, centre
from tests.fleet.served_centre import served
from tests.fleet.written_ledger import WrittenLedger
from tests.free_port import free_port
from tests.patience import PATIENCE_S
from tests.web.certificates import Authority, Pair

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.asyncio


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "fleet authority")


def client_files(pair: Pair) -> ClientFiles:
    return ClientFiles(certificate=pair.certificate, key=pair.key)


@asynccontextmanager
async def encrypted(conninfo: str, authority: Authority) -> AsyncGenerator[tuple[Centre, str]]:
    pair = authority.issue("centre")
    files = TlsFiles(certificate=pair.certificate, key=pair.key, client_authority=authority.file)
    async with centre(conninfo) as here, served(here.app, mutual_tls(files)) as url:
        yield here, url


async def asked(
    here: Centre, url: str, ledger: WrittenLedger, authority: Path, client: ClientFiles | None
) -> Had | Failure:
    target = CentreTarget(
        url=url, key=here.key.public, client=client, authority=authority, timeout_s=10
    )
    asking = HttpCentre(target, ledger.rack)
    try:
        return await asking.newest_of([])
    finally:
        await asking.aclose()


async def test_a_rack_with_its_certificate_is_served(
    conninfo: str, authority: Authority, tmp_path: Path
) -> None:
    ledger = WrittenLedger()
    ledger.add(count=3)
    rack = client_files(authority.issue("rack", client=True))
    async with encrypted(conninfo, authority) as (here, url):
        await here.join(ledger)
        told = await asked(here, url, ledger, authority.file, rack)
        assert told == Had(newest=EMPTY_HEAD, forks=0, restores=0)
        target = CentreTarget(
            url=f"{url}/", key=here.key.public, client=rack, authority=authority.file, timeout_s=10
        )
        sending = HttpCentre(target, ledger.rack)
        taken = await sending.take(ledger.batch(0))
        await sending.aclose()
        assert isinstance(taken, Taken)
        assert taken.checkpoint.of.tip.sequence == 3
        assert here.records() == ledger.records


async def test_nobody_else_is(conninfo: str, authority: Authority, tmp_path: Path) -> None:
    ledger = WrittenLedger()
    other = Authority(tmp_path, "another authority")
    own = authority.issue("rack", client=True)
    (tmp_path / "self").mkdir()
    # Called as the right one is, by another key.
    namesake = Authority(tmp_path / "self", "fleet authority").issue("rack", client=True)
    strangers = {
        "no certificate": None,
        "another authority's": client_files(other.issue("foreign", client=True)),
        "a namesake's": client_files(namesake),
        "an expired one": client_files(
            authority.issue("old", client=True, ends=-timedelta(seconds=1))
        ),
        "a server's": client_files(authority.issue("server")),
    }
    async with encrypted(conninfo, authority) as (here, url):
        await here.join(ledger)
        for who, client in strangers.items():
            told = await asked(here, url, ledger, authority.file, client)
            assert isinstance(told, Failure), who
            assert told.status is None, who
        plainly = await asked(here, url.replace("https", "http"), ledger, authority.file, None)
        assert isinstance(plainly, Failure)
        # Nor does a rack speak to a centre that somebody else vouches for.
        told = await asked(here, url, ledger, other.file, client_files(own))
        assert told == Failure(why="ConnectError")
        assert isinstance(await asked(here, url, ledger, authority.file, client_files(own)), Had)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "centre.example", "::"])  # noqa: S104
async def test_beyond_this_machine_it_serves_over_tls_alone(host: str, tmp_path: Path) -> None:
    settings = CentreSettings(database="", key=tmp_path / "key", host=host, port=1, tls=None)
    with pytest.raises(UsageRefused, match="TLS"):
        await run_centre(settings)


async def test_without_an_authority_for_racks_nobody_is_served(
    authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("centre")
    files = TlsFiles(certificate=pair.certificate, key=pair.key)
    with pytest.raises(UsageRefused, match="--client-authority"):
        mutual_tls(files)
    missing = TlsFiles(
        certificate=pair.certificate, key=pair.key, client_authority=tmp_path / "gone"
    )
    with pytest.raises(DependencyMissing):
        mutual_tls(missing)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what the centre does in its own time."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            if await holds():
                return
            await anyio.sleep(0.05)


@asynccontextmanager
async def revoking(
    conninfo: str, authority: Authority, file: Path
) -> AsyncGenerator[tuple[Centre, str]]:
    """As `benchd fleet run` serves with such a list, which it looks at again and again."""
    pair = authority.issue("centre")
    files = TlsFiles(certificate=pair.certificate, key=pair.key, client_authority=authority.file)
    context = mutual_tls(files)
    async with centre(conninfo) as here:
        port = free_port()
        config = server_config(here.app, "127.0.0.1", port, context)
        server = CentreServer(config, Notifier(None), ClientRevocations(file, context))

        async def is_started() -> bool:
            return server.started

        async with anyio.create_task_group() as group:
            group.start_soon(server.serve)
            try:
                await until(is_started)
                yield here, f"https://127.0.0.1:{port}"
            finally:
                server.should_exit = True


async def test_a_revoked_certificate_ends_while_the_centre_runs(
    conninfo: str, authority: Authority
) -> None:
    ledger = WrittenLedger()
    lost = client_files(authority.issue("lost", client=True))
    kept = client_files(authority.issue("kept", client=True))
    old = authority.issue("old", client=True)
    file = authority.revoke(old)
    async with revoking(conninfo, authority, file) as (here, url):
        await here.join(ledger)
        refused = await asked(here, url, ledger, authority.file, client_files(old))
        assert isinstance(refused, Failure)
        assert refused.status is None
        target = CentreTarget(
            url=url, key=here.key.public, client=lost, authority=authority.file, timeout_s=10
        )
        connected = HttpCentre(target, ledger.rack)
        assert isinstance(await connected.newest_of([]), Had)
        authority.revoke(old, Pair(certificate=lost.certificate, key=lost.key))

        # Also on the connection that was open by then.
        async def is_refused() -> bool:
            told = await connected.newest_of([])
            return isinstance(told, Failure) and told.status is None

        await until(is_refused)
        await connected.aclose()
        assert isinstance(await asked(here, url, ledger, authority.file, kept), Had)


async def test_a_list_that_has_run_out_lets_nobody_in_and_is_told_until_a_new_one(
    conninfo: str, authority: Authority
) -> None:
    ledger = WrittenLedger()
    rack = client_files(authority.issue("rack", client=True))
    file = authority.revoke(ends=-timedelta(seconds=1))
    with capture_logs() as logs:
        async with revoking(conninfo, authority, file) as (here, url):
            await here.join(ledger)
            assert isinstance(await asked(here, url, ledger, authority.file, rack), Failure)
            authority.revoke()

            async def is_let_in() -> bool:
                return isinstance(await asked(here, url, ledger, authority.file, rack), Had)

            await until(is_let_in)
    [told] = [each for each in logs if each["event"] == "fleet_revocations"]
    assert told["log_level"] == "error"
    assert "no rack is let in" in told["detail"]


@pytest.mark.parametrize("mistake", ["no list", "an older one", "one that ends sooner", "gone"])
async def test_a_list_that_cant_be_used_changes_nothing_and_is_told_once(
    authority: Authority, mistake: str
) -> None:
    older = authority.revoke().read_bytes()
    file = authority.revoke()
    listed = ClientRevocations(file, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert not listed.renew()
    if mistake == "one that ends sooner":
        authority.revoke(ends=timedelta(days=1))
    elif mistake == "gone":
        file.unlink()
    else:
        file.write_bytes(older if mistake == "an older one" else b"no list")
    with capture_logs() as logs:
        assert not any([listed.renew(), listed.renew()])
    assert [each["event"] for each in logs] == ["fleet_revocations"]
    assert "the former list counts" in logs[0]["detail"]
    authority.revoke()
    assert listed.renew()


async def test_without_a_list_that_was_named_nobody_is_served(
    authority: Authority, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for file in (tmp_path / "gone", authority.file):
        with pytest.raises(DependencyMissing, match="revoked"):
            ClientRevocations(file, context)
    settings = CentreSettings(
        database="",
        key=tmp_path / "key",
        host="127.0.0.1",
        port=1,
        tls=None,
        client_revocations=authority.revoke(),
    )
    with pytest.raises(UsageRefused, match="revoked"):
        await run_centre(settings)


async def test_the_lists_that_the_manual_has_made_are_taken(
    conninfo: str, authority: Authority, tmp_path: Path
) -> None:
    manual = (ROOT / "docs/fleet.md").read_text()
    [block] = [each for each in manual.split("```\n")[1::2] if "-gencrl" in each]
    config = (ROOT / "deb/fleet-revocations.cnf").read_text()
    here = str(tmp_path)
    (tmp_path / "revocations.cnf").write_text(config.replace("/etc/benchd-fleet", here))
    (tmp_path / "racks_authority.pem").write_bytes(authority.file.read_bytes())
    authority.keep_key(tmp_path / "authority_key.pem")
    rack = client_files(authority.issue("nagoya-1", client=True))
    other = client_files(authority.issue("nagoya-2", client=True))
    typed = block.replace("/etc/benchd-fleet", here)
    done = await anyio.run_process(["sh", "-ec", typed], check=False)
    assert done.returncode == 0, done.stderr.decode()
    ledger = WrittenLedger()
    async with revoking(conninfo, authority, tmp_path / "client_revocations.pem") as (centre_, url):
        await centre_.join(ledger)
        assert isinstance(await asked(centre_, url, ledger, authority.file, rack), Failure)
        assert isinstance(await asked(centre_, url, ledger, authority.file, other), Had)


async def test_no_session_of_before_stands_for_a_certificate(authority: Authority) -> None:
    """TLS 1.2 would resume one without a look at the list."""
    pair = authority.issue("centre")
    files = TlsFiles(certificate=pair.certificate, key=pair.key, client_authority=authority.file)
    context = mutual_tls(files)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.num_tickets == 0
