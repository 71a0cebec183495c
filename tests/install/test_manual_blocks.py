"""The manuals' blocks, typed in their order on a clean Debian 13 with benchd in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from install_rig import run
from installed_job import SLOT
from machine import BOOTED, UDEV, Machine, booted, until
from manual_blocks import BLOCKS, NOT_TYPED, PAGES, ROOT, Block, blocks_of

SHELL = """
cd /srv/manual
sudo() { "$@"; }
curl() { command curl --silent --show-error --fail-with-body "$@"; }
"""
"""Root needs no sudo, and an answer that refuses is a failure."""


def test_item_8_every_block_is_typed_or_says_why_not() -> None:
    there = [(page, text) for page in PAGES for text in blocks_of(page)]
    assert len(there) == len(BLOCKS)
    for (page, text), block in zip(there, BLOCKS, strict=True):
        assert block.page == page
        assert text.startswith(block.begins)
        block.typed(text)
    assert NOT_TYPED == 16


@pytest.fixture(scope="module")
def root(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    root = tmp_path_factory.mktemp("manual") / "root"
    run("cp", "--archive", "--reflink=auto", installed, root)
    shutil.rmtree(root / "var/lib/benchd", ignore_errors=True)
    (root / "etc/tmpfiles.d/stand-in-for-udev.conf").write_text(UDEV)
    with (root / "etc/benchd/benchd.toml").open("a") as config:
        config.write(SLOT.replace('"fill"', '"delete"'))
    (root / "srv/manual").mkdir()
    run("chroot", root, "apt-get", "--quiet", "--yes", "install", "curl")
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def machine(root: Path) -> Generator[Machine]:
    with booted(root) as machine:
        until(lambda: machine.show("benchd", "ActiveState") == "active")
        yield machine


def as_benchd() -> str:
    """The shell function at the head of the page on recovery, which the manual names."""
    page = (ROOT / "docs/runbooks/recovery.md").read_text("utf-8")
    [found] = re.findall(r"^as_benchd\(\) \{.*?^\}", page, re.MULTILINE | re.DOTALL)
    return found


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("block", "text"),
    [
        pytest.param(block, text, id=f"{block.page}-{number}", marks=BOOTED)
        for number, (block, text) in enumerate(
            zip(BLOCKS, (text for page in PAGES for text in blocks_of(page)), strict=True), 1
        )
        if not block.why_not
    ],
)
def test_item_8_the_block_does_what_its_page_says(
    machine: Machine, block: Block, text: str
) -> None:
    typed = block.typed(text)
    if block.into:
        typed = f"cat >>{block.into} <<'BLOCK'\n{typed}BLOCK\n"
    machine.run("bash", "-euo", "pipefail", "-c", f"{SHELL}{as_benchd()}\n{block.before}\n{typed}")
    machine.run("bash", "-euo", "pipefail", "-c", f"{SHELL}{block.then or 'true'}")
