"""[ledger.anchor] url and other addresses: what may stand there, and what a mistake tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.daemon.config_check import check_config

RECIPES = Path(__file__).parents[2] / "configs/recipes"
ANCHOR = '[ledger.anchor]\nurl = "{}"\n'
TIME_STAMPS = '[certificate]\ntime_stamps = "{}"\n'


def mistakes(folder: Path, told: str) -> list[tuple[str, str]]:
    (folder / "recipes").mkdir()
    (folder / "recipes/overwrite.toml").write_bytes((RECIPES / "overwrite.toml").read_bytes())
    path = folder / "benchd.toml"
    path.write_text(f'[site]\nname = "東京"\n[models]\nfresh_pictures = "fresh"\n{told}')
    return [(issue.key, issue.message) for issue in check_config(path)]


@pytest.mark.parametrize(
    "url",
    ["https://anchor.example/heads", "http://192.0.2.10:8080", "https://anchor.example/?token=x"],
)
def test_an_anchor_may_have_a_token_in_its_query(tmp_path: Path, url: str) -> None:
    assert mistakes(tmp_path, ANCHOR.format(url)) == []


@pytest.mark.parametrize(
    "url", ["https://user:S3CRET@anchor.example/heads", "https://S3CRET@anchor.example"]
)
def test_an_anchors_name_and_password_are_refused_with_what_to_do(tmp_path: Path, url: str) -> None:
    [(key, message)] = mistakes(tmp_path, ANCHOR.format(url))
    assert key == "ledger.anchor.url"
    assert "without a name and password" in message
    assert "?token=" in message
    assert "S3CRET" not in message


@pytest.mark.parametrize("table", [ANCHOR, TIME_STAMPS])
@pytest.mark.parametrize(
    "url",
    [
        "ftp://user:S3CRET@anchor.example",
        "anchor.example?token=S3CRET",
        "https://[anchor.example/S3CRET",
        "https://S3CRET@/",
        "https://anchor.example/S3CRET" + 500 * "x",
        "https://anchor.example/S3CRET\\u0007",
    ],
)
def test_an_address_that_is_refused_isnt_told_whole(tmp_path: Path, url: str, table: str) -> None:
    """What is wrong with it may be its token, and messages are logged."""
    [(_, message)] = mistakes(tmp_path, table.format(url))
    assert "S3CRET" not in message


@pytest.mark.parametrize("url", ["https://anchor.example/#x", "https://anchor.example/a b"])
def test_an_anchor_has_nothing_that_isnt_sent(tmp_path: Path, url: str) -> None:
    [(key, _)] = mistakes(tmp_path, ANCHOR.format(url))
    assert key == "ledger.anchor.url"
