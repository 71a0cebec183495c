"""What stands beside the slots: chip readers, printers of labels, rows of the wall."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.devices.felica.providers import Carrier, ClearRule, kinds
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition
from benchd.domain.printer import CupsQueue, LabelForm, Printer, Raw9100, UsbPrinter
from benchd.domain.wall_plan import WallPlan, rows_of
from tests.config.config_folder import SITE, loaded, messages

pytestmark = pytest.mark.usefixtures("folder")

BASELINE = """\
[[baseline]]
name = "mine"
version = 1
kind = "{kind}"
ic_types = ["1A"]
provenance = "seen on a handset"
[[baseline.system]]
code = "FE00"
nodes = ["0000-FFFE"]
"""


def test_an_installation_offers_no_provider_of_the_virtual_rack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = '[felica.providers.tool]\nkind = "simulated"\n'
    [message] = messages(SITE + config)
    assert "a virtual rack's socket" in message
    monkeypatch.setattr(kinds, "find_spec", lambda _: None)
    [message] = messages(SITE + config)
    assert "allowed is one of external_tool, operator" in message


def test_a_simulated_baseline_is_refused_unless_the_rack_is_virtual() -> None:
    for kind in ("simulated", "observed", "inferred"):
        Path(f"{kind}.toml").write_text(BASELINE.format(kind=kind))
    named = '[felica]\nbaselines = ["{}.toml"]\n'
    for refusing in ("", "accept_simulated = false\n"):
        (message,) = messages(SITE + named.format("simulated") + refusing)
        assert "benchd.toml:4:" in message
        assert "baseline mine is simulated and true of no real chip" in message
    assert loaded(SITE + named.format("simulated") + "accept_simulated = true\n").felica.baselines
    for kind in ("observed", "inferred"):
        assert not messages(SITE + named.format(kind))


def test_a_rack_without_readers_and_providers_has_no_chip_bench() -> None:
    felica = loaded(SITE + "").felica
    assert felica == FelicaSettings(readers={}, providers={})
    assert not felica.is_used


WHOLE = """\
[felica]
pcscd = ["/run/pcscd/pcscd.comm", "two/pcscd.comm"]
[felica.providers.shop]
kind = "operator"
[felica.providers.tool]
kind = "external_tool"
command = ["./tool", "{slot}"]
exit_codes = { 0 = "done" }
[[felica.clear]]
provider = "tool"
carrier = "docomo"
brand = "Sony"
model = "SO-*"
slots = ["A1"]
[[felica.clear]]
provider = "shop"
[slots.A1]
port = "pci-0000:03:00.0-usb-0:1.1"
reader = "usb:1-4.2.3"
[slots.A2]
port = "pci-0000:03:00.0-usb-0:1.2"
reader = "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC]"
[slots.A3]
port = "pci-0000:03:00.0-usb-0:1.3"
"""


def test_a_whole_table_becomes_settings(folder: Path) -> None:
    felica = loaded(SITE + WHOLE).felica
    assert felica.readers == {
        "A1": "usb:1-4.2.3",
        "A2": "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC]",
    }
    assert felica.pcscd == (Path("/run/pcscd/pcscd.comm"), folder / "two" / "pcscd.comm")
    assert felica.rules == (
        ClearRule(
            provider="tool",
            carrier=Carrier.DOCOMO,
            brand="Sony",
            model="SO-*",
            slots=frozenset({SlotName("A1")}),
        ),
        ClearRule(provider="shop"),
    )
    assert sorted(felica.providers) == ["shop", "tool"]
    assert felica.is_used


def test_two_slots_cant_have_one_reader() -> None:
    text = WHOLE.replace('"ACS ACR1252 1S CL Reader [ACR1252 Reader PICC]"', '"usb:1-4.2.3"')
    assert messages(SITE + text) == [
        (
            'benchd.toml:24:1: slots.A2.reader: found "usb:1-4.2.3", which is slot A1\'s in line'
            " 21; allowed is each reader once (name the USB port of readers with one name,"
            ' "usb:1-4.2.3")'
        )
    ]


MISTAKES = """\
[felica]
pcscd = []
baselines = ["missing.toml"]
[felica.providers.shop]
kind = "operater"
[felica.providers.tool]
kind = "external_tool"
command = ["./tool", "{slott}"]
exit_codes = { 0 = "done" }
[felica.providers.tool2]
kind = "external_tool"
command = ["./tool"]
exit_codes = { 0 = "don" }
[felica.providers.nothing]
[[felica.clear]]
provider = "shup"
carrier = "docomoo"
slots = ["A1", "A9"]
[slots.A1]
port = "pci-0000:03:00.0-usb-0:1.1"
reader = "usb:4.2"
"""


def test_every_mistake_is_told_at_its_place() -> None:
    told = messages(SITE + MISTAKES)
    assert [message.partition(", allowed")[0] for message in told] == [
        "benchd.toml:4:1: felica.pcscd: found an array",
        'benchd.toml:7:1: felica.providers.shop.kind: found "operater"',
        (
            "benchd.toml:10:1: felica.providers.tool.command: unknown placeholder {slott} (allowed:"
            " slot, job, manufacturer, model, android, build, serial, imei, consent)"
        ),
        (
            "benchd.toml:15:1: felica.providers.tool2.exit_codes: 0: allowed is one of done,"
            " already_initial, unsupported, needs_operator, retryable, fatal"
        ),
        (
            "benchd.toml:16:19: felica.providers.nothing.kind: is required and missing;"
            " add the key kind"
        ),
        'benchd.toml:18:1: felica.clear[1].provider: found "shup"',
        'benchd.toml:19:1: felica.clear[1].carrier: found "docomoo"',
        'benchd.toml:20:16: felica.clear[1].slots[2]: found "A9"',
        'benchd.toml:23:1: slots.A1.reader: found "usb:4.2"',
    ]
    assert 'did you mean "operator"?' in told[1]
    assert 'did you mean "shop"?' in told[5]
    assert 'did you mean "docomo"?' in told[6]


def test_no_provider_takes_the_name_that_a_handsets_own_erase_goes_by() -> None:
    (told,) = messages(SITE + '[felica.providers.handset]\nkind = "operator"\n')
    assert told == (
        'benchd.toml:3:19: felica.providers.handset: found "handset", which stands for handsets'
        " that erase their own chip; allowed is any other name"
    )


def test_a_baseline_that_cant_be_read_or_has_a_mistake_is_told(folder: Path) -> None:
    (missing,) = messages(SITE + '[felica]\nbaselines = ["missing.toml"]\n')
    assert missing.startswith("benchd.toml:4:1: felica.baselines: ")
    assert "missing.toml" in missing
    (folder / "mine.toml").write_text("version = 7\n")
    told = messages(SITE + '[felica]\nbaselines = ["mine.toml"]\n')
    assert told
    assert all("mine.toml" in message for message in told)


@pytest.mark.parametrize("felica", ["felica = 1", "felica = { providers = 1, clear = 2 }"])
def test_tables_of_the_wrong_shape_are_told_and_break_nothing(felica: str) -> None:
    assert messages(f"{felica}\n{SITE}")


SLOTS = "".join(
    f'[slots.{name}]\nport = "usb-0:{number}"\n'
    for number, name in enumerate(("A1", "A2", "B1", "B2"), 1)
)


def with_printers(*printers: str) -> str:
    return SITE + SLOTS + "".join(f"[[printers]]\n{printer}\n" for printer in printers)


def test_nothing_is_printed_unless_it_is_configured() -> None:
    assert loaded(with_printers()).printers == ()


def test_each_way_to_a_printer(folder: Path) -> None:
    told = loaded(
        with_printers(
            'name = "till"\nkind = "raw9100"\nhost = "printer.lan"\n'
            'auto = ["sellable", "destroy"]\ndpi = 300\nlanguage = "en"\nwidth_mm = 50\n'
            'height_mm = 25.4\nslots = ["A2"]',
            'name = "back"\nkind = "cups"\nqueue = "zebra"',
            'name = "usb"\nkind = "usb"\ndevice = "/dev/usb/lp0"',
        )
    ).printers
    assert told == (
        Printer(
            name="till",
            at=Raw9100(host="printer.lan"),
            form=LabelForm(width_mm=50, height_mm=25.4, dpi=300, language="en"),
            auto=frozenset({Disposition.SELLABLE, Disposition.DESTROY}),
            slots=frozenset({SlotName("A2")}),
        ),
        Printer(name="back", at=CupsQueue(queue="zebra"), form=LabelForm()),
        Printer(name="usb", at=UsbPrinter(device=Path("/dev/usb/lp0")), form=LabelForm()),
    )
    assert told[0].prints_for(SlotName("A2"))
    assert not told[0].prints_for(SlotName("A1"))
    assert told[1].prints_for(SlotName("A1"))


def test_paper_is_no_wider_than_it_is() -> None:
    form = LabelForm(width_mm=62, height_mm=40, dpi=203)
    assert (form.width_dots, form.height_dots) == (495, 319)
    assert form.width_dots / 203 * 25.4 <= 62


@pytest.mark.parametrize(
    ("printer", "told"),
    [
        ('name = "a"\nkind = "raw9100"', "is reached by its host: add host"),
        ('name = "a"\nkind = "cups"\nhost = "x"', "is reached by its queue: add queue"),
        ('name = "a"\nkind = "usb"\ndevice = "/x"\nqueue = "q"', "has no queue; remove it"),
        ('name = "a"\nkind = "cups"\nqueue = "-o x"', "allowed is the name of a queue"),
        ('name = "a"\nkind = "fax"', "allowed is one of raw9100, cups, usb"),
        ('name = "a"', "is required and missing; add the key kind"),
        ('name = "a b"\nkind = "cups"\nqueue = "q"', "allowed as a printer's name are"),
        ('name = "a"\nkind = "cups"\nqueue = "q"\ndpi = 250', "found 250, allowed are 203"),
        ('name = "a"\nkind = "cups"\nqueue = "q"\nwidth_mm = 20', "allowed is at least 40"),
        (
            'name = "a"\nkind = "cups"\nqueue = "q"\nauto = ["sold"]',
            "allowed is one of sellable, return, hold, destroy",
        ),
        (
            'name = "a"\nkind = "cups"\nqueue = "q"\nslots = ["a1"]',
            'found "a1", which is no slot; allowed are the names under [slots]; did you mean "A1"?',
        ),
        ('name = "a"\nkind = "cups"\nqueue = "q"\nport = 0', "allowed is at least 1"),
        ('name = "a"\nkind = "cups"\nqueue = "q"\nwide = 1', "unknown key"),
    ],
)
def test_mistakes_of_a_printer_are_told_at_their_place(printer: str, told: str) -> None:
    found = messages(with_printers(printer))
    assert len(found) == 1
    assert told in found[0]
    assert "printers[a" in found[0] or 'printers["a b"]' in found[0]


def test_two_printers_have_two_names() -> None:
    one = 'name = "a"\nkind = "cups"\nqueue = "q"'
    found = messages(with_printers(one, one))
    assert len(found) == 1
    assert 'found "a", which is another printer in line' in found[0]


def with_wall(wall: str) -> str:
    return f"{SITE}[wall]\n{wall}\n{SLOTS}"


def test_rows_are_taken_as_they_are_written_and_the_names_tell_of_the_rest() -> None:
    told = loaded(with_wall('rows = [["A1", "", "A2"], ["B1", "B2"]]\nscan_prefix = "~"')).wall
    assert told == WallPlan(rows=(("A1", "", "A2"), ("B1", "B2")), scan_prefix="~")
    assert loaded(with_wall('rows = [["B2", "B1"]]')).wall.rows == (("B2", "B1"), ("A1", "A2"))
    assert loaded(with_wall("")).wall.rows == (("A1", "A2", "B1", "B2"),)


def test_mistakes_of_rows_are_told_at_their_place() -> None:
    assert messages(with_wall('rows = [["A1", "a2"],\n["A1"]]')) == [
        (
            'benchd.toml:4:16: wall.rows[1][2]: found "a2", which is no slot; allowed are'
            ' the names under [slots] and "" for a gap; did you mean "A2"?'
        ),
        (
            'benchd.toml:5:2: wall.rows[2][1]: found "A1", which stands in row 1 already;'
            " allowed is each slot once"
        ),
    ]


@pytest.mark.parametrize(
    "wall",
    [
        'rows = ["A1"]',
        "rows = [[1]]",
        'rows = [["A 1"]]',
        'scan_prefix = "123456789"',
        'scan_prefix = "あ"',
        'row = [["A1"]]',
    ],
)
def test_what_is_no_plan_is_refused(wall: str) -> None:
    assert messages(with_wall(wall))


@pytest.mark.parametrize(
    ("names", "widths"),
    [
        ([], []),
        ([f"A{n}" for n in range(1, 9)], [4, 4]),
        ([f"S{n:02}" for n in range(1, 29)], [8, 8, 8, 4]),
        ([f"{row}{n}" for row in "ABCDEFGH" for n in range(1, 9)], [8] * 8),
        ([f"{row}{n}" for row in "AB" for n in range(1, 7)] + ["tray"], [6, 6, 1]),
    ],
)
def test_names_of_a_shelf_are_a_row(names: list[str], widths: list[int]) -> None:
    rows = rows_of(names)
    assert [len(row) for row in rows] == widths
    assert [name for row in rows for name in row] == names
