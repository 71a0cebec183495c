"""The kernel's own netlink socket, in namespaces of its own: bursts and overflows as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typing_extensions import TypedDict

pytestmark = pytest.mark.rack

CHECKOUT = Path(__file__).parents[2]
# libudev opens a monitor that hears nothing unless udevd seems to be there.
PRETEND_UDEVD = 'mount -t tmpfs tmpfs /run && mkdir /run/udev && : >/run/udev/control && exec "$@"'
IN_NAMESPACES = (
    *("unshare", "--user", "--map-root-user", "--net", "--mount", "--"),
    *("sh", "-c", PRETEND_UDEVD, "sh"),
)


class Told(TypedDict):
    told: list[str]
    there: list[str]
    logged: list[str]
    sockets_left: int


def run(scenario: str) -> Told:
    done = subprocess.run(
        [*IN_NAMESPACES, sys.executable, "-m", "tests.hotplug.netlink_rig", scenario],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if name != "UMOCKDEV_DIR"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: Told = json.loads(done.stdout)
    assert answer["sockets_left"] == 0, "each monitor that overflowed is closed"
    assert still_there(answer["told"]) == answer["there"]
    return answer


def still_there(told: Sequence[str]) -> list[str]:
    """Fold what was told, and insist that a port never gets two of the same kind in a row."""
    attached: set[str] = set()
    for sign, port in ((word[0], word[1:]) for word in told):
        assert (port in attached) == (sign == "-"), f"{sign}{port} in {told}"
        attached ^= {port}
    return sorted(attached)


def test_burst_of_200_events_is_told_whole_and_in_order(under_wrapper: None) -> None:
    answer = run("burst")
    in_order = [str(number % 16 + 1) for number in range(100)]
    pairs = [sign + port for port in in_order for sign in "+-"]
    assert answer["told"] == [*pairs, "+17"]
    assert "udev_overflow" not in answer["logged"]


def test_overflow_tells_what_was_kept_and_then_the_difference(under_wrapper: None) -> None:
    answer = run("overflow")
    told = answer["told"]
    assert told[:2] == ["+1", "+2"], "found by the enumeration"
    assert told[2:4] == ["+17", "-17"], "came and left before the overflow"
    assert "-2" in told, "left and came back unheard: another attachment"
    assert told[told.index("-2") + 1] == "+2"
    assert "+16" not in told, "came and left unheard"
    assert told[-1] == "-6", "heard by the new monitor"
    assert answer["logged"].count("udev_overflow") == 1
    assert answer["logged"].count("udev_enumerated_again") == 1


def test_overflow_after_overflow_ends_in_the_true_state(under_wrapper: None) -> None:
    answer = run("storm")
    assert answer["logged"].count("udev_overflow") >= 3
