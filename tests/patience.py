"""How long tests wait for an answer that comes by itself."""

from typing import Final

PATIENCE_S: Final = 30.0
"""A machine that runs many tests at once answers late; an HTTP client's own 5 s pass there."""
