"""What `benchd slots learn` changes in a file, and what it leaves."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.config.file_replacement import replace_file
from benchd.config.slot_config_edit import SlotEntry, with_slots
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import PortPath, SlotName

A1, A2 = SlotName("A1"), SlotName("A2")
PORT = PortPath("pci-0000:03:00.0-usb-0:1.4")
BOTH = SlotEntry(port=PORT, reader="usb:1-4.2")

WHOLE = """\
# The head.
[site]   # who
name = "Example"

[slots.A1]  # left
# the hub's first
port = "old"   # moved in May
recipe = "overwrite"

[felica]
accept_simulated = false # stays

# The tail.
"""


def test_only_what_was_learned_changes_and_every_comment_stays() -> None:
    changed = with_slots(WHOLE, {A1: BOTH})
    expected = WHOLE.replace('"old"', f'"{PORT}"').replace(
        'recipe = "overwrite"\n', 'recipe = "overwrite"\nreader = "usb:1-4.2"\n'
    )
    assert changed == expected
    changed = with_slots(WHOLE, {A2: BOTH})
    assert [line for line in WHOLE.splitlines() if line not in changed.splitlines()] == []
    assert tomllib.loads(changed)["slots"] == {
        "A1": {"port": "old", "recipe": "overwrite"},
        "A2": {"port": PORT, "reader": "usb:1-4.2"},
    }


def test_a_file_without_slots_gets_them_at_its_end() -> None:
    shipped = Path(__file__).parents[2] / "configs" / "benchd.toml"
    text = shipped.read_text("utf-8")
    changed = with_slots(text, {A1: BOTH, A2: SlotEntry(port=PortPath("other"))})
    assert changed.startswith(text.rstrip("\n"))
    assert tomllib.loads(changed)["slots"] == {
        "A1": {"port": PORT, "reader": "usb:1-4.2"},
        "A2": {"port": "other"},
    }


@pytest.mark.parametrize("text", [WHOLE, '[site]\nname = "E"', "", "[slots]\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_and_the_mark_of_windows_stay(text: str, mark: str, newline: str) -> None:
    before = mark + text.replace("\n", newline)
    changed = with_slots(before, {A1: BOTH})
    assert changed.startswith(mark)
    assert changed.count("\ufeff") == len(mark)
    assert changed.count("\r\n") == (changed.count("\n") if "\r\n" in before else 0)
    assert with_slots(changed, {A1: BOTH}) == changed
    assert with_slots(before, {A1: SlotEntry()}) == before


@pytest.mark.parametrize(
    "text",
    [
        '[slots]\nA1 = { port = "old" }\n',
        '[slots]\nA1.port = "old"\n[site]\nname = "E"\n',
        'slots.A1.port = "old"\n',
        '["slots"."A1"]\n"port" = \'old\'\n',
        '[slots.A1]\nport = "old"\n[site]\nname = "E"\n[slots.B1]\nport = "b"\n',
    ],
)
def test_other_ways_to_write_slots_are_changed_rightly(text: str) -> None:
    wanted = tomllib.loads(text)
    wanted["slots"]["A1"]["port"] = PORT
    wanted["slots"]["A2"] = {"port": "two"}
    learned = {A1: SlotEntry(port=PORT), A2: SlotEntry(port=PortPath("two"))}
    assert tomllib.loads(with_slots(text, learned)) == wanted


def test_what_cannot_be_changed_is_refused_with_the_lines_to_write() -> None:
    for text in ('slots = "none"\n', 'slots = { B1 = { port = "b" } }\n'):
        with pytest.raises(UsageRefused, match=r"(?s)write them yourself.*\[slots\.A1\]\nport = "):
            with_slots(text, {A1: BOTH})


NAMES = st.sampled_from(["A1", "A2", "B-1", "c_3"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)


@given(
    before=st.dictionaries(NAMES, st.fixed_dictionaries({"port": TEXTS, "recipe": TEXTS})),
    learned=st.dictionaries(NAMES, st.builds(SlotEntry, port=TEXTS, reader=TEXTS | st.none())),
    between=st.sampled_from(["", "# a comment\n", "[felica]\nbaselines = []\n", "\n\n"]),
)
def test_whatever_is_learned_the_file_says_that_and_all_it_said(
    before: dict[str, dict[str, str]], learned: dict[SlotName, SlotEntry], between: str
) -> None:
    text = '[site]\nname = "E" # e\n'
    for place, (name, keys) in enumerate(before.items()):
        lines = "\n".join(f"{key} = {_quoted(value)}" for key, value in keys.items())
        text += f"[slots.{name}]\n{lines}\n{between if place == 0 else ''}"
    changed = with_slots(text, learned)
    wanted = tomllib.loads(text)
    for name, entry in learned.items():
        wanted.setdefault("slots", {}).setdefault(name, {}).update(entry.keys())
    assert tomllib.loads(changed) == wanted
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in changed.splitlines() if line.startswith("#")
    ]
    assert 'name = "E" # e' in changed


def _quoted(value: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08X}" for c in value) + '"'


def test_a_file_is_replaced_whole_with_its_rights(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "benchd.toml"
    link.symlink_to(real)
    replace_file(link, b"old", b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o7777 == 0o640
    assert sorted(tmp_path.iterdir()) == [link, real]


def test_a_write_that_fails_or_isnt_ours_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "benchd.toml"
    file.write_bytes(b"theirs")
    with pytest.raises(UsageRefused, match="somebody else"):
        replace_file(file, b"old", b"new")
    assert file.read_bytes() == b"theirs"
    file.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageRefused, match="No space left"):
        replace_file(file, b"old", b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(UsageRefused, match="can't be written"):
        replace_file(tmp_path / "none.toml", b"old", b"new")
