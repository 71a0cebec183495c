"""What `benchd felica scan` prints for people: one language, nothing hostile, nothing too green."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from benchd.cli.felica_commands import chips_view, exit_code
from benchd.domain.plain_text import Language
from benchd.texts.catalogue import Catalogue

HOSTILE = "\x1b[2J[bold green]\u202eerased\x00" + "A" * 9999


def told(verdict: str | None, **more: object) -> dict[str, object]:
    return {
        "slots": [
            {
                "slot": "A1",
                "verdict": verdict,
                "detail": HOSTILE,
                "owners_en": ["Suica", HOSTILE],
                "owners_ja": ["交通系ICカード", HOSTILE],
                "text": {
                    "ja": "残っています",
                    "en": "left",
                    "what_to_do": {"ja": "消去", "en": "clear"},
                },
                **more,
            }
        ]
    }


def printed(verdict: str | None, language: Language, *, colour: bool = False) -> str:
    output = StringIO()
    console = Console(
        file=output,
        width=100,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
    )
    console.print(chips_view(told(verdict), Catalogue.load(), language))  # pyright: ignore[reportArgumentType]
    return output.getvalue()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_strings_from_a_chip_neither_steer_the_terminal_nor_fill_it(language: Language) -> None:
    text = printed("in_use", language)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert len(text.splitlines()) < 30
    assert ("残っています" in text) == (language == "ja")


def test_no_look_at_a_chip_is_green() -> None:
    for verdict in ("unused", "in_use", None):
        assert "\x1b[32m" not in printed(verdict, "en", colour=True)
        assert "1;32" not in printed(verdict, "en", colour=True)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["unused", "unused"], 0),
        (["unused", "in_use"], 1),
        (["silent"], 1),
        (["no_chip"], 1),
        (["unused", None], 3),
        ([], 1),
    ],
)
def test_only_chips_that_were_all_found_unused_exit_with_zero(
    verdicts: list[str | None], code: int
) -> None:
    assert exit_code({"slots": [{"verdict": verdict} for verdict in verdicts]}) == code
