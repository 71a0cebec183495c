"""What comes along with a package and is never loaded: nobody keeps it up any more."""

from __future__ import annotations

import subprocess
import sys

import pytest

ALL = """
import pkgutil, sys
import benchd
for module in pkgutil.walk_packages(benchd.__path__, "benchd."):
    if not module.name.startswith("benchd.lab") and not module.name.endswith("__main__"):
        __import__(module.name)
sys.stdout.write("\\n".join(sys.modules))
"""


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """Every module that a process has which has imported all of the product."""
    told = subprocess.run(
        [sys.executable, "-c", ALL], capture_output=True, text=True, check=True, timeout=120
    )
    return frozenset(told.stdout.split())


def test_all_of_the_product_is_imported(loaded: frozenset[str]) -> None:
    assert {
        "benchd.papers.pdf_signing",
        "benchd.papers.paper_check",
        "benchd.daemon.composition",
        "pyhanko",
    } <= loaded


@pytest.mark.parametrize("package", ["oscrypto"])
def test_no_part_of_the_product_loads_it(loaded: frozenset[str], package: str) -> None:
    """Where pyHanko validates certificates it may, for a system's list: benchd gives its own."""
    assert not [name for name in loaded if name.partition(".")[0] == package]
