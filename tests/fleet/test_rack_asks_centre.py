"""A rack's own questions to the centre: over TLS, as the daemon asks them, on a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.daemon.system_clock import SystemEntropy
from benchd.domain.handset_question import Asked, Elsewhere, HandsetQuestion, NotAsked
from benchd.domain.ids import JobId
from benchd.domain.job import StageName
from benchd.fleet.centre_server import mutual_tls
from benchd.outbound.fleet.centre_client import CentreTarget
from benchd.outbound.fleet.centre_questions import CentreQuestions, LazyPoster
from benchd.signing.private_key import SigningKey
from benchd.signing.tls import ClientFiles, TlsFiles
from tests.fleet.centre_rig import centre
from tests.fleet.handset_stories import ONE, TWO, racks
from tests.fleet.served_centre import served
from tests.web.certificates import Authority

pytestmark = pytest.mark.asyncio


def about(number: str, stage: StageName = StageName.GATES) -> HandsetQuestion:
    return HandsetQuestion(
        job=JobId("20261201-asks"),
        stage=stage,
        imeis=(number,),
        proven=(number,),
        is_full=True,
        serial="携帯 1",
        model="sony so-51c",
    )


async def test_a_rack_hears_over_tls_what_another_knows(conninfo: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "fleet authority")
    shown, own = authority.issue("centre"), authority.issue("rack", client=True)
    stranger = Authority(tmp_path, "another authority").issue("stranger", client=True)
    tls = mutual_tls(
        TlsFiles(certificate=shown.certificate, key=shown.key, client_authority=authority.file)
    )
    async with centre(conninfo) as here, served(here.app, tls) as url:
        first, second = await racks(here, 2)
        key = SigningKey(second.ledger.key)

        async def asks(question: HandsetQuestion, client: ClientFiles) -> Asked | NotAsked:
            target = CentreTarget(
                url=url,
                key=here.key.public,
                client=client,
                authority=authority.file,
                timeout_s=20.0,
            )
            poster = LazyPoster(target, key.ring.rack, 1)
            asking = CentreQuestions(poster.post, here.key.public, key, SystemEntropy())
            try:
                return await asking.ask(question)
            finally:
                await poster.aclose()

        mine = ClientFiles(certificate=own.certificate, key=own.key)
        told = await asks(about(ONE), mine)
        assert isinstance(told, Asked)
        assert told.findings == ()
        assert told.lease is not None
        job = first.crushes(ONE)
        await first.sends(here)
        for stage in (StageName.CERTIFY, StageName.CERTIFY_DRAWN, StageName.LOOK):
            told = await asks(about(ONE, stage), mine)
            assert isinstance(told, Asked)
            [finding] = told.findings
            assert (finding.kind, finding.rack, finding.job) == (Elsewhere.DOOMED, "rack 1", job)
        # Without a certificate that the centre knows nobody is answered, and nobody takes a lease.
        foreign = ClientFiles(certificate=stranger.certificate, key=stranger.key)
        assert isinstance(await asks(about(TWO), foreign), NotAsked)
        gone = ClientFiles(certificate=tmp_path / "gone", key=tmp_path / "gone")
        assert await asks(about(TWO), gone) == NotAsked(why="FileNotFoundError")
        leases = here.rows("SELECT handset FROM handset_lease")
        assert leases == [(f"imei {ONE}",)]


async def test_a_centre_that_is_away_is_not_asked(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "fleet authority")
    key = SigningKey(Ed25519PrivateKey.generate())
    target = CentreTarget(
        url="https://127.0.0.1:1",
        key=key.public,
        client=None,
        authority=authority.file,
        timeout_s=5.0,
    )
    poster = LazyPoster(target, key.ring.rack, 1)
    asking = CentreQuestions(poster.post, key.public, key, SystemEntropy())
    assert isinstance(await asking.ask(about(ONE)), NotAsked)
    await poster.aclose()
