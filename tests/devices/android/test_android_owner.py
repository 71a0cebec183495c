"""What a handset's own `content` says of calls, contacts and messages: read, or unknown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from handset_fixtures import answer, names

from benchd.devices.android.facts.owner import (
    COUNT_CALLS,
    COUNT_CONTACTS,
    COUNT_MMS,
    COUNT_SMS,
    MOST_COUNTED,
    read_row_count,
)

COUNTED = {"content-16-none": 0, "content-10-rows": 3}


@pytest.mark.parametrize("name", names("content"))
def test_only_rows_or_the_word_for_none_are_counted(name: str) -> None:
    assert read_row_count(answer(name)) == COUNTED.get(name)


def said_by(tool: str, command: str, folder: Path) -> str:
    """What a handset's shell answers where this script stands for its `content`."""
    path = folder / "content"
    path.write_text(f"#!/bin/sh\n{tool}\n")
    path.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("command", [COUNT_CALLS, COUNT_CONTACTS, COUNT_SMS, COUNT_MMS])
@pytest.mark.parametrize(
    ("tool", "rows"),
    [
        ("echo 'No result found.'", 0),
        # No cursor at all: the same words, but on the other stream, and they mean nothing.
        ("echo 'No result found.' >&2", None),
        ("echo 'Error while accessing provider:x' >&2", None),
        ("exit 1", None),
        ("i=0; while :; do echo Row: $i _id=$i; i=$((i+1)); done", MOST_COUNTED),
    ],
)
def test_what_the_command_lets_through(
    tmp_path: Path, command: str, tool: str, rows: int | None
) -> None:
    assert read_row_count(said_by(tool, command, tmp_path)) == rows
