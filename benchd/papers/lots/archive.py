"""A ZIP that is written as it is sent: no more of it is in memory than one file.

Files are stored, not packed: PDFs are packed already, and what isn't packed has one spelling, so
that whoever has the files can make the same ZIP again and compare (`reading.py`).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import IO, Final, cast

from benchd.papers.lots.lot_statement import NamedFile

_MADE: Final = (2020, 1, 1, 0, 0, 0)
"""When each file says it was made: the signed list tells the time."""
_FOR_ALL_TO_READ: Final = 0o100644 << 16


class Archive:
    """Gives back what is to be sent after each file; all of it is nothing until `close`."""

    def __init__(self) -> None:
        """Begin one."""
        self._sent = _Sent()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._sent), "w", zipfile.ZIP_STORED)
        self.files: list[NamedFile] = []
        """What is in it so far."""

    def add(self, name: str, data: bytes) -> bytes:
        """Put a file in; returns what is to be sent now. Raises ValueError for a name twice."""
        if name in self._zip.NameToInfo:
            raise ValueError(f"{name} is there already")
        info = zipfile.ZipInfo(name, _MADE)
        info.create_system = 3
        info.external_attr = _FOR_ALL_TO_READ
        self._zip.writestr(info, data)
        digest = hashlib.sha256(data).hexdigest()
        self.files.append(NamedFile(name=name, bytes=len(data), sha256=digest))
        return self._sent.taken()

    def close(self) -> bytes:
        """The end, without which no program takes it for a ZIP; nothing after the first time."""
        self._zip.close()
        return self._sent.taken()


class _Sent:
    """What `zipfile` writes to: it can go back to the head of the file at hand, and no further.

    So each head tells length and checksum, as readers want them that begin before all is there.
    """

    def __init__(self) -> None:
        self._now = io.BytesIO()
        self._before = 0

    def write(self, data: bytes) -> int:
        """Keep it until it's taken."""
        return self._now.write(data)

    def tell(self) -> int:
        """Where in the whole."""
        return self._before + self._now.tell()

    def seek(self, place: int) -> int:
        """To a place in the whole that wasn't taken yet."""
        return self._now.seek(place - self._before)

    def flush(self) -> None:
        """Nothing to do."""

    def taken(self) -> bytes:
        """All since the last time."""
        told = self._now.getvalue()
        self._before += len(told)
        self._now = io.BytesIO()
        return told
