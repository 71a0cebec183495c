"""What an owner leaves on a handset beside accounts and apps: files, calls, contacts, messages.

Counts only: no name, number or text of anybody ever leaves the handset. None is unreadable, which
is never the same as none.
"""

from __future__ import annotations

import re
from typing import Final

from benchd.devices.android.shell.text import lines_of

MOST_COUNTED: Final = 1000
"""Rows of a provider; whoever has so many is no less an owner for having more."""

_WHOLE: Final = "/whole"
# Android/data and Android/obb are the apps' own, and go with them. The two names are what the
# media provider leaves in every folder that it makes; a path begins with "./", so no file of an
# owner's can be taken for the last line.
COUNT_FILES: Final = (
    "cd /sdcard/ && {"
    r" find . \( -path ./Android/data -o -path ./Android/obb \) -prune"
    " -o -type f ! -name .nomedia ! -name .database_uuid -print 2>/dev/null"
    f" && echo {_WHOLE}; }} | sed -n -e '/^\\{_WHOLE}$/p' -e '$='"
)


def _rows(provider: str) -> str:
    query = f"content query --uri content://{provider} --projection _id"
    return f"{query} 2>/dev/null | head -n {MOST_COUNTED}"


COUNT_CALLS: Final = _rows("call_log/calls")
COUNT_CONTACTS: Final = _rows("com.android.contacts/raw_contacts")
COUNT_SMS: Final = _rows("sms")
COUNT_MMS: Final = _rows("mms")

_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_ROW: Final = re.compile(r"Row: ([0-9]{1,9}) _id=[0-9]{1,19}")
_NO_ROW: Final = "No result found."
"""Source: AOSP, frameworks/base/cmds/content, Content.java; errors end with 0 too. A provider that
gave no cursor gets the same words, but on standard error, which isn't listened to."""


def read_file_count(text: str) -> int | None:
    """How many files there are, if all folders could be looked into."""
    match [line for line in lines_of(text) if line]:
        case [whole, number] if whole == _WHOLE and _NUMBER.fullmatch(number):
            return int(number) - 1
        case _:
            return None


def read_row_count(text: str) -> int | None:
    """How many rows a provider has, if it has answered."""
    lines = [line for line in lines_of(text) if line]
    if lines == [_NO_ROW]:
        return 0
    numbers = [int(row[1]) for line in lines if (row := _ROW.fullmatch(line))]
    # The rows are counted from 0 on: one that is missing leaves a gap.
    return len(lines) if lines and numbers == list(range(len(lines))) else None


def sum_of_known(*counts: int | None) -> int | None:
    """All of them together; unknown as soon as one is."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
