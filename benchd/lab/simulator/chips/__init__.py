"""Virtual FeliCa chips, the readers that they lie on, and the pcscd's behind those."""

from importlib import resources
from pathlib import Path
from typing import Final

BASELINE: Final = Path(str(resources.files(__name__) / "baseline.toml"))
"""How an unused chip of the virtual rack looks; true of no real one."""
