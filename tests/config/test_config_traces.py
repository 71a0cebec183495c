"""[traces]: off by default, and every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import load_settings
from benchd.daemon.config_check import check_config
from tests.config.test_config_hooks import folder, written

__all__ = ["folder"]
HEADERS = 'headers = "traces.headers"\n'


def mistakes(folder: Path, told: str) -> list[tuple[str, str]]:
    issues = check_config(written(folder, f"[traces]\n{told}"))
    return [(issue.key, issue.message) for issue in issues]


@pytest.mark.parametrize("told", ["", '[traces]\nheaders = "traces.headers"\n'])
def test_nothing_is_sent_without_an_address(folder: Path, told: str) -> None:
    headers(folder)
    assert load_settings(written(folder, told)).traces.target is None


def test_a_collector_with_headers(folder: Path) -> None:
    headers(folder)
    told = f'[traces]\nurl = "https://traces.example/v1/traces"\n{HEADERS}timeout_s = 3\n'
    target = load_settings(written(folder, told)).traces.target
    assert target is not None
    assert target.headers == {"authorization": "Bearer t0p"}
    assert (target.timeout_s, target.authority) == (3, None)
    assert "t0p" not in repr(target)
    assert "example" not in repr(target)


def test_plain_http_stays_on_this_machine(folder: Path) -> None:
    assert mistakes(folder, 'url = "http://[::1]:4318/v1/traces"\n') == []
    [(key, message)] = mistakes(folder, 'url = "http://traces.example/?token=t0p"\n')
    assert (key, "t0p" in message, "allow_plain_http" in message) == ("traces.url", False, True)
    plain = 'allow_plain_http = true\nurl = "http://traces.example/t"\n'
    assert mistakes(folder, plain) == []


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ('url = "ftp://traces.example"', "traces.url"),
        ('url = "https://me:t0p@traces.example/t"', "traces.url"),
        ('headers = "gone"', "traces.headers"),
        ('authority = "gone"', "traces.authority"),
        ('authority = "stock.secret"', "traces.authority"),
        ("timeout_s = 61", "traces.timeout_s"),
    ],
)
def test_a_mistake_is_told_at_its_place(folder: Path, told: str, key: str) -> None:
    [(found, message)] = mistakes(folder, f"{told}\n")
    assert found == key
    assert "t0p" not in message


def headers(folder: Path) -> None:
    path = folder / "traces.headers"
    path.write_text("Authorization: Bearer t0p\n")
    path.chmod(0o600)
