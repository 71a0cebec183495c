"""Signs of a modified system in what it says of itself.

Hints only work in one direction: a sign of modification counts, its absence proves nothing,
since a modified system can set every property as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from benchd.android.facts.fingerprint import contradictions
from benchd.android.facts.properties import one_of
from benchd.android.facts.systems import systems
from benchd.android.shell.text import printable

MOST_OF_A_KIND: Final = 5
_LONGEST_VALUE: Final = 80
_TAGS: Final = "ro.build.tags"
_RELEASE_KEYS: Final = "release-keys"
_PUBLIC_KEYS: Final = "test-keys"
_NAMES_OF_BUILDS: Final = (
    "ro.build.flavor",
    "ro.build.display.id",
    "ro.build.description",
    "ro.build.product",
    "ro.product.name",
    "ro.product.system.name",
)
_FOR_DEVELOPERS: Final = re.compile(r"[^ ]{1,64}-(?:userdebug|eng)\b.*", re.DOTALL)


def modification_signs(
    properties: Mapping[str, str], superuser_paths: Sequence[str]
) -> tuple[str, ...]:
    """Each sign in a few words; that a property is absent is none.

    Raises AnswerNotRecognised for a word of the boot chain that nobody knows.
    """
    signs = (
        *_words(properties),
        *_tags(properties),
        *_few(_signed_by_anybody(properties)),
        *_few(_of_another_system(properties)),
        *_few(_builds(properties)),
        *contradictions(properties),
        *(f"su at {path}" for path in superuser_paths),
    )
    return tuple(dict.fromkeys(signs))


def _words(properties: Mapping[str, str]) -> Iterator[str]:
    for word in systems().words:
        value = one_of(properties, word.name, *word.fine, *word.signs)
        if value in word.signs:
            yield f"{word.name}={value}"


def _tags(properties: Mapping[str, str]) -> Iterator[str]:
    """Makers add tags of their own, but sign what they sell."""
    tags = properties.get(_TAGS, "")
    stock = _RELEASE_KEYS in tags.split(",") or systems().excuses(properties, _TAGS)
    if tags and not stock:
        yield _shown(_TAGS, tags)


def _signed_by_anybody(properties: Mapping[str, str]) -> Iterator[str]:
    for name, value in sorted(properties.items()):
        fits = name.startswith("ro.") and name != _TAGS and not systems().is_exempt(name)
        if fits and _PUBLIC_KEYS in value:
            yield _shown(name, value)


def _of_another_system(properties: Mapping[str, str]) -> Iterator[str]:
    for name, value in sorted(properties.items()):
        if value and systems().names_another(name):
            yield _shown(name, value)


def _builds(properties: Mapping[str, str]) -> Iterator[str]:
    for name in _NAMES_OF_BUILDS:
        value = properties.get(name, "")
        if systems().is_another(value) or _FOR_DEVELOPERS.fullmatch(value):
            yield _shown(name, value)


def _few(signs: Iterable[str]) -> Iterator[str]:
    return islice(signs, MOST_OF_A_KIND)


def _shown(name: str, value: str) -> str:
    return f"{printable(name)}={printable(value, _LONGEST_VALUE)}"
