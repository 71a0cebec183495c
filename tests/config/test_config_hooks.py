"""[[hooks]]: what may stand there, and every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import load_settings
from benchd.daemon.config_check import check_config
from benchd.domain.hook import HookEventKind
from benchd.domain.job import Disposition

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
HOOK = '[[hooks]]\nname = "stock"\nurl = "https://stock.example/in"\nsecret = "stock.secret"\n'
RECIPE = 'stages = ["inspect"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recipes").mkdir()
    for recipe in (Path(__file__).parents[2] / "configs/recipes").glob("overwrite.toml"):
        (tmp_path / "recipes" / recipe.name).write_bytes(recipe.read_bytes())
    secret = tmp_path / "stock.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    return tmp_path


def written(folder: Path, hooks: str) -> Path:
    path = folder / "benchd.toml"
    path.write_text(f'[site]\nname = "東京"\n[models]\nfresh_pictures = "fresh"\n{hooks}')
    return path


def mistakes(folder: Path, hooks: str) -> list[tuple[str, str]]:
    return [(issue.key, issue.message) for issue in check_config(written(folder, hooks))]


def test_a_hook_and_its_defaults(folder: Path) -> None:
    [hook] = load_settings(written(folder, HOOK)).hooks
    settings = hook.settings
    assert settings.terms.events == frozenset(HookEventKind)
    assert settings.terms.give_up_s == 14 * 86_400
    assert len(settings.target.secrets) == 1
    assert "stock.example" not in repr(settings.target)
    assert load_settings(written(folder, "")).hooks == ()


def test_all_of_it(folder: Path) -> None:
    more = (
        'events = ["job_ended"]\nlots = ["L-1"]\ndispositions = ["hold"]\ntimeout_s = 3\n'
        'bins = { sellable = ["販売"], hold = ["保留"] }\n'
    )
    [hook] = load_settings(written(folder, HOOK + more)).hooks
    terms = hook.settings.terms
    assert terms.lots == {"L-1"}
    assert terms.dispositions == {Disposition.HOLD}
    assert terms.bins[Disposition.SELLABLE] == {"販売"}


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        (("https://", "http://"), "hooks[stock].url", "allow_plain_http"),
        (("https://", "https://user:word@"), "hooks[stock].url", "without a name"),
        (("https://", "ftp://"), "hooks[stock].url", "https://"),
        (('"stock"', '"Stock 1"'), "hooks", "1 to 32"),
        (("stock.secret", "nowhere"), "hooks[stock].secret", "can't be read"),
        (("secret =", 'events = ["job_lost"]\nsecret ='), "hooks[stock].events[1]", "job_ended"),
        (("secret =", "verify = false\nsecret ="), "hooks[stock].verify", "unknown key"),
        (("secret =", "timeout_s = 0\nsecret ="), "hooks[stock].timeout_s", "more than 0"),
    ],
)
def test_mistakes(folder: Path, change: tuple[str, str], key: str, said: str) -> None:
    [(where, what)] = mistakes(folder, HOOK.replace(*change, 1))
    assert where.startswith(key)
    assert said in what


@pytest.mark.parametrize(
    "url",
    [
        "http://stock.example/in?token=S3CRET",
        "https://S3CRET:S3CRET@stock.example/in",
        "https://stock.example/in?token=S3CRET#x",
        "https://stock.example/in token=S3CRET",
        "https://stock.example/S3CRET\\u0007",
        "stock.example/S3CRET",
        "S3CRET:stock.example",
        "https://[stock.example/S3CRET",
        "https://stock.example/S3CRET" + 500 * "x",
        "https://S3CRET@/" + 500 * "x",
    ],
)
def test_an_address_that_is_refused_isnt_told_whole(folder: Path, url: str) -> None:
    """What is wrong with it may be its token, and messages are logged."""
    told = HOOK.replace("https://stock.example/in", url)
    [(key, message)] = mistakes(folder, told)
    assert key.startswith("hooks")
    assert "S3CRET".lower() not in message.lower()


@pytest.mark.parametrize("value", ['["https://S3CRET"]', '{ S3CRET = "S3CRET" }'])
def test_what_is_no_address_at_all_isnt_told_either(folder: Path, value: str) -> None:
    told = HOOK.replace('"https://stock.example/in"', value)
    assert "S3CRET" not in repr(mistakes(folder, told))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/in", "http://[::1]/in", "http://localhost/in"])
def test_plain_http_stays_on_this_machine(folder: Path, url: str) -> None:
    assert mistakes(folder, HOOK.replace("https://stock.example/in", url)) == []


def test_plain_http_elsewhere_only_when_told(folder: Path) -> None:
    told = HOOK.replace("https://", "http://") + "allow_plain_http = true\n"
    assert mistakes(folder, told) == []


def test_a_name_belongs_to_one_hook_and_what_is_held_isnt_put_with_what_is_sold(
    folder: Path,
) -> None:
    found = mistakes(folder, HOOK + HOOK)
    assert len(found) == 2
    bins = 'bins = { sellable = ["A"], hold = ["B", "A"] }\n'
    [(key, message)] = mistakes(folder, HOOK + bins)
    assert key == "hooks[stock].bins.hold"
    assert "sold" in message
    # Nor is it where another hook has put what is sold.
    sells, destroys = (f'bins = {{ {word} = ["A"] }}\n' for word in ("sellable", "destroy"))
    other = HOOK.replace('"stock"', '"other"')
    for first, second, key in (
        (HOOK + sells, other + destroys, "hooks[other].bins.destroy"),
        (HOOK + destroys, other + sells, "hooks[stock].bins.destroy"),
    ):
        [(found_at, message)] = mistakes(folder, first + second)
        assert found_at == key
        assert "sold" in message
