"""A reload takes over what can change, names what can't, and refuses what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from benchd.config import Settings, load_settings
from benchd.daemon.reload import Reloader
from benchd.devices.felica.providers import kinds
from benchd.domain.models.model_catalogue import NOTHING_READ, ModelCatalogue
from benchd.observe.notify_socket import Notifier
from tests.config.config_folder import RECIPE

pytestmark = pytest.mark.asyncio

CONFIG = """\
[site]
name = "店"

[rack]
settle_s = 2.0

[slots.A1]
port = "pci-0000:00:14.0-usb-0:1"
"""


class ListeningNotifier(Notifier):
    """A fake that keeps what systemd would hear."""

    def __init__(self) -> None:
        super().__init__(None)
        self.told: list[str] = []

    def ready(self) -> None:
        self.told.append("ready")

    def reloading(self) -> None:
        self.told.append("reloading")


class Rig:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "benchd.toml"
        self.recipe = folder / "recipes" / "overwrite.toml"
        self.recipe.parent.mkdir()
        self.recipe.write_text(RECIPE)
        self.file.write_text(CONFIG)
        self.applied: list[Settings] = []
        self.notifier = ListeningNotifier()
        self.reloader = Reloader(
            load_settings(self.file),
            read=lambda: load_settings(self.file),
            apply=self.apply,
            notifier=self.notifier,
        )

    async def apply(self, settings: Settings) -> None:
        self.applied.append(settings)

    async def reload(self, text: str) -> Sequence[tuple[str, object]]:
        self.file.write_text(text)
        with capture_logs() as logs:
            await self.reloader.reload()
        return [(str(line["event"]), line.get("name")) for line in logs]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_slots_recipes_and_timing_are_taken_over(rig: Rig) -> None:
    before = load_settings(rig.file)
    rig.recipe.write_text(RECIPE.replace("60", "90"))
    more = '\n[slots.A2]\nport = "pci-0000:00:14.0-usb-0:2"\n'
    assert await rig.reload(CONFIG.replace("2.0", "3.0") + more) == []
    (settings,) = rig.applied
    assert list(settings.topology.places) == ["A1", "A2"]
    assert settings.timing.debounce_s == 3.0
    assert settings.recipes["overwrite"].digest != before.recipes["overwrite"].digest


async def test_the_walls_rows_are_taken_over(rig: Rig) -> None:
    await rig.reload(CONFIG + '[wall]\nrows = [["", "A1"]]\nscan_prefix = "~"\n')
    (applied,) = rig.applied
    assert (applied.wall.rows, applied.wall.scan_prefix) == ((("", "A1"),), "~")


async def test_the_catalogue_of_models_is_taken_over(rig: Rig) -> None:
    assert await rig.reload(CONFIG + "\n[models]\nshipped = false\n") == []
    (settings,) = rig.applied
    assert settings.models == ModelCatalogue()
    assert load_settings(rig.file).models.sha256 == NOTHING_READ


async def test_every_mistake_is_logged_and_the_old_configuration_kept(rig: Rig) -> None:
    wrong = CONFIG.replace("2.0", '"two"') + 'recipe = "overwrit"\nrecepie = "x"\n'
    rig.recipe.write_text(RECIPE.replace("60", "-1"))
    told = await rig.reload(wrong)
    assert sorted(told) == [
        ("config_mistake", "rack.settle_s"),
        ("config_mistake", "slots.A1.recepie"),
        ("config_mistake", "slots.A1.recipe"),
        ("config_mistake", "stage[inspect].deadline_s"),
        ("config_refused", None),
    ]
    assert rig.applied == []
    rig.file.unlink()
    with capture_logs() as logs:
        await rig.reloader.reload()
    assert [line["event"] for line in logs] == ["config_mistake", "config_refused"]
    assert rig.applied == []


async def test_what_needs_a_restart_or_is_read_no_more_is_named_every_time(rig: Rig) -> None:
    changed = CONFIG.replace("店", "別の店") + (
        '[ledger]\npath = "other.sqlite"\n[http]\nlisten = "127.0.0.1:9000"\n'
        '[adb]\nsocket = "adb.sock"\n'
    )
    places = ("site.name", "adb.socket", "ledger.path", "http.listen")
    needed = [("config_needs_restart", place) for place in places]
    for text, told in (
        (changed, needed),
        (changed, needed),
        (CONFIG, []),
        (CONFIG + "[adb]\nport = 15037\n", [("config_key_retired", "adb.port")]),
        (CONFIG + "[adb]\nport = 15037\n", [("config_key_retired", "adb.port")]),
        (CONFIG, []),
    ):
        assert await rig.reload(text) == told
    # And isn't taken over.
    assert [str(settings.http.listen) for settings in rig.applied] == ["127.0.0.1:8420"] * 6
    assert {settings.adb.socket for settings in rig.applied} == {None}


async def test_readers_and_providers_need_a_restart_and_are_quiet_if_nothing_changed(
    rig: Rig,
) -> None:
    felica = CONFIG + '\n[felica.providers.kiosk]\nkind = "operator"\n'
    assert await rig.reload(felica) == [("config_needs_restart", "felica.providers")]
    rig.reloader._settings = load_settings(rig.file)
    assert await rig.reload(felica) == []
    with_reader = felica.replace("[slots.A1]\n", '[slots.A1]\nreader = "Some Reader 00 00"\n')
    assert await rig.reload(with_reader) == [("config_needs_restart", "felica.readers")]


async def test_systemd_hears_when_a_reload_begins_and_ends_even_if_it_is_refused(
    rig: Rig,
) -> None:
    rig.file.write_text("not TOML")
    applied = anyio.Event()

    async def apply(_settings: Settings) -> None:
        applied.set()

    rig.reloader._apply = apply
    async with anyio.create_task_group() as group:
        group.start_soon(rig.reloader.run)
        rig.reloader.ask()
        with anyio.fail_after(30):
            while rig.notifier.told != ["reloading", "ready"]:
                await anyio.lowlevel.checkpoint()
        rig.file.write_text(CONFIG)
        rig.reloader.ask()
        rig.reloader.ask()
        with anyio.fail_after(30):
            await applied.wait()
        group.cancel_scope.cancel()


class Plugin:
    """A fake entry point of a package that somebody else has written."""

    name = "kiosk"

    def __init__(self, raises: BaseException) -> None:
        self._raises = raises

    def load(self) -> Callable[..., object]:
        def factory(*_: object) -> object:
            raise self._raises

        return factory


@pytest.mark.parametrize(
    "raises", [RuntimeError("no kiosk"), KeyError("x"), SystemExit(3), MemoryError()], ids=repr
)
async def test_a_plug_in_that_breaks_on_a_reload_is_a_mistake_in_the_configuration(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, raises: BaseException
) -> None:
    monkeypatch.setattr(kinds.metadata, "entry_points", lambda **_: [Plugin(raises)])
    told = await rig.reload(CONFIG + '\n[felica.providers.k]\nkind = "kiosk"\n')
    assert told == [("config_mistake", "felica.providers.k"), ("config_refused", None)]
    assert not rig.applied


async def test_a_reload_that_blows_up_leaves_the_former_configuration(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Settings:
        raise RuntimeError("a mistake of benchd's own")

    monkeypatch.setattr(rig.reloader, "_read", broken)
    told = await rig.reload(CONFIG)
    assert told == [("config_refused", None)]
    assert not rig.applied
