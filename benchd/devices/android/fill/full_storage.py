"""What a handset's tools say where nothing more can be written: the storage is full, or a quota.

ENOSPC is worded alike everywhere; EDQUOT is "Quota exceeded" by Android's libc and "Disk quota
exceeded" by GNU's.
"""

from __future__ import annotations

from typing import Final

NO_SPACE: Final = b"No space left on device"
QUOTA: Final = b"uota exceeded"


def takes_no_more(complaint: bytes) -> bool:
    """Whether that is what was complained about."""
    return NO_SPACE in complaint or QUOTA in complaint
