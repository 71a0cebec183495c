"""Options that several commands have, each with one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_CONFIG: Final = Path("/etc/benchd/benchd.toml")

ConfigOption = Annotated[
    Path, typer.Option("--config", help="The configuration file.", readable=False)
]
"""Whoever reads it says why it can't be read, where that is looked for; Typer would first."""
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
