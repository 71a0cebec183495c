from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import load_settings
from benchd.daemon.config_check import check_config
from benchd.domain.errors import ConfigInvalid
from tests.config.config_folder import RECIPE, SITE, loaded, messages

pytestmark = pytest.mark.usefixtures("folder")

FIVE_MISTAKES = """\
[site]
name = "Example"

[rack]
settle_s = "2"
recipe = "overwrote"

[adb]
soket = "adb.sock"
home = 3

[slots.A1]
port = "pci-0000:03:00.0-usb-0:1.1"
[slots.A2]
port = "pci-0000:03:00.0-usb-0:1.1"
"""


def test_five_mistakes_are_told_at_once() -> None:
    assert messages(FIVE_MISTAKES) == [
        'benchd.toml:5:1: rack.settle_s: found "2", allowed is a number',
        (
            'benchd.toml:6:1: rack.recipe: found "overwrote", allowed is one of the recipes that'
            ' there are: overwrite; did you mean "overwrite"?'
        ),
        (
            'benchd.toml:9:1: adb.soket: unknown key; did you mean "socket"?'
            " (allowed here: server, path, socket, home, streams_per_bus)"
        ),
        "benchd.toml:10:1: adb.home: found 3, allowed is a path in quotes",
        (
            'benchd.toml:15:1: slots.A2.port: found "pci-0000:03:00.0-usb-0:1.1", which is slot A1'
            " in line 13; allowed is each port once"
        ),
    ]
    with pytest.raises(ConfigInvalid) as caught:
        loaded(FIVE_MISTAKES)
    assert [issue.line for issue in caught.value.issues] == [5, 6, 9, 10, 15]
    assert caught.value.exit_code == 2


def test_mistakes_of_all_files_are_told_together(folder: Path) -> None:
    (folder / "recipes" / "overwrite.toml").write_text(
        RECIPE.replace("deadline_s = 60", "deadline_s = 0\ndead_line = 1")
    )
    (folder / "recipes" / "broken.toml").write_text('name = "broken"\nname = 2\n')
    text = '[slots.A1]\nport = "usb-0:1"\nrecipe = "broken"\n[site]\nnam = "x"\n'
    assert messages(text) == [
        "benchd.toml:4:2: site.name: is required and missing; add the key name",
        (
            'benchd.toml:5:1: site.nam: unknown key; did you mean "name"?'
            " (allowed here: name, address)"
        ),
        "recipes/broken.toml:2:9: syntax: Cannot overwrite a value",
        "recipes/overwrite.toml:7:1: stage[inspect].deadline_s: found 0, allowed is more than 0",
        (
            "recipes/overwrite.toml:8:1: stage[inspect].dead_line: unknown key; did you mean"
            ' "deadline_s"? (allowed here: name, deadline_s, attempts)'
        ),
    ]


def test_a_rack_without_slots_is_no_mistake() -> None:
    assert messages("\ufeff" + SITE) == []  # nor is a byte order mark
    settings = loaded(SITE)
    assert settings.topology.places == {}
    assert settings.timing.debounce_s == 2.0
    assert settings.adb.server_socket == Path("/run/benchd/adb.sock")
    assert settings.adb.streams_per_bus == 4
    assert str(settings.http.listen) == "127.0.0.1:8420"
    assert list(settings.recipes) == ["overwrite"]
    assert settings.recipe_descriptions["overwrite"].ja == "調べる"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("", "/run/benchd/adb.sock"),
        ('server = "external"', "/run/benchd-adb/adb.sock"),
        ('server = "external"\nsocket = "/srv/adb.sock"', "/srv/adb.sock"),
    ],
)
def test_the_adb_server_is_where_its_unit_makes_its_socket_or_where_it_is_said(
    lines: str, place: str
) -> None:
    settings = loaded(f"{SITE}[adb]\n{lines}\n")
    assert settings.adb.server_socket == Path(place)
    assert settings.retired == ()


@pytest.mark.parametrize("port", ["15037", "5037", "16000", '"15037"'])
def test_the_port_of_an_older_configuration_has_no_effect_and_is_told_with_its_cure(
    port: str,
) -> None:
    text = f'{SITE}[adb]\nserver = "external"\nport = {port}\n'
    settings = loaded(text)
    assert settings.adb.server_socket == Path("/run/benchd-adb/adb.sock")
    (told,) = settings.retired
    assert str(told).startswith("benchd.toml:5:1: adb.port: has no effect any more")
    for cure in ("delete this line", "adb.socket"):
        assert cure in told.message
    assert messages(text) == []


def test_slots_take_the_racks_recipe_unless_they_name_their_own(folder: Path) -> None:
    (folder / "recipes" / "look.toml").write_text(RECIPE.replace("overwrite", "look"))
    settings = loaded(
        SITE + '[slots]\nA1.port = "usb-0:1"\nA2.port = "usb-0:2"\nA2.recipe = "look"\n'
    )
    places = settings.topology.places
    assert [
        (name, place.name, place.port_path, place.recipe) for name, place in places.items()
    ] == [
        ("A1", "A1", "usb-0:1", "overwrite"),
        ("A2", "A2", "usb-0:2", "look"),
    ]


def test_relative_paths_start_at_the_file_and_a_bare_program_at_path(folder: Path) -> None:
    text = (
        SITE + '[adb]\npath = "{}"\nhome = "keys"\n'
        '[recipes]\ndirectory = "policy"\n[certificate]\nkey = "/k.pem"\n'
    )
    inner = folder / "etc"
    inner.mkdir()
    (folder / "recipes").rename(inner / "policy")
    (inner / "benchd.toml").write_text(text.format("bin/adb"))
    settings = load_settings(Path("etc/benchd.toml"))
    assert settings.adb.path == str(inner / "bin/adb")
    assert settings.adb.home == inner / "keys"
    assert settings.certificate.key == Path("/k.pem")
    (inner / "benchd.toml").write_text(text.format("adb"))
    assert load_settings(Path("etc/benchd.toml")).adb.path == "adb"
    (inner / "policy" / "overwrite.toml").write_text("")
    assert check_config(Path("etc/benchd.toml"))[0].file == "etc/policy/overwrite.toml"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b'[site]\nname = "\x8e\x91"\n', "2:9: file: byte 0x8e isn't UTF-8"),
        ('\ufeff[site]\nname = "日本\udc8e'.encode(errors="surrogateescape"), "2:11: file: byte"),
        ('[site]\r\nname = "a"\r\nname = 2\r\n', "3:9: syntax: Cannot overwrite a value"),
        ('[site]\nname = "a', "2:9: syntax: Unterminated string"),
        ("[site]\nname = 2026-02-30\n", "2:8: syntax: Invalid date"),
        ("a = " + "9" * 5000, "1:1: syntax: Exceeds the limit"),
        ("a = " + "[" * 20_000, "1:1: syntax: "),
        ("", "1:1: site: is required and missing; add the table site"),
        ("[slots]\n\n# end\n", "3:1: site: is required and missing"),
        ("site = 3\n", "1:1: site: found 3, allowed is a table"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_place(content: str | bytes, wanted: str) -> None:
    (message,) = messages(content)
    assert message.startswith(f"benchd.toml:{wanted}")


def test_files_that_are_not_there(folder: Path) -> None:
    (issue,) = check_config(Path("missing.toml"))
    assert str(issue).startswith("missing.toml:1:1: file: doesn't exist; correct the path")
    (issue,) = check_config(Path("recipes"))
    assert "is a directory; give the path of a file" in issue.message
    (message,) = messages('[site]\nname = "a"\n[recipes]\ndirectory = "policy"\n')
    assert message == (
        "benchd.toml:4:1: recipes.directory: the directory policy doesn't exist;"
        " correct the path, or start from the examples in configs/"
    )
    (folder / "empty").mkdir()
    assert messages('[site]\nname = "a"\n[recipes]\ndirectory = "empty"\n') == [
        (
            'benchd.toml:4:1: rack.recipe: found "overwrite", allowed is one of the recipes that'
            " there are: none"
        )
    ]


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ("[adb]\nsocket = 15037", "4:1: adb.socket: found 15037, allowed is a path in quotes"),
        (f"[adb]\nsocket = '/{'x' * 107}'", "4:1: adb.socket: found a path of 108 bytes, allowed"),
        (
            "[adb]\nstreams_per_bus = 0",
            "4:1: adb.streams_per_bus: found 0, allowed is at least 1",
        ),
        ("[adb]\nhome = 3", "4:1: adb.home: found 3, allowed is a path in quotes"),
        ("[ledger]\npath = ''", '4:1: ledger.path: found "", allowed is a path in quotes'),
        ("[rack]\nsettle_s = nan", "4:1: rack.settle_s: found nan, allowed is a finite number"),
        ("[rack]\nsettle_s = 0", "4:1: rack.settle_s: found 0, allowed is more than 0"),
        ("[http]\nlisten = 'localhost:1'", '4:1: http.listen: found "localhost:1", allowed is an'),
        ("[http]\nlisten = '::1:80'", '4:1: http.listen: found "::1:80", allowed is an IP'),
        ("[http]\nlisten = '127.0.0.1:0'", '4:1: http.listen: found "127.0.0.1:0", allowed is'),
        ("[http]\nlisten = '0.0.0.0:80'", '4:1: http.listen: found "0.0.0.0:80", which other'),
        (f"[http]\nsocket = '/{'a' * 107}'", "4:1: http.socket: found a path of 108 bytes"),
        ("[recipes]\ndirectory = 1", "4:1: recipes.directory: found 1, allowed is a path"),
        ("[slot.A1]\nport = 'usb-0:1'", '3:2: slot: unknown key; did you mean "slots"?'),
        ("[slots]\nA1 = 'usb-0:1'", '4:1: slots.A1: found "usb-0:1", allowed is a table'),
        ("[slots.A1]", "3:8: slots.A1.port: is required and missing; add the key port"),
        ("[slots.'A 1']\nport = 'usb-0:1'", '3:8: slots."A 1": found "A 1", allowed as a slot'),
        (f"[slots.{'A' * 17}]\nport = 'usb-0:1'", f'3:8: slots.{"A" * 17}: found "{"A" * 17}"'),
        (
            "[slots.A1]\nport = 'pci-0000:03:00.0-usb-0:1.4:1.0'",
            (
                '4:1: slots.A1.port: found "pci-0000:03:00.0-usb-0:1.4:1.0", the ID_PATH of an'
                " interface; allowed is the device's: pci-0000:03:00.0-usb-0:1.4;"
            ),
        ),
        ("[slots.A1]\nport = '1-1.4'", '4:1: slots.A1.port: found "1-1.4", the kernel\'s name'),
        ("[slots.A1]\nport = ''", '4:1: slots.A1.port: found "", allowed is the ID_PATH'),
        ("[slots.A1]\nport='usb-0:1'\nrecipe=1", "5:1: slots.A1.recipe: found 1, allowed is text"),
    ],
)
def test_one_mistake_is_one_message(table: str, wanted: str) -> None:
    (message,) = messages(f"{SITE}{table}\n")
    assert message.startswith(f"benchd.toml:{wanted}")


def test_a_hostile_value_stays_short_and_printable() -> None:
    text = '[site]\nname = "Example"\n"\\u001b[2J{0}" = 1\n[rack]\nrecipe = "\\u001b[2J{0}{{0}}"\n'
    for message in messages(text.format("x" * 500)):
        assert message.isprintable()
        assert len(message) < 250


@pytest.mark.parametrize("value", ["0", "6001", "true", "1.5", '"120"'])
def test_how_often_a_token_may_ask(value: str) -> None:
    assert loaded(SITE).tokens.per_minute == 120
    assert loaded(f"{SITE}[tokens]\nper_minute = 6000\n").tokens.per_minute == 6000
    [told] = messages(f"{SITE}[tokens]\nper_minute = {value}\n")
    assert "tokens.per_minute" in told


def test_no_place_is_looked_for_where_there_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        pytest.fail("looked for places")

    monkeypatch.setattr("benchd.config.parsed_toml.locate", refuse)
    assert loaded(SITE).models.models
