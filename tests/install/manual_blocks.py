"""The fenced blocks of the manuals, in their order, and what is done with each.

A block is typed as it stands, but for what it leaves to its reader. What isn't typed says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = ("admin", "service", "keys", "hooks", "api")
_FENCED: Final = re.compile(r"^( *)```\w*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
PIN: Final = "902716"
LEFT_OUT: Final = "true #"
"""What a line becomes that can't be typed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What is done with the block of a page that begins so."""

    page: str
    begins: str
    why_not: str = ""
    """Why it isn't typed here, and what holds it instead."""
    before: str = ""
    """What its page presumes."""
    fills: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its reader fills in, or leaves out where there is nothing to do it with."""
    then: str = ""
    """What has to be so afterwards, by what the page says."""
    into: str = ""
    """The file that it belongs into, where it is no command."""

    def typed(self, text: str) -> str:
        """The block as somebody types it; every place to fill in has to be there."""
        for placed, filled in self.fills.items():
            assert placed in text, f"{self.page}: {placed}"
            text = text.replace(placed, filled)
        return text


def blocks_of(page: str) -> list[str]:
    """The text of each fenced block, in their order."""
    found = _FENCED.finditer((ROOT / "docs" / f"{page}.md").read_text("utf-8"))
    return [re.sub(f"^{each[1]}", "", each[2], flags=re.MULTILINE) for each in found]


FILE: Final = "a file's content: "
RELEASE: Final = "it takes a release, whose file it names: "
RECEIVES: Final = """
systemd-run --quiet --unit=receiver /usr/bin/python3 -c '
import http.server as h
class Takes(h.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
h.HTTPServer(("127.0.0.1", 8499), Takes).serve_forever()'
umask 077
echo "whsec_$(head -c 32 /dev/urandom | base64 -w0)" >/etc/benchd/stock.secret
chown benchd: /etc/benchd/stock.secret
"""

BLOCKS: Final = (
    Block(
        page="admin",
        begins="cd benchd-1.2.3-amd64",
        why_not=RELEASE + "test_signing_a_release.py",
    ),
    Block(page="admin", begins="sudo apt install", why_not=RELEASE + "test_deb_life.py"),
    Block(page="admin", begins="tar --extract", why_not=RELEASE + "test_bundle.py"),
    Block(
        page="admin",
        begins="sudo benchd slots learn",
        fills={
            # Nobody walks along a rack here, nor sits before the editor.
            "sudo benchd slots learn": f"{LEFT_OUT} learn",
            "sudoedit": f"{LEFT_OUT} edit",
            # The next block does it without being asked.
            "sudo benchd setup ": f"{LEFT_OUT} setup",
            # A container's clock is nobody's to keep.
            "sudo benchd doctor ": "(sudo benchd doctor || test $? = 1) ",
        },
        then="systemctl is-active benchd",
    ),
    Block(
        page="admin",
        begins="printf",
        before=f"PIN={PIN}",
        then="benchd people list | grep -q '^sato'; benchd setup | grep -q sato",
    ),
    Block(
        page="admin",
        begins="install -d -o benchd -g benchd -m 0700 /mnt/backup/trial",
        before="mkdir -p /mnt/backup; mount -t tmpfs none /mnt/backup;"
        " install -d -o benchd -g benchd -m 0700 /mnt/backup;"
        " systemctl start benchd-backup@mnt-backup",
        fills={"benchd-….json": "benchd-*.json", "NAME": "sato"},
        then="test ! -e /mnt/backup/trial",
    ),
    Block(page="service", begins="apt install", why_not=RELEASE + "test_deb_life.py"),
    Block(
        page="service",
        begins="systemctl reload benchd",
        before="since=$(date '+%F %T')",
        then="systemctl is-active benchd",
    ),
    Block(
        page="service",
        begins='[http]\nlisten = "0.0.0.0:8420"',
        why_not=FILE + "tests/rack/test_http_listener.py",
    ),
    Block(page="service", begins="[Service]", why_not=FILE + "a container has no such network"),
    Block(
        page="service",
        begins="[http]\nallowed_hosts",
        why_not=FILE + "test_installed_walls.py",
    ),
    Block(page="service", begins="server {", why_not=FILE + "test_behind_nginx.py"),
    Block(page="service", begins="rack7.example {", why_not=FILE + "no test holds Caddy's"),
    Block(
        page="service",
        begins="journalctl -u benchd -f",
        # It would follow the journal for ever.
        fills={"benchd -f": "benchd -n 5 | grep benchd"},
    ),
    Block(
        page="service",
        begins="benchd log-level",
        then="benchd log-level | grep -qv debug",
    ),
    Block(page="service", begins="[Unit]", why_not=FILE + "test_booted.py, its anchor"),
    Block(
        page="service",
        begins="systemctl stop benchd\nsystemd-run",
        why_not="it records a loss, and none is here: test_booted.py, its anchor",
    ),
    Block(
        page="service",
        begins="install -d -o benchd",
        then="test $(ls /mnt/backup/benchd-*.json | wc -l) -ge 2;"
        " systemctl list-timers | grep -q benchd-backup@mnt-backup.timer",
    ),
    Block(
        page="service",
        begins="benchd drain\nscripts/install\n",
        why_not=RELEASE + "test_releases.py",
    ),
    Block(
        page="service",
        begins="benchd drain\nscripts/install --back",
        why_not=RELEASE + "test_releases.py",
    ),
    Block(
        page="service",
        begins="scripts/install --remove",
        why_not="the pages after it need what it takes away: test_install.py",
    ),
    Block(
        page="keys",
        begins="systemctl stop benchd\nbenchd key rotate",
        fills={"NAME": "sato"},
        then="systemctl is-active benchd; test $(benchd key list | wc -l) = 2; test -s ring.json",
    ),
    Block(
        page="keys",
        begins="benchd certificate verify",
        # A backup of the ledger as it is since the rotation.
        before="cp /etc/benchd/certificate_key.pem.pub .; systemctl start benchd-backup@mnt-backup",
        fills={
            # No handset was erased here: tests/papers/test_strangers_verifier.py.
            "benchd certificate verify": f"{LEFT_OUT} certificate",
            "python3 verify_certificate.py": f"{LEFT_OUT} certificate",
            "ledger verify FILE": "ledger verify $(ls /mnt/backup/*.sqlite | tail -n 1)",
        },
    ),
    Block(
        page="hooks",
        begins="[[hooks]]",
        before=RECEIVES,
        fills={"https://stock.example/benchd": "http://127.0.0.1:8499/benchd"},
        into="/etc/benchd/benchd.toml",
        then="benchd check-config /etc/benchd/benchd.toml; systemctl restart benchd",
    ),
    Block(
        page="hooks",
        begins="benchd hooks list",
        fills={"[--json]": "--json", "--since 4711": "--since 1"},
    ),
    Block(
        page="api",
        begins="sudo benchd tokens create",
        fills={
            "[--json]": "--json",
            # The blocks below come with it.
            "sudo benchd tokens revoke": f"{LEFT_OUT} revoke",
        },
        then="test $(wc -l <stock.token) = 1",
    ),
    Block(
        page="api",
        begins='curl -H "Authorization: Bearer $(cat',
        fills={"https://rack7.example": "http://localhost:8420"},
    ),
    Block(
        page="api",
        begins='curl -H "Authorization: Bearer …"',
        before="printf 'tag,imei\\nT-001,356938035643809\\n' >list.csv",
        fills={"https://rack7.example": "http://localhost:8420", "…": "$(cat stock.token)"},
        then="benchd assets show T-001 | grep -q L-1; benchd tokens revoke stock",
    ),
    Block(
        page="api",
        begins="curl -c session",
        fills={"https://rack7.example": "http://localhost:8420", "…": PIN},
        then="test -s session",
    ),
    Block(page="api", begins='{"job"', why_not="what is answered, no command"),
    Block(
        page="api",
        begins="curl -b session",
        why_not="no handset is here that a job would ask about: tests/web/test_job_routes.py",
    ),
)
NOT_TYPED: Final = sum(1 for each in BLOCKS if each.why_not)
