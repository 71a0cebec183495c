"""The printers of labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import Settings, load_settings
from benchd.daemon.config_check import check_config
from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition
from benchd.papers.labels.printer import CupsQueue, LabelForm, Printer, Raw9100, UsbPrinter
from tests.config.test_config_felica import RECIPE, SITE

SLOTS = '[slots.A1]\nport = "usb-0:1"\n[slots.A2]\nport = "usb-0:2"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "overwrite.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*printers: str) -> Path:
    tables = "".join(f"[[printers]]\n{printer}\n" for printer in printers)
    Path("benchd.toml").write_text(f"{SITE}{SLOTS}{tables}")
    return Path("benchd.toml")


def messages(*printers: str) -> list[str]:
    return [str(issue).partition("benchd.toml:")[2] for issue in check_config(write(*printers))]


def loaded(*printers: str) -> Settings:
    return load_settings(write(*printers))


def test_nothing_is_printed_unless_it_is_configured() -> None:
    assert loaded().printers == ()


def test_each_way_to_a_printer(folder: Path) -> None:
    told = loaded(
        'name = "till"\nkind = "raw9100"\nhost = "printer.lan"\nauto = ["sellable", "destroy"]\n'
        'dpi = 300\nlanguage = "en"\nwidth_mm = 50\nheight_mm = 25.4\nslots = ["A2"]',
        'name = "back"\nkind = "cups"\nqueue = "zebra"',
        'name = "usb"\nkind = "usb"\ndevice = "/dev/usb/lp0"',
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
def test_mistakes_are_told_at_their_place(printer: str, told: str) -> None:
    found = messages(printer)
    assert len(found) == 1
    assert told in found[0]
    assert "printers[a" in found[0] or 'printers["a b"]' in found[0]


def test_two_printers_have_two_names() -> None:
    one = 'name = "a"\nkind = "cups"\nqueue = "q"'
    found = messages(one, one)
    assert len(found) == 1
    assert 'found "a", which is another printer in line' in found[0]
