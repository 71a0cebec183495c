"""`benchd fleet`: the centre as a program, who joins it, and what is listed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import create_key
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.outbound.fleet.ports import Taken
from benchd.signing.private_key import SigningKey, load_key
from tests.fleet.written_ledger import WrittenLedger
from tests.free_port import free_port
from tests.imeis import imei

BENCHD = (sys.executable, "-c", "from benchd.cli.main import main; main()")
NOTHING_SAID = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "NO_COLOR": "1"}


def benchd(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BENCHD, *words],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**NOTHING_SAID, **environment},
    )


def fleet(*words: str, **environment: str) -> str:
    done = benchd("fleet", *words, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def rack(tmp_path: Path) -> WrittenLedger:
    """One whose public key is in a file."""
    create_key(tmp_path / "rack.pem")
    key: Ed25519PrivateKey = load_key(tmp_path / "rack.pem").private
    return WrittenLedger(key=key)


def test_a_rack_joins_and_is_listed_with_what_has_come_of_it(
    conninfo: str, tmp_path: Path, rack: WrittenLedger
) -> None:
    public = str(tmp_path / "rack.pem.pub")
    told = fleet("join", "Nagoya 1", "--key", public, "--database", conninfo)
    assert told == f"Nagoya 1 has joined: {rack.rack}\n"
    told = fleet("join", "Nagoya 2", "--key", public, BENCHD_FLEET_DATABASE=conninfo)
    assert told.startswith("Nagoya 2 goes on with this ring")
    [state] = json.loads(fleet("racks", "--json", "--database", conninfo))["racks"]
    assert (state["name"], state["branch"], state["why"]) == ("Nagoya 2", 0, "first")
    assert (state["sequence"], state["rack"]) == (0, rack.rack)


def test_an_administrator_has_numbers_held(conninfo: str) -> None:
    wanted = imei(7)
    where = ("--database", conninfo)
    assert wanted in fleet("watch", "add", wanted, "--note", "police", *where)
    [line] = json.loads(fleet("watch", "list", "--json", *where))["watched"]
    assert (line["imei"], line["note"]) == (wanted, "police")
    assert wanted in fleet("watch", "list", *where)
    fleet("watch", "remove", wanted, *where)
    assert json.loads(fleet("watch", "list", "--json", *where))["watched"] == []
    assert benchd("fleet", "watch", "remove", wanted, *where).returncode != 0
    assert benchd("fleet", "watch", "add", "35693803564380", *where).returncode == 2


@pytest.mark.asyncio
async def test_the_centre_runs_takes_records_and_ends_when_it_is_told(
    conninfo: str, tmp_path: Path, rack: WrittenLedger
) -> None:
    create_key(tmp_path / "centre.pem")
    centre: SigningKey = load_key(tmp_path / "centre.pem")
    fleet("join", "Nagoya 1", "--key", str(tmp_path / "rack.pem.pub"), "--database", conninfo)
    rack.add("名古屋", 3)
    port, pages = free_port(), free_port()
    running = subprocess.Popen(
        [
            *BENCHD,
            "fleet",
            "run",
            f"--database={conninfo}",
            f"--key={tmp_path / 'centre.pem'}",
            f"--listen=127.0.0.1:{port}",
            f"--pages=127.0.0.1:{pages}",
        ],
        cwd=Path(__file__).parents[2],
        env=NOTHING_SAID,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        target = CentreTarget(
            url=f"http://127.0.0.1:{port}",
            key=centre.public,
            client=None,
            authority=None,
            timeout_s=20,
        )
        client = HttpCentre(target, rack.rack)
        with anyio.fail_after(50):
            taken = await client.take(rack.batch(0))
            while not isinstance(taken, Taken):
                await anyio.sleep(0.1)
                taken = await client.take(rack.batch(0))
        await client.aclose()
        assert taken.checkpoint.of.tip.sequence == 3
        row = fleet("racks", "--database", conninfo).split("\t")
        assert row[:5] == ["Nagoya 1", "0", "first", "0", "3"]
        answer = httpx2.get(f"http://127.0.0.1:{pages}/v1/certificates/x/{'0' * 64}")
        assert answer.json() == {"standing": "invalid", "model": None}
        # What racks send to shows no page, and the pages take no record.
        assert httpx2.get(f"http://127.0.0.1:{port}/verify").status_code == 404
        refused = httpx2.post(f"http://127.0.0.1:{pages}/v1/racks/{rack.rack}/records")
        assert refused.status_code == 404
    finally:
        running.send_signal(signal.SIGTERM)
        told, _ = running.communicate(timeout=50)
    assert running.returncode in {0, -signal.SIGTERM}, told
    assert "fleet_serving" in told
    assert rack.rack not in told


def test_an_office_gets_a_token_that_is_shown_once_and_revoked(conninfo: str) -> None:
    secret = fleet("office", "add", "kanda", "--days", "30", "--database", conninfo).strip()
    assert secret.startswith("benchd_")
    told = fleet("office", "list", "--json", "--database", conninfo)
    assert secret not in told
    [office] = json.loads(told)["offices"]
    assert (office["name"], office["revoked_at"]) == ("kanda", None)
    assert (
        fleet("office", "revoke", "kanda", "--database", conninfo)
        == "kanda opens nothing any more.\n"
    )
    assert json.loads(fleet("office", "list", "--json", "--database", conninfo))["offices"][0][
        "revoked_at"
    ]
    assert json.loads(fleet("office", "readings", "--json", "--database", conninfo)) == {
        "readings": []
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--listen", "8430"), "--listen takes an address and a port"),
        (("--listen", "here:x"), "--listen takes an address and a port"),
        (("--certificate", "a.pem"), "--certificate and --certificate-key together"),
        (("--listen", "0.0.0.0:8430"), "over TLS alone"),
        (("--pages", "8431"), "--pages takes an address and a port"),
        (("--pages", "0.0.0.0:8431"), "pages go over TLS alone"),
    ],
)
def test_a_centre_that_is_asked_for_wrongly_says_how(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    create_key(tmp_path / "centre.pem")
    done = benchd("fleet", "run", "--key", str(tmp_path / "centre.pem"), *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_database_out_of_reach_is_told_with_what_to_do(tmp_path: Path) -> None:
    done = benchd("fleet", "racks", "--database", f"host={tmp_path} connect_timeout=1")
    assert done.returncode == 3
    assert "can't be reached" in done.stderr
    assert "PostgreSQL" in done.stderr
