"""Where benchd sends to, hooks, traces and anchors: every mistake at its place, no secret told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.daemon.rack_hooks import hook_settings_of
from benchd.daemon.rack_traces import trace_target_of
from benchd.domain.hook import HookEventKind
from benchd.domain.job import Disposition
from tests.config.config_folder import SECRET, SITE, loaded, mistakes

pytestmark = pytest.mark.usefixtures("secrets")

URL = "https://stock.example/in"
HOOK = f'[[hooks]]\nname = "stock"\nurl = "{URL}"\nsecret = "stock.secret"\n'
TRACES = '[traces]\nurl = "{}"\n'
ANCHOR = '[ledger.anchor]\nurl = "{}"\n'
TIME_STAMPS = '[certificate]\ntime_stamps = "{}"\n'


@pytest.fixture
def secrets(folder: Path) -> None:
    for name, text in (
        ("stock.secret", SECRET),
        ("traces.headers", "Authorization: Bearer t0p\n"),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def test_a_hook_and_its_defaults() -> None:
    [hook] = loaded(SITE + HOOK).hooks
    settings = hook_settings_of(hook)
    assert settings.terms.events == frozenset(HookEventKind)
    assert settings.terms.give_up_s == 14 * 86_400
    assert len(settings.target.secrets) == 1
    assert "stock.example" not in repr(settings.target)
    assert loaded(SITE).hooks == ()


def test_all_of_a_hook() -> None:
    more = (
        'events = ["job_ended"]\nlots = ["L-1"]\ndispositions = ["hold"]\ntimeout_s = 3\n'
        'bins = { sellable = ["販売"], hold = ["保留"] }\n'
    )
    [hook] = loaded(SITE + HOOK + more).hooks
    terms = hook_settings_of(hook).terms
    assert terms.lots == {"L-1"}
    assert terms.dispositions == {Disposition.HOLD}
    assert terms.bins[Disposition.SELLABLE] == {"販売"}


def test_traces_go_to_a_collector_with_headers_and_nowhere_without_an_address() -> None:
    headers = 'headers = "traces.headers"\n'
    for told in ("", f"[traces]\n{headers}"):
        assert trace_target_of(loaded(SITE + told).traces) is None
    told = TRACES.format("https://traces.example/v1/traces") + headers + "timeout_s = 3\n"
    target = trace_target_of(loaded(SITE + told).traces)
    assert target is not None
    assert target.headers == {"authorization": "Bearer t0p"}
    assert (target.timeout_s, target.authority) == (3, None)
    assert "t0p" not in repr(target)
    assert "example" not in repr(target)


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
def test_mistakes_of_a_hook(change: tuple[str, str], key: str, said: str) -> None:
    [(where, what)] = mistakes(SITE + HOOK.replace(*change, 1))
    assert where.startswith(key)
    assert said in what


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ('url = "http://traces.example/?token=t0p"', "traces.url"),
        ('url = "ftp://traces.example"', "traces.url"),
        ('url = "https://me:t0p@traces.example/t"', "traces.url"),
        ('headers = "gone"', "traces.headers"),
        ('authority = "gone"', "traces.authority"),
        ('authority = "stock.secret"', "traces.authority"),
        ("timeout_s = 61", "traces.timeout_s"),
    ],
)
def test_mistakes_of_traces(told: str, key: str) -> None:
    [(found, message)] = mistakes(f"{SITE}[traces]\n{told}\n")
    assert found == key
    assert "t0p" not in message
    assert ("allow_plain_http" in message) == ("http://" in told)


TABLES = {
    "hooks": HOOK.replace(URL, "{}"),
    "traces.url": TRACES,
    "ledger.anchor.url": ANCHOR,
    "certificate.time_stamps": TIME_STAMPS,
}
REFUSED = {
    "ftp://user:S3CRET@stock.example": TABLES,
    "stock.example/S3CRET": TABLES,
    "S3CRET:stock.example": TABLES,
    "https://[stock.example/S3CRET": TABLES,
    "https://S3CRET@/" + 500 * "x": TABLES,
    "https://stock.example/S3CRET" + 500 * "x": TABLES,
    "https://stock.example/S3CRET\\u0007": TABLES,
    "https://S3CRET:S3CRET@stock.example/in": ("hooks", "traces.url", "ledger.anchor.url"),
    "https://stock.example/in?token=S3CRET#x": ("hooks", "traces.url", "ledger.anchor.url"),
    "https://stock.example/in token=S3CRET": ("hooks", "traces.url", "ledger.anchor.url"),
    "http://stock.example/in?token=S3CRET": ("hooks", "traces.url"),
    "stock.example?token=S3CRET": TABLES,
    "https://S3CRET@/": TABLES,
}


@pytest.mark.parametrize(("url", "key"), [(url, key) for url in REFUSED for key in REFUSED[url]])
def test_an_address_that_is_refused_isnt_told_whole(url: str, key: str) -> None:
    """What is wrong with it may be its token, and messages are logged."""
    [(found, message)] = mistakes(SITE + TABLES[key].replace("{}", url))
    assert found.startswith(key)
    assert "S3CRET".lower() not in message.lower()


@pytest.mark.parametrize("value", ['["https://S3CRET"]', '{ S3CRET = "S3CRET" }'])
def test_what_is_no_address_at_all_isnt_told_either(value: str) -> None:
    assert "S3CRET" not in repr(mistakes(SITE + HOOK.replace(f'"{URL}"', value)))


@pytest.mark.parametrize(
    "told",
    [
        HOOK.replace(URL, "http://127.0.0.1:9/in"),
        HOOK.replace(URL, "http://[::1]/in"),
        HOOK.replace(URL, "http://localhost/in"),
        HOOK.replace("https://", "http://") + "allow_plain_http = true\n",
        TRACES.format("http://[::1]:4318/v1/traces"),
        TRACES.format("http://traces.example/t") + "allow_plain_http = true\n",
        ANCHOR.format("https://anchor.example/heads"),
        ANCHOR.format("http://192.0.2.10:8080"),
        ANCHOR.format("https://anchor.example/?token=x"),
    ],
)
def test_plain_http_stays_on_this_machine_unless_told_and_an_anchor_may_have_a_token(
    told: str,
) -> None:
    assert mistakes(SITE + told) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://user:S3CRET@anchor.example/heads", ("without a name and password", "?token=")),
        ("https://S3CRET@anchor.example", ("without a name and password", "?token=")),
        ("https://anchor.example/#x", ()),
        ("https://anchor.example/a b", ()),
    ],
)
def test_an_anchor_has_no_name_and_password_and_nothing_that_isnt_sent(
    url: str, words: tuple[str, ...]
) -> None:
    [(key, message)] = mistakes(SITE + ANCHOR.format(url))
    assert key == "ledger.anchor.url"
    for word in words:
        assert word in message
    assert "S3CRET" not in message


def test_a_name_belongs_to_one_hook_and_what_is_held_isnt_put_with_what_is_sold() -> None:
    assert len(mistakes(SITE + HOOK + HOOK)) == 2
    bins = 'bins = { sellable = ["A"], hold = ["B", "A"] }\n'
    # Nor is it where another hook has put what is sold.
    sells, destroys = (f'bins = {{ {word} = ["A"] }}\n' for word in ("sellable", "destroy"))
    other = HOOK.replace('"stock"', '"other"')
    for told, key in (
        (HOOK + bins, "hooks[stock].bins.hold"),
        (HOOK + sells + other + destroys, "hooks[other].bins.destroy"),
        (HOOK + destroys + other + sells, "hooks[stock].bins.destroy"),
    ):
        [(found_at, message)] = mistakes(SITE + told)
        assert found_at == key
        assert "sold" in message
