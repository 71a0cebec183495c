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
    at: str = "/srv/manual"
    """The folder that somebody is in who types it."""
    before: str = ""
    """What its page presumes, or says in words."""
    fills: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its reader fills in, or leaves out where there is nothing to do it with."""
    then: str = ""
    """What has to be so afterwards, by what the page says."""
    into: str = ""
    """The file that it is, or belongs to, where it is no command."""
    changes: bool = False
    """Whether its lines take the place of those that the file's table has already."""
    answers: str = ""
    """The command that it shows the answer of, where it is no command."""
    handset: bool = False
    """Whether it is about a handset that asks something."""

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


HERE: Final = "/srv/manual/benchd-1.2.3-amd64"
SECRET: Final = "open-sesame"
"""The password of the shop's own login."""
KEPT: Final = "/srv/benchd.toml"
AFTER_A_CHANGE: Final = "benchd check-config /etc/benchd/benchd.toml; systemctl restart benchd"
COLLEAGUES: Final = """
ip netns add shop
ip link add rack0 type veth peer name shop0
ip link set shop0 netns shop
ip address add 192.0.2.7/24 dev rack0
ip link set rack0 up
ip -n shop address add 192.0.2.8/24 dev shop0
ip -n shop link set shop0 up
"""
"""Another machine of the shop's network, as far as the rack can tell."""
NOW_BEHIND: Final = f"""
systemctl stop benchd
cp {KEPT} /etc/benchd/benchd.toml
rm -r /etc/systemd/system/benchd.service.d
systemctl daemon-reload
"""
"""As before the first drop-in."""
GETS_TLS: Final = """
install -d /etc/{name}/tls
install -o root -g {group} -m 0640 -t /etc/{name}/tls /srv/manual/rack{{,_key}}.pem
"""
LOGS_IN: Final = f"""
visit -u sato:{SECRET} https://rack7.example/api/v1/session | grep '"person": *"sato"'
visit -u sato:{SECRET} https://rack7.example/ | grep '<html'
test $(visit -o /dev/null -w '%{{http_code}}' https://rack7.example/) = 401
test $(visit -o /dev/null -w '%{{http_code}}' -u sato:wrong https://rack7.example/) = 401
# What a visitor says of themselves is dropped.
visit -u sato:{SECRET} -H 'X-Remote-User: kato' https://rack7.example/api/v1/session |
    grep '"person": *"sato"'
"""
WAITS: Final = """
waits() { timeout 60 sh -c "until $1; do sleep 0.2; done"; }
"""
"""What a machine does in its own time is waited for."""
LOSES: Final = (
    WAITS
    + """
systemctl stop benchd
rm /var/lib/benchd/ledger.sqlite*
cp -a /srv/older/ledger.sqlite* /var/lib/benchd/
systemctl start --no-block benchd
waits 'test $(systemctl show -P ExecMainStatus benchd) = 4'
"""
)
ASKED: Final = """python3 -c '
import json, os
slots = json.loads(os.popen("benchd status --json").read())["slots"]
[asks] = [one for one in slots if one["question"]]
print(json.dumps({"job": asks["job"], "question": asks["question"]}))'"""
FROM_ANSWERS: Final = f"""
{ASKED} >asked
of() {{ python3 -c "import json, sys; print(json.load(open('$1'))$2)"; }}
JOB=$(of asked "['job']") ASKING=$(of asked "['question']['asking']")
CSRF=$(of signed_in "['csrf']")
"""
"""What its reader has in hand by then."""

BLOCKS: Final = (
    Block(page="admin", begins="cd benchd-1.2.3-amd64"),
    Block(
        page="admin",
        begins="sudo apt install",
        at=HERE,
        then="benchd --version | grep -F 1.2.3; dpkg -s benchd | grep 'Status: install ok'",
    ),
    Block(
        page="admin",
        begins="tar --extract",
        at=HERE,
        # The package has started it, as the next boot would.
        before="systemctl stop benchd",
        then="benchd --version | grep -F 1.2.3; test -s /usr/local/share/benchd/docs/admin.md",
    ),
    Block(
        page="admin",
        begins="sudo benchd slots learn",
        before="systemctl stop benchd\nEDITOR='sed -i -f /srv/manual/edit'",
        fills={
            # Nobody walks along a rack here.
            "sudo benchd slots learn": f"{LEFT_OUT} learn",
            # As somebody answers it at a terminal.
            "sudo benchd setup ": "python3 /srv/manual/sets_up.py ",
            # A container's clock is nobody's to keep, and there is no backup yet.
            "sudo benchd doctor ": "(sudo benchd doctor >doctor || test $? = 1) ",
        },
        then="systemctl is-active benchd; benchd people list | grep '^kato';"
        " test $(grep -c '^.fail' doctor) = 1; grep '^.fail. clock' doctor",
    ),
    Block(
        page="admin",
        begins="printf",
        before=f"PIN={PIN}",
        then="test $(benchd people list | wc -l) = 1; benchd people add sato --name '佐藤 健'"
        " --role operator --role administrator;"
        f" printf {PIN} | benchd people pin sato --from-file -",
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
    Block(
        page="service",
        begins="apt install",
        at=HERE,
        before="benchd drain",
        then="benchd --version | grep -F 1.2.3; systemctl start benchd",
    ),
    Block(
        page="service",
        begins="systemctl reload benchd",
        before="printf '\\n[slots.B2]\\nport = \"pci-0000:00:14.0-usb-0:8\"\\n'"
        " >>/etc/benchd/benchd.toml",
        then='benchd status --json | grep \'"slot": "B2"\'',
    ),
    Block(
        page="service",
        begins='[http]\nlisten = "0.0.0.0:8420"',
        before=f"cp /etc/benchd/benchd.toml {KEPT}; install -D -o root -g benchd -m 0640"
        f" -t /etc/benchd/tls rack.pem rack_key.pem{COLLEAGUES}",
        into="/etc/benchd/benchd.toml",
        changes=True,
        # The unit doesn't let other machines in yet.
        then=f"{AFTER_A_CHANGE}; ! visit https://rack7.example:8420/healthz",
    ),
    Block(
        page="service",
        begins="[Service]",
        into="/etc/systemd/system/benchd.service.d/override.conf",
        then="systemctl daemon-reload; systemctl restart benchd;"
        " visit https://rack7.example:8420/healthz; systemctl reload benchd",
    ),
    Block(
        page="service",
        begins="[http]\nallowed_hosts",
        before=NOW_BEHIND,
        into="/etc/benchd/benchd.toml",
        changes=True,
        then=AFTER_A_CHANGE,
    ),
    Block(
        page="service",
        begins="server {",
        before="apt-get -y install nginx; usermod -aG benchd www-data"
        + GETS_TLS.format(name="nginx", group="www-data")
        + f'echo "sato:$(openssl passwd -apr1 {SECRET})" >/etc/nginx/benchd.htpasswd',
        into="/etc/nginx/conf.d/rack7.conf",
        then=f"nginx -t; systemctl restart nginx{LOGS_IN}",
    ),
    Block(
        page="service",
        begins="rack7.example {",
        before="systemctl stop nginx; apt-get -y install caddy; usermod -aG benchd caddy"
        + GETS_TLS.format(name="caddy", group="caddy")
        + 'sed -i "/^trusted_proxy/s/uid = 33/uid = $(id -u caddy)/" /etc/benchd/benchd.toml;'
        "systemctl restart benchd; : >/etc/caddy/Caddyfile",
        fills={"$2a$14$…": "HASH"},
        into="/etc/caddy/Caddyfile",
        then=f'sed -i "s|HASH|$(caddy hash-password --plaintext {SECRET})|" /etc/caddy/Caddyfile;'
        f" systemctl restart caddy{LOGS_IN}systemctl stop caddy; cp {KEPT} /etc/benchd/benchd.toml;"
        " systemctl restart benchd",
    ),
    Block(
        page="service",
        begins="journalctl -u benchd -f",
        # It would follow the journal for ever.
        fills={"benchd -f": "benchd -n 5 | grep benchd"},
    ),
    Block(
        page="service",
        begins="benchd log-level",
        then="benchd log-level | grep -v debug",
    ),
    Block(
        page="service",
        begins="[Unit]",
        into="/etc/systemd/system/benchd.service.d/override.conf",
        then=WAITS + "install -d -o benchd -g benchd -m 0700 /mnt/anchor\n"
        "printf '\\n[ledger.anchor]\\nfolder = \"/mnt/anchor\"\\n' >>/etc/benchd/benchd.toml\n"
        "systemctl daemon-reload; systemctl stop benchd; cp -a /var/lib/benchd /srv/older\n"
        "systemctl restart benchd\nwaits 'test -n \"$(ls /mnt/anchor)\"'",
    ),
    Block(
        page="service",
        begins="systemctl stop benchd\nsystemd-run",
        before=LOSES,
        fills={"NAME": "sato"},
        then=f"systemctl is-active benchd{NOW_BEHIND}systemctl start benchd",
    ),
    Block(
        page="service",
        begins="install -d -o benchd",
        then="test $(ls /mnt/backup/benchd-*.json | wc -l) -ge 2;"
        " systemctl list-timers | grep benchd-backup@mnt-backup.timer",
    ),
    Block(
        page="service",
        begins="benchd drain\nscripts/install\n",
        at="/srv/manual/benchd-1.3.0-amd64",
        then="benchd --version | grep -F 1.3.0; systemctl is-active benchd",
    ),
    Block(
        page="service",
        begins="benchd drain\nscripts/install --back",
        at="/srv/manual/benchd-1.3.0-amd64",
        then="benchd --version | grep -F 1.2.3; systemctl is-active benchd",
    ),
    Block(
        page="service",
        begins="scripts/install --remove",
        at="/srv/manual/benchd-1.3.0-amd64",
        # What stays is enough for the next installation, which the pages below need.
        then="! type -P benchd; test ! -e /opt/benchd/current; ! systemctl cat benchd.service;"
        " test -s /etc/benchd/certificate_key.pem; test -s /var/lib/benchd/ledger.sqlite;"
        " id benchd; scripts/install; systemctl start benchd; benchd people list | grep '^sato'",
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
        begins="umask 077",
        fills={
            "[--json]": "--json",
            # The blocks below come with it.
            "sudo benchd tokens revoke": f"{LEFT_OUT} revoke",
        },
        then="test $(wc -l <stock.token) = 1; test $(stat -c %a stock.token) = 600",
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
        then="benchd assets show T-001 | grep L-1; benchd tokens revoke stock",
    ),
    Block(
        page="api",
        begins="curl -c session",
        fills={
            "https://rack7.example": "http://localhost:8420",
            '"…"}\'': f'"{PIN}"}}\' >signed_in',
        },
        then="test -s session",
        # A restart of benchd would end the session.
        handset=True,
    ),
    Block(page="api", begins='{"job"', answers=ASKED, handset=True),
    Block(
        page="api",
        begins="curl -b session",
        handset=True,
        before=FROM_ANSWERS,
        fills={
            "https://rack7.example": "http://localhost:8420",
            "x-benchd-csrf: …": "x-benchd-csrf: $CSRF",
            "20261124-4e9e3870a3": "$JOB",
            # The handset here is asked about by another gate, whose note is anybody's.
            '"imei"': '"consent"',
            "41": "'$ASKING'",
        },
        then=f'benchd jobs --json | grep \'"gate": "consent"\' || ! {ASKED}',
    ),
)
