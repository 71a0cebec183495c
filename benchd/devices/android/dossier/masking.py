"""Replaces what is personal in a handset's answers, everywhere it stands, by marks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchd.devices.android.dossier.parcel import Dump
from benchd.devices.android.dossier.personal_values import RULES, Found
from benchd.devices.android.dossier.pseudonyms import SEPARATED, Marks, bare
from benchd.devices.android.dossier.value_search import looked_for, lowered
from benchd.devices.android.shell.script import Answer
from benchd.devices.android.shell.text import printable
from benchd.domain.dossier import PersonalKind

_WORDS: Final = """
    0 1 true false null none unknown default yes no on off enabled disabled enforcing permissive
    user users owner guest admin system android device phone mobile tablet sim local localhost
    account accounts google samsung sony sharp huawei xiaomi oppo vivo oneplus motorola lge
    asus fcnt fujitsu kyocera docomo kddi softbank rakuten honor realme nokia zte
    name type flags state serial model build service services info package packages feature
    data media emulated private public mounted unmounted disk storage primary vendor product
    oem apex locked unlocked running trusted encrypted unencrypted file block managed
    policy battery trust nfc level scale status health present temperature technology
    headless root shell test release keys debug green yellow orange red
"""
_NAMES: Final = """
    Work profile|Managed Profile|Work|Personal|Secure Folder|Private space|Private Space|XSpace
    security space|Dual Messenger|DUAL_APP|Clone|Cloned app|Parallel user|Second space|Multi-user
    Driver|Guest user|New user|Demo user|Test user|擁有者|所有者|机主|機主|ゲスト|オーナー|소유자
    Eigentümer|Propietario|Proprietário|Propriétaire|Proprietario|Gast|仕事用プロファイル
    DCIM|Camera|Download|Downloads|Pictures|Screenshots|Music|Movies|Documents|Ringtones|Alarms
    Notifications|Podcasts|Audiobooks|Recordings|Android|obb|.thumbnails
"""
PLAIN: Final = frozenset(
    {*_WORDS.split(), *(name.strip().lower() for name in re.split(r"[|\n]", _NAMES))}
)
"""Words of Android, its tools and makers, in lower case: none is masked as a name.

A person may be called by one of them too, and is told apart by none.
"""

_OF_THE_MODEL: Final = re.compile(
    r"^\[ro\.(?:[a-z_]+\.)*(?:model|device|name|brand|manufacturer|marketname|hardware|platform)\]:"
    r" \[([^\[\]\n]{1,128})\]$",
    re.MULTILINE,
)


def words_of_model(properties: str) -> frozenset[str]:
    """What this model is called, by `getprop`: a hostname that says no more is nobody's."""
    return frozenset(printable(found).lower() for found in _OF_THE_MODEL.findall(properties))


_SEPARATORS: Final = re.compile("[ :-]")
_PARCEL: Final = "Parcel("


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A handset's answers without what is personal in them."""

    told: Mapping[str, Answer]
    replaced: Mapping[PersonalKind, int]
    """How often something was."""


class Masker:
    """Knows the personal values of one handset, from all of its answers, and their marks."""

    def __init__(self, told: Mapping[str, Answer]) -> None:
        properties = told.get("properties")
        self._plain = PLAIN | words_of_model(properties.text if properties else "")
        found = [one for name, answer in told.items() for one in self._all(name, answer.text)]
        known = {bare(one.kind, one.value): one for one in reversed(found)}
        self._marks = Marks(known)
        for one in found:
            # In the order in which they stand there, whatever is looked for first later on.
            self._marks.of(one.kind, one.value)
        self._known = looked_for(known.values())

    def masked(self, told: Mapping[str, Answer]) -> Masked:
        """These answers with every value replaced by its mark."""
        counts = Counter[PersonalKind]()
        masked = {
            name: replace(answer, text=self._answer(name, answer.text, counts))
            for name, answer in told.items()
        }
        return Masked(told=masked, replaced=dict(sorted(counts.items())))

    def text(self, text: str) -> str:
        """Any other text, with the values that are known replaced."""
        return self._put(text, _apart(self._elsewhere(text), len(text)))

    def _answer(self, name: str, text: str, counts: Counter[PersonalKind]) -> str:
        def spans(text: str, of: str = "") -> list[Found]:
            found = _apart([*self._at_places(of, text), *self._elsewhere(text)], len(text))
            counts.update(one.kind for one in found)
            return found

        # What reached over the edge of another value stands there still.
        masked = self.text(self._put(text, spans(text, name)))
        if _PARCEL not in text:
            return masked
        return Dump(masked).masked(
            lambda told: [(one.start, one.end, self._mark(one, told)) for one in spans(told)]
        )

    def _all(self, name: str, text: str) -> Iterator[Found]:
        yield from self._at_places(name, text)
        if _PARCEL in text:
            dump = Dump(text)
            yield from self._at_places("", dump.wide)
            yield from self._at_places("", dump.narrow)

    def _at_places(self, name: str, text: str) -> Iterator[Found]:
        for rule in RULES:
            yield from (one for one in rule.find(name, text) if self._is_personal(one.value))

    def _is_personal(self, value: str) -> bool:
        return value.strip().lower() not in self._plain and any(map(str.isalnum, value))

    def _elsewhere(self, text: str) -> Iterator[Found]:
        lower = lowered(text)
        stripped = _SEPARATORS.sub("", lower)
        for value in self._known:
            if value.key in (stripped if value.one.kind in SEPARATED else lower):
                for start, end in value.places(lower):
                    yield replace(value.one, start=start, end=end)

    def _put(self, text: str, spans: Sequence[Found]) -> str:
        pieces: list[str] = []
        end = 0
        for one in spans:
            pieces += [text[end : one.start], self._mark(one, text)]
            end = one.end
        return "".join([*pieces, text[end:]])

    def _mark(self, one: Found, text: str) -> str:
        return self._marks.of(one.kind, one.value, text[one.start : one.end])


def _apart(found: Iterable[Found], size: int) -> list[Found]:
    """Those that don't overlap, the earlier ones in the list first; in the order of the text."""
    kept: list[Found] = []
    free = bytearray(b"\x01" * size)
    for one in found:
        if all(free[one.start : one.end]):
            free[one.start : one.end] = bytes(one.end - one.start)
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
