"""The centre's own package under a real systemd, on a clean Debian 13."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from install_rig import build_fleet_deb, run
from machine import BOOTED, FIREWALL, UDEV, Machine, booted, until

from tests.fleet.written_ledger import large_ledger

pytestmark = [*BOOTED, pytest.mark.nightly, pytest.mark.timeout(1200)]

TOOLS = "systemd-sysv,dbus,iproute2,openssl,curl,procps"
DATABASE = (
    "runuser -u postgres -- psql -c 'CREATE ROLE \"benchd-fleet\" LOGIN'"
    " -c 'CREATE DATABASE fleet OWNER \"benchd-fleet\"'"
)
CURVE = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 820"
CERTIFICATES = f"""
cd /etc/benchd-fleet
openssl req -x509 {CURVE} -subj "/CN=racks" -addext keyUsage=critical,keyCertSign \\
    -keyout authority_key.pem -out racks_authority.pem
openssl req -x509 {CURVE} -subj "/CN=centre" -keyout tls_key.pem -out tls.pem
openssl req -x509 {CURVE} -subj "/CN=rack" -CA racks_authority.pem -CAkey authority_key.pem \\
    -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=clientAuth \\
    -keyout /srv/rack_key.pem -out /srv/rack.pem
"""
SENDS = (
    "curl --silent --show-error --fail --insecure --cert /srv/rack.pem --key /srv/rack_key.pem"
    " --data-binary @/srv/batch https://localhost:8430/v1/racks/{rack}/records"
)
UNIT = "benchd-fleet"


@pytest.fixture(scope="module")
def root(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A Debian with the package beside it and nothing of benchd's; apt has its files already."""
    root = tmp_path_factory.mktemp("debian") / "root"
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={TOOLS}", "trixie", root)
    (root / "etc/tmpfiles.d/stand-in-for-udev.conf").write_text(UDEV)
    package = build_fleet_deb(wheels, root / "srv")
    apt = ("chroot", root, "apt-get", "-qq", "--yes")
    run(*apt, "update")
    run(*apt, "--download-only", "install", f"/{package.relative_to(root)}")
    maker = os.getpid()
    yield root
    if os.getpid() == maker:
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def machine(root: Path) -> Generator[Machine]:
    with booted(root, FIREWALL) as machine:
        yield machine


def test_the_package_lives_from_its_installation_to_its_purge(machine: Machine, root: Path) -> None:
    def types(typed: str) -> str:
        return machine.run("bash", "-euo", "pipefail", "-c", typed)

    types("apt-get --yes install /srv/benchd-fleet_*.deb 2>&1")
    # Before it is configured it isn't started, and systemctl says why.
    assert machine.show(UNIT, "UnitFileState") == "disabled"
    assert "Assertion failed" in types(f"! systemctl start {UNIT} 2>&1")
    assert types("stat -c '%a %U' /etc/benchd-fleet/centre_key.pem") == "600 root\n"
    types(CERTIFICATES)
    # A database that isn't there is waited for: it comes up by itself once it is.
    types(f"systemctl start --no-block {UNIT}")
    until(lambda: int(machine.show(UNIT, "NRestarts")) >= 1)
    types(DATABASE)
    until(lambda: machine.show(UNIT, "ActiveState") == "active")
    assert machine.show(UNIT, "WatchdogUSec") == "30s"
    pid = machine.show(UNIT, "MainPID")
    status = machine.run("cat", f"/proc/{pid}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert int(fields["CapBnd"], 16) == int(fields["CapEff"], 16) == 0
    assert fields["Uid"].split() == [machine.run("id", "-u", UNIT).strip()] * 4
    assert "\t" not in types("benchd-fleet racks")
    # A rack refills it: what reads large batches begins from the package's own program.
    ledger = large_ledger()
    key = ledger.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (root / "srv/rack.pub").write_bytes(key)
    (root / "srv/batch").write_bytes(ledger.batch(0))
    types("benchd-fleet join 'rack 1' --key /srv/rack.pub")
    assert "checkpoint" in types(SENDS.format(rack=ledger.rack))
    counts = "runuser -u postgres -- psql -At fleet -c 'SELECT count(*) FROM record'"
    assert int(types(counts)) == len(ledger.records)
    assert types("pgrep -f anyio[.]to_process")
    # PostgreSQL goes and comes back under it.
    types("systemctl restart postgresql")
    assert (machine.show(UNIT, "MainPID"), machine.show(UNIT, "ActiveState")) == (pid, "active")
    # The same package once more, as an upgrade would be: it runs again, with the key that it had.
    centre_key = (root / "etc/benchd-fleet/centre_key.pem").read_bytes()
    types("dpkg -i /srv/benchd-fleet_*.deb 2>&1")
    assert machine.show(UNIT, "ActiveState") == "active"
    assert machine.show(UNIT, "MainPID") != pid
    assert types("pgrep -f anyio[.]to_process || true") == ""
    told = types("apt-get --yes purge benchd-fleet 2>&1")
    assert "the keys in /etc/benchd-fleet stay" in told
    for gone in ("usr/lib/benchd-fleet", "usr/bin/benchd-fleet", "etc/benchd-fleet/environment"):
        assert not os.path.lexists(root / gone)
    assert (root / "etc/benchd-fleet/centre_key.pem").read_bytes() == centre_key
    asks = "runuser -u postgres -- psql -At fleet -c 'SELECT count(*) FROM migration'"
    assert int(types(asks)) >= 1
