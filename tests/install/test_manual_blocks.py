"""The manuals' blocks, typed in their order on a clean Debian 13, from its installation on."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from install_rig import build_deb, run
from installed_job import Hands, handset
from machine import BOOTED, FIREWALL, STAND_IN, UDEV, Machine, booted
from manual_blocks import BLOCKS, PAGES, PIN, ROOT, Block, blocks_of
from other_wheels import other_wheels

from tests.web.certificates import Authority

SHELL = r"""
sudo() { "$@"; }
sudoedit() { $EDITOR "$1"; }
apt() { command apt --yes "$@"; }
curl() { command curl --silent --show-error --fail-with-body "$@"; }
visit() {
    ip netns exec shop curl --silent --show-error --max-time 5 --cacert /srv/manual/authority.pem \
        --resolve rack7.example:443:192.0.2.7 --resolve rack7.example:8420:192.0.2.7 "$@"
}
"""
"""Root needs no sudo, apt is answered with yes, and an answer that refuses is a failure."""
EDIT = r"""
s/^name = .*/name = "Rack 7"/
$a\
\
[slots.A1]\
port = "pci-0000:00:14.0-usb-0:9"
"""
"""What somebody writes into the configuration: the dealer's name and a slot."""
SETS_UP = f"""
import os, pty
answers = ["kato", "加藤 舞", "かとう まい", "{PIN}", "{PIN}", ""]
process, terminal = pty.fork()
if not process:
    os.execvp("benchd", ["benchd", "setup"])
said = b""
while True:
    try:
        said += os.read(terminal, 4096)
    except OSError:
        break
    if answers and said.endswith(b": "):
        said = b""
        os.write(terminal, answers.pop(0).encode() + b"\\n")
assert not answers
os._exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""
"""Somebody at a terminal who answers what they are asked."""
LISTS = (
    "find . -type f -printf '%P\\0' | sort -z | xargs -0 sha256sum -- >../sums;"
    " mv ../sums SHA256SUMS"
)
"""As scripts/release does it."""
LATER = ("nginx", "caddy")
"""What the pages have an administrator install."""


def test_item_8_every_block_is_typed() -> None:
    there = [(page, text) for page in PAGES for text in blocks_of(page)]
    assert len(there) == len(BLOCKS)
    for (page, text), block in zip(there, BLOCKS, strict=True):
        assert block.page == page
        assert text.startswith(block.begins)
        block.typed(text)
        # It ends at the first match, and whoever still writes then fails by SIGPIPE (pipefail).
        assert "grep -q" not in block.before + block.then


def bundle_of(bundle: Path, version: str, made: Path) -> Path:
    """The bundle of a release of that version."""
    unpacked = made / f"benchd-{version}-amd64"
    shutil.copytree(bundle, unpacked, ignore=shutil.ignore_patterns("wheels", "SHA256SUMS"))
    other_wheels(bundle / "wheels", unpacked / "wheels", version)
    run("bash", "-ec", f"cd {unpacked}; {LISTS}")
    return unpacked


def release_of(unpacked: Path, out: Path) -> None:
    """The release with that bundle: its file, the Debian package and their list."""
    out.mkdir()
    packed = out / f"{unpacked.name}.tar"
    run("tar", "--create", "--file", packed, "-C", unpacked.parent, unpacked.name)
    build_deb(unpacked / "wheels", out)
    run("bash", "-ec", f"cd {out}; {LISTS}")


@pytest.fixture(scope="module")
def root(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A Debian with a release beside it and nothing of benchd's; apt has its files already."""
    made = tmp_path_factory.mktemp("manual")
    root, manual = made / "root", made / "root/srv/manual"
    # What Debian's installer puts on every PC, and curl.
    tools = "systemd-sysv,dbus,openssh-client,iproute2,ca-certificates,openssl,curl"
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={tools}", "trixie", root)
    manual.mkdir()
    (root / "etc/tmpfiles.d/stand-in-for-udev.conf").write_text(UDEV)
    units = root / "usr/local/lib/systemd/system"
    units.mkdir(parents=True)
    (units / "systemd-udevd.service").write_text(STAND_IN)
    release = manual / "benchd-1.2.3-amd64"
    release_of(bundle_of(bundle, "1.2.3", made), release)
    newer = bundle_of(bundle, "1.3.0", made)
    shutil.copytree(newer, manual / newer.name)
    key = made / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    run(ROOT / "scripts/sign-release", key, release)
    public = key.with_suffix(".pub").read_text()
    (manual / "release_signers").write_text(f'benchd-release namespaces="benchd-release" {public}')
    authority = Authority(manual, "authority")
    authority.issue("rack", host="rack7.example")
    (manual / "edit").write_text(EDIT)
    (manual / "sets_up.py").write_text(SETS_UP)
    [package] = release.glob("*.deb")
    apt = ("chroot", root, "apt-get", "-qq", "--yes")
    run(*apt, "update")
    wanted = f"/{package.relative_to(root)}"
    run(*apt, "--download-only", "install", wanted)
    run(*apt, "--download-only", "install", *LATER)
    yield root
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def machine(root: Path) -> Generator[Machine]:
    with booted(root, FIREWALL) as machine:
        machine.run("systemctl", "start", "systemd-udevd")
        yield machine


@pytest.fixture(scope="module")
def hands(machine: Machine, root: Path) -> Generator[Hands]:
    """Somebody with a handset that asks, in a slot of its own."""
    config = root / "etc/benchd/benchd.toml"
    config.write_text(config.read_text().replace("\n[slots.A1]\n", "\n[slots.A0]\n"))
    with handset(machine, root) as hands:
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", "benchd")
        hands.plug()
        yield hands


def as_benchd() -> str:
    """The shell function at the head of the page on recovery, which the manual names."""
    page = (ROOT / "docs/runbooks/recovery.md").read_text("utf-8")
    [found] = re.findall(r"^as_benchd\(\) \{.*?^\}", page, re.MULTILINE | re.DOTALL)
    return found


def changed(toml: str, block: str) -> str:
    """The file, in whose table the block's lines take the place of those for the same keys."""
    table, lines = block.split("\n", 1)
    before, found, after = toml.partition(f"\n{table}\n")
    assert found
    until = re.search(r"^\[|\Z", after, re.MULTILINE)
    assert until
    own, others = after[: until.start()], after[until.start() :]
    for key in re.findall(r"^\w+ = ", lines, re.MULTILINE):
        own = re.sub(rf"^{key}.*\n", "", own, flags=re.MULTILINE)
    return f"{before}{found}{lines}{own}{others}"


def fields_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Of which kind each field is, whatever is in it."""
    return {
        key: fields_of(each) if isinstance(each, dict) else type(each)
        for key, each in answer.items()
    }


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("block", "text"),
    [
        pytest.param(block, text, id=f"{block.page}-{number}", marks=BOOTED)
        for number, (block, text) in enumerate(
            zip(BLOCKS, (text for page in PAGES for text in blocks_of(page)), strict=True), 1
        )
    ],
)
def test_item_8_the_block_does_what_its_page_says(
    machine: Machine, root: Path, block: Block, text: str, request: pytest.FixtureRequest
) -> None:
    def types(typed: str) -> str:
        return machine.run(
            *("bash", "-euo", "pipefail", "-c", f"cd {block.at}\n{SHELL}{as_benchd()}\n{typed}")
        )

    if block.handset:
        request.getfixturevalue("hands")
    typed = block.typed(text)
    if block.answers:
        answer: Any = json.loads(types(block.answers))
        shown: Any = json.loads(typed)
        assert shown.keys() <= answer.keys()
        assert fields_of(shown["question"]).items() <= fields_of(answer["question"]).items()
        return
    if block.into:
        types(block.before)
        file = root / block.into.removeprefix("/")
        file.parent.mkdir(exist_ok=True)
        kept = file.read_text() if file.exists() else ""
        file.write_text(changed(kept, typed) if block.changes else kept + typed)
    else:
        types(f"{block.before}\n{typed}")
    types(block.then)
