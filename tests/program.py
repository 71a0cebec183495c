"""`benchd` as a program of this checkout; an interpreter's own may be that of another one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[1]
_RUN: Final = f"""\
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
sys.argv[0] = "benchd"
from benchd.cli.main import main
main()
"""
BENCHD: Final = (sys.executable, "-c", _RUN)
"""Goes before its arguments."""
