"""Japanese or English: the language that the locale of a person's shell asks for."""

from __future__ import annotations

from collections.abc import Mapping

from benchd.domain.plain_text import Language


def language_of(environ: Mapping[str, str]) -> Language:
    """The language that a person's environment asks for; English unless it is Japanese."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if wanted := environ.get(name):
            return "ja" if wanted.lower().startswith("ja") else "en"
    return "en"
