"""Signs of a modified system in what it says of itself, each with the source that it comes from.

Hints only work in one direction: a sign of modification counts, its absence proves nothing,
since a modified system can set every property as it likes. Signs of one source may have one
harmless cause, such as a maker's careless build: docs/adr/0061-two-signs.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from benchd.devices.android.facts.fingerprint import TYPE, contradictions, tags_of
from benchd.devices.android.facts.properties import one_of
from benchd.devices.android.facts.systems import systems
from benchd.devices.android.shell.text import printable
from benchd.domain.handset import ModificationSource

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign in a few words."""

    text: str
    source: ModificationSource


def modification_signs(
    properties: Mapping[str, str], superuser_paths: Sequence[str]
) -> tuple[Sign, ...]:
    """Each sign; that a property is absent is none.

    Raises AnswerNotRecognised for a word of the boot chain that nobody knows.
    """
    signs = (
        *_words(properties),
        *_tags(properties),
        *_few(_signed_by_anybody(properties)),
        *_few(_of_another_system(properties)),
        *_few(_builds(properties)),
        *_contradictions(properties),
        *_of(ModificationSource.SUPERUSER, (f"su at {path}" for path in superuser_paths)),
    )
    return tuple(dict.fromkeys(signs))


def _words(properties: Mapping[str, str]) -> Iterator[Sign]:
    for word in systems().words:
        value = one_of(properties, word.name, *word.fine, *word.signs)
        if value in word.signs:
            yield Sign(text=f"{word.name}={value}", source=word.source)


def _tags(properties: Mapping[str, str]) -> Iterator[Sign]:
    """Makers add tags of their own, but sign what they sell."""
    tags = properties.get(_TAGS, "")
    if tags and not (_is_release(tags) or systems().excuses(properties, _TAGS)):
        yield _shown(ModificationSource.BUILD, _TAGS, tags)


def _signed_by_anybody(properties: Mapping[str, str]) -> Iterator[Sign]:
    # Makers leave a property of the signing tool as it was, beside tags and a fingerprint of what
    # they sell: it says nothing then.
    released = _is_release(properties.get(_TAGS, "")) and _is_release(tags_of(properties))
    for name, value in sorted(properties.items()):
        fits = name.startswith("ro.") and name != _TAGS and not systems().is_exempt(name)
        if released and systems().is_left_over(name):
            continue
        if fits and _PUBLIC_KEYS in value:
            yield _shown(ModificationSource.BUILD, name, value)


def _is_release(tags: str) -> bool:
    return _RELEASE_KEYS in tags.split(",")


def _of_another_system(properties: Mapping[str, str]) -> Iterator[Sign]:
    for name, value in sorted(properties.items()):
        source = systems().source_of(name)
        if value and source is not None:
            yield _shown(source, name, value)


def _builds(properties: Mapping[str, str]) -> Iterator[Sign]:
    for name in _NAMES_OF_BUILDS:
        value = properties.get(name, "")
        if systems().is_another(value):
            yield _shown(ModificationSource.OTHER_SYSTEM, name, value)
        elif _FOR_DEVELOPERS.fullmatch(value):
            yield _shown(ModificationSource.BUILD, name, value)


def _contradictions(properties: Mapping[str, str]) -> Iterator[Sign]:
    """One property of the build's type is a sign of its own, and makes its fingerprint differ."""
    for part, text in contradictions(properties):
        of_build = part == TYPE
        source = ModificationSource.BUILD if of_build else ModificationSource.FINGERPRINT
        yield Sign(text=text, source=source)


def _few(signs: Iterable[Sign]) -> Iterator[Sign]:
    return islice(signs, MOST_OF_A_KIND)


def _of(source: ModificationSource, texts: Iterable[str]) -> Iterator[Sign]:
    return (Sign(text=text, source=source) for text in texts)


def _shown(source: ModificationSource, name: str, value: str) -> Sign:
    return Sign(text=f"{printable(name)}={printable(value, _LONGEST_VALUE)}", source=source)
