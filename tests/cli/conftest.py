"""Commands talk to the daemon's API: the same application on fakes as in tests/web."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from benchd.certificate import create_key
from benchd.daemon import rack_people
from benchd.people.person_secrets import Secrets
from benchd.texts.catalogue import Catalogue
from tests.cli.shop import Shop
from tests.people.people_rig import CHEAP
from tests.web.conftest import app, catalogue, japan, rack, server
from tests.web.web_fakes import FakeRack

__all__ = ["app", "catalogue", "japan", "rack", "server"]

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def a_pin_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a try costs is tested in tests/people."""
    monkeypatch.setattr(rack_people, "Secrets", partial(Secrets, cost=CHEAP))


@pytest.fixture
def shop(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> Shop:
    return Shop(rack, catalogue, tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose files all lie here, and whose daemon doesn't run."""
    shutil.copytree(CONFIGS / "recipes", tmp_path / "recipes")
    create_key(tmp_path / "key.pem")
    file = tmp_path / "benchd.toml"
    file.write_text(
        f'[site]\nname = "店"\n[ledger]\npath = "{tmp_path}/ledger.sqlite"\n'
        f'[certificate]\nkey = "{tmp_path}/key.pem"\ndirectory = "{tmp_path}/certificates"\n'
        f'[adb]\nhome = "{tmp_path}/adb"\n[http]\nsocket = "{tmp_path}/benchd.sock"\n'
    )
    return file
