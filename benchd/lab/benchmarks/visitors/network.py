"""A network that nobody else is in, so that visitors come from addresses of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

ADDRESSES: Final = "198.51.100"
"""Of RFC 5737: for documentation, nobody's own."""
_INSIDE: Final = "BENCHD_BENCH_NETWORK"


def enter_own_network() -> None:
    """Begin this very command anew in a network of its own; returns once it is in one."""
    if _INSIDE not in os.environ:
        # Root of its own user namespace, whoever it is outside.
        unshare = ["unshare", "--map-root-user", "--net", "--"]
        command = [*unshare, sys.executable, *sys.orig_argv[1:]]
        os.execvpe("unshare", command, {**os.environ, _INSIDE: "1"})  # noqa: S606
    # A loopback device answers for every address of a prefix that it is given.
    for change in (("link", "set", "lo", "up"), ("addr", "add", f"{ADDRESSES}.0/24", "dev", "lo")):
        subprocess.run(["ip", *change], check=True)


def addresses(first: int, count: int) -> Sequence[str]:
    """So many addresses of that network."""
    return [f"{ADDRESSES}.{number}" for number in range(first, first + count)]
