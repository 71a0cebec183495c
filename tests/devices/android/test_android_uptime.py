"""How long a handset has been up: a number, or nothing that anybody goes by."""

from __future__ import annotations

import pytest

from benchd.devices.android.facts.single_values import read_uptime


def test_whole_seconds_are_read() -> None:
    assert read_uptime("214.07 803.51\n") == 214
    assert read_uptime("0.99 0.00\r\n") == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "214\n",
        "214.07\n",
        "-214.07 803.51\n",
        "214.07 803.51\n214.07 803.51\n",
        "cat: /proc/uptime: Permission denied\n",
        "２１４.07 803.51\n",
        "99999999999.07 1.00\n",
        " 214.07 803.51\n",
    ],
)
def test_anything_else_is_unknown(text: str) -> None:
    assert read_uptime(text) is None
