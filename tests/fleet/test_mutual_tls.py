"""Who is let in to the centre: whoever shows a certificate of its authority, nobody else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.fleet.centre_server import CentreSettings, mutual_tls, run_centre
from benchd.ledger.head import EMPTY_HEAD
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.outbound.fleet.ports import Had, Taken
from benchd.outbound.posting import ClientFiles, Failure
from benchd.signing.tls import TlsFiles
from tests.fleet.centre_rig import Centre, centre
from tests.fleet.served_centre import served
from tests.fleet.written_ledger import WrittenLedger
from tests.web.certificates import Authority, Pair

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
