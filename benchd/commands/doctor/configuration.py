"""Whether the configuration can be used."""

from __future__ import annotations

from pathlib import Path

from benchd.commands.doctor.findings import About, Finding
from benchd.config import Settings, checked_settings, load_settings
from benchd.errors import ConfigInvalid


def configuration(file: Path) -> tuple[Finding, Settings | None]:
    """The finding, and the settings for all other checks; None where there are none."""
    about = About("check.configuration").having(path=file)
    try:
        with file.open("rb"):
            pass
    except FileNotFoundError:
        return about.fail("doctor.config_missing", "cure.name_the_file"), None
    except OSError as error:
        return about.not_to_be_seen(file, error), None
    try:
        settings = checked_settings(file)
    except ConfigInvalid as invalid:
        first = invalid.issues[0]
        place = f"{first.file}:{first.line}: {first.message}"
        found = about.having(count=len(invalid.issues), detail=place)
        return found.fail("doctor.config_mistakes", "cure.check_config"), _usable(file)
    if settings.retired:
        first = settings.retired[0]
        told = about.having(detail=f"{first.file}:{first.line}: {first.key} {first.message}")
        return told.warn("doctor.config_retired", "cure.delete_key"), settings
    valid = about.having(count=len(settings.topology.places))
    return valid.ok("doctor.config_valid"), settings


def _usable(file: Path) -> Settings | None:
    """What a running rack would still go on with."""
    try:
        return load_settings(file)
    except ConfigInvalid:
        return None
