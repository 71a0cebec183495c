"""[http]: what can't be reached, isn't safe or can't be read is told with its place and cure."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from benchd.config import HttpSettings
from benchd.domain.errors import ConfigInvalid
from tests.config import config_folder
from tests.config.config_folder import loaded
from tests.web.certificates import Authority

SITE = '[site]\nname = "Example"\n[http]\n'
TLS = 'tls_certificate = "rack.pem"\ntls_key = "rack_key.pem"\n'
RACK7 = 'allowed_hosts = ["rack7"]\n'
CERTIFICATE = 'trusted_proxy = { client_certificate = "authority.pem" }\n'
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing listens on it here
BEYOND = "allow_beyond_loopback = true\n"


@pytest.fixture(autouse=True)
def authority(folder: Path) -> Authority:
    """The current folder holds the files of TLS."""
    authority = Authority(folder, "authority")
    authority.issue("rack")
    authority.issue("ended", ends=-timedelta(days=1))
    return authority


def messages(http: str) -> list[str]:
    told = config_folder.messages(SITE + http)
    return [message.removeprefix("benchd.toml:") for message in told]


def http_of(http: str) -> HttpSettings:
    return loaded(SITE + http).http


@pytest.mark.parametrize(
    "http",
    [
        "",
        'listen = "127.0.0.1:8420"\n',
        'listen = "[::1]:8420"\n',
        'listen = "[::1]:80"\nallow_beyond_loopback = false\n',
        'listen = "[::1]:8420"\n' + BEYOND,
        TLS,
        'anonymous = "none"\nmetrics = false\n',
        'listen = "192.0.2.1:8420"\n' + BEYOND + TLS,
        'listen = "0.0.0.0:8420"\nallowed_hosts = ["rack7.example"]\n' + BEYOND + TLS,
        'listen = "[::]:8420"\nallowed_hosts = ["2001:db8::1", "192.0.2.1"]\n' + BEYOND + TLS,
        'allowed_hosts = ["rack7.example"]\ntrusted_proxy = { uid = 33 }\n',
        RACK7 + 'trusted_proxy = { uid = 33, header = "Remote-User" }\n',
        RACK7 + CERTIFICATE + TLS,
        RACK7 + TLS + "[http.trusted_proxy]\nuid = 33\n",
    ],
)
def test_what_can_be_reached_and_is_safe_is_taken(http: str) -> None:
    assert messages(http) == []


@pytest.mark.parametrize(
    ("http", "wanted"),
    [
        (
            'listen = "0.0.0.0:8420"\nallowed_hosts = ["rack7"]\n',
            '4:1: http.listen: found "0.0.0.0:8420", which other machines can reach',
        ),
        (
            'listen = "192.0.2.1:8420"\n' + BEYOND,
            (
                '4:1: http.listen: found "192.0.2.1:8420", which other machines would read in'
                " clear; add tls_certificate and tls_key"
            ),
        ),
        (
            RACK7 + 'trusted_proxy = { uid = 33 }\nlisten = "192.0.2.1:80"\n' + BEYOND,
            '6:1: http.listen: found "192.0.2.1:80", which other machines would read in clear',
        ),
        (
            'listen = "0.0.0.0:8420"\n' + BEYOND + TLS,
            (
                '4:1: http.listen: found "0.0.0.0:8420", under which no browser can call it; add'
                " allowed_hosts"
            ),
        ),
        (
            'listen = "[::]:8420"\nallowed_hosts = []\n' + BEYOND + TLS,
            '4:1: http.listen: found "[::]:8420", under which no browser',
        ),
        ('tls_key = "rack_key.pem"\n', "4:1: http.tls_key: TLS needs both files"),
        ('tls_certificate = "rack.pem"\n', "3:2: http.tls_key: TLS needs both files"),
        (
            "trusted_proxy = { uid = 33 }\n",
            "4:1: http.trusted_proxy: without allowed_hosts every answer",
        ),
        (
            RACK7 + CERTIFICATE,
            "5:1: http.trusted_proxy: client_certificate is shown over TLS: add tls_certificate",
        ),
        (
            RACK7 + 'trusted_proxy = { header = "X-User" }\n',
            "5:1: http.trusted_proxy: has to say how the proxy is known, in one way: uid",
        ),
        (
            RACK7 + TLS + 'trusted_proxy = { uid = 33, client_certificate = "authority.pem" }\n',
            "7:1: http.trusted_proxy: has to say how the proxy is known, in one way",
        ),
        (
            RACK7 + "trusted_proxy = { uid = 0 }\n",
            "5:19: http.trusted_proxy.uid: found 0, allowed is at least 1",
        ),
        (
            RACK7 + 'trusted_proxy = { uid = "www-data" }\n',
            '5:19: http.trusted_proxy.uid: found "www-data", allowed is a whole number',
        ),
        (
            RACK7 + "trusted_proxy = { uid = true }\n",
            "5:19: http.trusted_proxy.uid: found true, allowed is a whole number",
        ),
        (
            RACK7 + "trusted_proxy = { user = 33 }\n",
            "5:19: http.trusted_proxy.user: unknown key (allowed here: uid, client_certificate,",
        ),
        (
            RACK7 + 'trusted_proxy = "nginx"\n',
            '5:1: http.trusted_proxy: found "nginx", allowed is a table',
        ),
        (
            'listen = "[::]:80"\n' + BEYOND,
            '4:1: http.listen: found "[::]:80", which other machines would read in clear',
        ),
        (
            'listen = "[::]:80"\nallow_beyond_loopback = 1\n',
            "5:1: http.allow_beyond_loopback: found 1, allowed is true or false",
        ),
        ('anonymous = "all"\n', '4:1: http.anonymous: found "all", allowed is one of wall, read,'),
        ("anonymous = false\n", "4:1: http.anonymous: found false, allowed is one of"),
        ('metrics = "no"\n', '4:1: http.metrics: found "no", allowed is true or false'),
        ('allowed_hosts = "rack7"\n', '4:1: http.allowed_hosts: found "rack7", allowed is an'),
    ],
)
def test_what_cannot_be_reached_or_is_not_safe_is_refused(http: str, wanted: str) -> None:
    found = messages(http)
    assert any(message.startswith(wanted) for message in found), found


@pytest.mark.parametrize(
    "host",
    [
        *("https://rack7", "rack7:8420", "*", "*.example", ".example", "rack7.", "", " rack7"),
        *("rack_7", "-rack7", ANY_ADDRESS, "::", "[::1]", "192.0.2.1/24", "棚.example", "a b"),
        *("user@rack7", "rack7/", "a" * 64, f"{'a.' * 127}a"),
    ],
)
def test_what_is_no_name_of_a_host_is_refused(host: str) -> None:
    (message,) = messages(f"allowed_hosts = ['rack7', '{host}']\n")
    assert message.startswith("4:27: http.allowed_hosts[2]: found ")
    assert "allowed is the name or IP address that people type" in message


def test_hosts_are_compared_in_one_form() -> None:
    http = http_of('allowed_hosts = ["Rack7.EXAMPLE", "2001:DB8:0::1", "xn--rck.example"]\n')
    assert http.allowed_hosts == ["rack7.example", "2001:db8::1", "xn--rck.example"]


def test_an_address_that_stands_for_all_is_no_name_to_come_by() -> None:
    """A foreign page may ask for 0.0.0.0, and a browser takes that for this machine."""
    more = RACK7 + BEYOND + TLS
    assert http_of(f'listen = "{ANY_ADDRESS}:8420"\n' + more).hosts == ("rack7",)
    assert http_of('listen = "[::]:8420"\n' + more).hosts == ("rack7",)
    assert http_of('listen = "192.0.2.1:8420"\n' + more).hosts == ("192.0.2.1", "rack7")


@pytest.mark.parametrize(
    "header", ["", "X Remote", "X-Remote-User:", "X_Remote_User", "1st", "Host", "ORIGIN", "cookie"]
)
def test_a_header_has_to_be_one_of_its_own(header: str) -> None:
    proxy = f'trusted_proxy = {{ uid = 33, header = "{header}" }}\n'
    (message,) = messages(RACK7 + proxy)
    assert message.startswith("5:29: http.trusted_proxy.header: found ")


@pytest.mark.parametrize(
    ("certificate", "key", "wanted"),
    [
        ("nothing.pem", "rack_key.pem", ["4:1: http.tls_certificate: {}/nothing.pem can't be"]),
        ("rack.pem", "nothing.pem", ["5:1: http.tls_key: {}/nothing.pem can't be read"]),
        ("rack_key.pem", "rack_key.pem", ["4:1: http.tls_certificate: {}/rack_key.pem isn't a"]),
        ("rack.pem", "rack.pem", ["5:1: http.tls_key: {}/rack.pem isn't a private key in PEM"]),
        ("rack.pem", "ended_key.pem", ["5:1: http.tls_key: {}/ended_key.pem isn't the key of"]),
        (
            "recipes",
            "benchd.toml",
            ["4:1: http.tls_certificate: {}/recipes can't", "5:1: http.tls_key: {}/benchd.toml"],
        ),
    ],
)
def test_files_of_tls_are_looked_at(
    folder: Path, certificate: str, key: str, wanted: list[str]
) -> None:
    found = messages(f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n')
    assert len(found) == len(wanted)
    for message, begins in zip(found, wanted, strict=True):
        assert message.startswith(begins.format(folder))


def test_the_proxys_authority_is_looked_at() -> None:
    proxy = 'trusted_proxy = { client_certificate = "rack_key.pem" }\n'
    (message,) = messages(RACK7 + TLS + proxy)
    assert message.startswith("7:19: http.trusted_proxy.client_certificate: ")
    assert "isn't a certificate in PEM" in message


def test_a_certificate_that_has_ended_is_told_but_stops_no_rack() -> None:
    ended = 'tls_certificate = "ended.pem"\ntls_key = "ended_key.pem"\n'
    (message,) = messages(ended)
    assert message.startswith("4:1: http.tls_certificate: ")
    assert "browsers refuse it; renew it" in message
    assert http_of(ended).tls_files is not None


@pytest.mark.as_root
def test_a_key_that_only_benchd_may_read_is_no_mistake() -> None:
    Path("rack_key.pem").chmod(0)
    assert messages(TLS) == []
    if os.getuid() == 0:  # whom no mode keeps out
        Path("rack_key.pem").write_text("")
        assert len(messages(TLS)) == 1


def test_the_pair_is_told_once() -> None:
    with pytest.raises(ConfigInvalid) as invalid:
        http_of('tls_key = 3\ntls_certificate = "rack.pem"\nlisten = "0.0.0.0:1"\n' + BEYOND)
    assert [issue.key for issue in invalid.value.issues] == ["http.tls_key", "http.listen"]
