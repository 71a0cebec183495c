"""Debian's radosgw in a private folder: one mon, one osd in memory, no mgr, all on loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.fleet.high_availability import say, user
from tests.free_port import free_port

CLASSES = next(iter(sorted(Path("/usr/lib").glob("*/rados-classes"))), None)
PROGRAMS = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw")
WITHIN_S = 120
NAME = ("-n", "client.rgw")
CONFIGURATION = """
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{mon}
public_addr = 127.0.0.1
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
ms_bind_ipv6 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
keyring = {folder}/keyring
admin_socket = {folder}/$name.$pid.asok
log_file = {folder}/$name.log
run_dir = {folder}
crash_dir = {folder}
mon_data = {folder}/mon
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_class_dir = {classes}
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_warn = 0
mon_data_avail_crit = 0
rgw_data = {folder}
rgw_frontends = beast endpoint=127.0.0.1:{port}
# A day of a lifecycle rule is a second; a retention's day stays one.
rgw_lc_debug_interval = 1
"""


@dataclass
class Radosgw:
    """A running one."""

    folder: Path
    url: str
    secrets: dict[str, str] = field(default_factory=dict)

    def call(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            cwd=self.folder,
            user=user(),
            env=environment(self.folder),
        )

    def admin(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As the administrator of the cluster, beside S3."""
        return self.call("radosgw-admin", *NAME, *words)

    def add_user(self, name: str, *more: str) -> Path:
        """One more who may call S3; the file with their credentials."""
        self.secrets[name] = secrets.token_hex(16)
        made = self.admin(
            *("user", "create", f"--uid={name}", f"--display-name={name}", *more),
            *(f"--access-key={name}", f"--secret-key={self.secrets[name]}"),
        )
        assert made.returncode == 0, made.stderr
        return self.credentials(name)

    def credentials(self, name: str) -> Path:
        file = self.folder / f"{name}.credentials"
        file.write_text(
            f"[default]\naws_access_key_id = {name}\naws_secret_access_key = {self.secrets[name]}\n"
        )
        file.chmod(0o644)
        return file


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/sbin:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "CEPH_CONF": str(folder / "conf"),
    }


@contextmanager
def radosgw() -> Generator[Radosgw]:
    """Make a cluster, start it, and take it down with all that is in it."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    assert not missing, f"{', '.join(missing)} isn't there: scripts/setup --fleet"
    folder = Path(tempfile.mkdtemp(prefix="benchd-rgw-", dir="/tmp"))
    here = Radosgw(folder, f"http://127.0.0.1:{(port := free_port())}")
    fsid, mon = str(uuid.uuid4()), free_port()
    (folder / "conf").write_text(
        CONFIGURATION.format(folder=folder, fsid=fsid, mon=mon, port=port, classes=CLASSES)
    )
    for made in ("mon", "osd"):
        (folder / made).mkdir()
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, user() or os.geteuid())
    running: list[subprocess.Popen[bytes]] = []

    def done(*words: str | Path) -> str:
        told = here.call(*words)
        assert told.returncode == 0, (words, told.stderr)
        return told.stdout

    def start(*words: str) -> None:
        with (folder / f"{words[0]}.out").open("ab") as log:
            running.append(
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", *words, "-f"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    user=user(),
                    env=environment(folder),
                )
            )

    try:
        for name in ("mon.", "client.admin", "client.rgw", "osd.0"):
            create = () if (folder / "keyring").exists() else ("--create-keyring",)
            done(
                *("ceph-authtool", *create, folder / "keyring", "--gen-key", "-n", name),
                *("--cap", "mon", "allow *", "--cap", "osd", "allow *"),
            )
        done(
            "monmaptool", "--create", "--addv", "a", f"[v2:127.0.0.1:{mon}]", "--fsid", fsid, "map"
        )
        done("ceph-mon", "-i", "a", "--mkfs", "--monmap", "map", "--keyring", "keyring")
        start("ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        done("ceph", "osd", "new", osd)
        done("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        start("ceph-osd", "-i", "0")
        start("radosgw", *NAME)
        wait_for(here, running[-1])
        yield here
    except BaseException:
        for log in sorted(folder.glob("*.log")):
            say(f"== {log}", *log.read_text(errors="replace").splitlines()[-15:])
        raise
    finally:
        for each in reversed(running):
            each.kill()
            each.wait()
        shutil.rmtree(folder)


def wait_for(here: Radosgw, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WITHIN_S
    while True:
        try:
            if httpx2.get(here.url, timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        assert server.poll() is None, "radosgw has ended"
        assert time.monotonic() < end, "radosgw doesn't answer"
        time.sleep(0.1)
