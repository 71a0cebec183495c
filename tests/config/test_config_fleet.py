"""[fleet]: off unless it names a centre, and every mistake at its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchd.certificate import create_key
from benchd.daemon.rack_fleet import centre_target_of
from tests.config.config_folder import SITE, loaded, mistakes
from tests.web.certificates import Authority

pytestmark = pytest.mark.usefixtures("files")

WHOLE = (
    '[fleet]\nurl = "https://centre.example:8430"\ncentre_key = "centre.pub"\n'
    'certificate = "rack.pem"\nkey = "rack_key.pem"\nauthority = "ca.pem"\n'
)


@pytest.fixture
def files(folder: Path) -> None:
    authority = Authority(folder, "ca")
    authority.issue("rack", client=True)
    authority.issue("other", client=True)
    create_key(folder / "centre")
    shutil.copy(folder / "centre", folder / "private.pem")


def test_nothing_is_sent_unless_a_centre_is_named() -> None:
    for told in ("", WHOLE.replace("url", "# url")):
        assert centre_target_of(loaded(SITE + told).fleet) is None


def test_all_of_a_centre() -> None:
    target = centre_target_of(loaded(f"{SITE}{WHOLE}timeout_s = 7\n").fleet)
    assert target is not None
    assert target.client is not None
    assert target.client.key.name == "rack_key.pem"
    assert target.authority is not None
    assert target.timeout_s == 7
    assert "example" not in repr(target)


def test_the_secret_that_racks_hash_chips_with(folder: Path) -> None:
    assert loaded(SITE + WHOLE).fleet.shared_secret() is None
    (folder / "chips").write_text("0f" * 32)
    fleet = loaded(f'{SITE}{WHOLE}chip_secret = "chips"\n').fleet
    assert fleet.shared_secret() == b"\x0f" * 32


@pytest.mark.parametrize("host", ["127.0.0.1:8430", "[::1]:8430", "localhost"])
def test_to_this_machine_it_may_be_plain(host: str) -> None:
    fleet = loaded(f'{SITE}[fleet]\nurl = "http://{host}"\ncentre_key = "centre.pub"\n').fleet
    assert centre_target_of(fleet) is not None
    assert fleet.client is None


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        (("https://centre", "http://centre"), "fleet.url", "could read the records"),
        (("https://", "https://me:S3CRET@"), "fleet.url", "without a name and password"),
        ((":8430", ":8430/?token=S3CRET"), "fleet.url", "centre's address alone"),
        (("https://", "ftp://"), "fleet.url", "https://"),
        (('centre_key = "centre.pub"\n', ""), "fleet.url", "centre_key is missing"),
        (('"centre.pub"', '"gone"'), "fleet.centre_key", "isn't there or holds no public key"),
        (('"centre.pub"', '"private.pem"'), "fleet.centre_key", "holds no public key"),
        (('certificate = "rack.pem"\n', ""), "fleet.url", "certificate and key are missing"),
        (('key = "rack_key.pem"\n', ""), "fleet.url", "certificate and key are missing"),
        (('"rack.pem"', '"gone"'), "fleet.certificate", "isn't there or can't be used"),
        (('"rack_key.pem"', '"other_key.pem"'), "fleet.certificate", "can't be used"),
        (('"ca.pem"', '"gone"'), "fleet.authority", "isn't there or can't be used"),
        (('"ca.pem"', '"private.pem"'), "fleet.authority", "can't be used"),
        (
            ("authority", 'chip_secret = "gone"\nauthority'),
            "fleet.chip_secret",
            "isn't there or doesn't have 64 hex digits",
        ),
        (
            ("authority", 'chip_secret = "centre.pub"\nauthority'),
            "fleet.chip_secret",
            "doesn't have 64 hex digits",
        ),
        (("authority", "authoriti"), "fleet.authoriti", "unknown key"),
        (("authority", "timeout_s = 121\nauthority"), "fleet.timeout_s", "120"),
    ],
)
def test_mistakes_of_a_centre(change: tuple[str, str], key: str, said: str) -> None:
    changed = WHOLE.replace(*change, 1)
    assert changed != WHOLE
    [(found, message)] = mistakes(SITE + changed)
    assert found == key
    assert said in message
    assert "S3CRET" not in message
