"""Answers of real and made-up handsets; each file names its source above a line of three dashes."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures"


def answer(name: str) -> str:
    """The text that a handset gave, without the file's heading."""
    heading, separator, text = (
        (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n---\n")
    )
    assert separator, name
    assert all(line.startswith("# ") for line in heading.splitlines()), name
    return text


def names(kind: str) -> list[str]:
    """Every file of one kind."""
    found = sorted(path.stem for path in FOLDER.glob(f"{kind}-*.txt"))
    assert found, kind
    return found
