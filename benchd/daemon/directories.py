"""What the daemon keeps its things in."""

from __future__ import annotations

from benchd.config import Settings
from benchd.domain.errors import DependencyMissing

DIRECTORY_MODE = 0o750


def make_directories(settings: Settings) -> None:
    """Make what benchd keeps its things in; DependencyMissing says which can't be made."""
    own = (settings.adb.home,) if settings.adb.server == "own" else ()
    for directory in (*own, settings.certificate.directory, settings.ledger.path.parent):
        try:
            directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        except OSError as error:
            message = f"the directory {directory} can't be made: {error.strerror}"
            cure = "Make it for benchd's user, or set another one in the configuration."
            raise DependencyMissing(message, cure=cure) from error
