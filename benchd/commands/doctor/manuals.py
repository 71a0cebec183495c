"""Where the pages and examples lie that a cure names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

INSTALLED: Final = Path("/usr/local/share/benchd")
"""Where scripts/install leads to them; a checkout has them in itself."""
_NAMED: Final = re.compile(
    r"(?<![\w/.])(?:docs/[\w/-]+\.md|configs/prometheus/rules)(?!\w)", re.ASCII
)


def placed(text: str, folder: Path = INSTALLED) -> str:
    """The same, with the whole path of each page and example that lies in this folder."""

    def whole(named: re.Match[str]) -> str:
        path = folder / named[0]
        return str(path) if path.exists() else named[0]

    return _NAMED.sub(whole, text)
