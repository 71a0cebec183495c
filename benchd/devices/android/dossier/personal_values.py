"""Where personal values stand in a handset's answers: at their places, and by their form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from benchd.devices.android.facts.fact_table import PERSONAL, QUESTIONS
from benchd.domain.dossier import PersonalKind
from benchd.domain.imei import is_imei


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A personal value at its place in a text."""

    kind: PersonalKind
    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one kind of value is found; the pattern's group `value` is it."""

    kind: PersonalKind
    pattern: re.Pattern[str]
    only_in: frozenset[str] = field(default_factory=frozenset[str])
    """The names of the questions; empty for all."""
    named: re.Pattern[str] | None = None
    """What has to be found in the pattern's group `name`."""
    is_one: Callable[[str], bool] = bool
    apart: str = ""
    """What separates several values in the group."""

    def find(self, question: str, text: str) -> Iterator[Found]:
        """Every value of this kind in an answer."""
        if self.only_in and question not in self.only_in:
            return
        for match in self.pattern.finditer(text):
            if self.named is None or self.named.search(match["name"]):
                yield from self._values(match["value"], match.start("value"))

    def _values(self, values: str, start: int) -> Iterator[Found]:
        for value in values.split(self.apart) if self.apart else [values]:
            end = start + len(value)
            if value.strip() and self.is_one(value):
                yield Found(kind=self.kind, start=start, end=end, value=value)
            start = end + len(self.apart)


_PROPERTY: Final = re.compile(
    r"^\[(?P<name>[^\[\]\n]{1,256})\]: \[(?P<value>[^\n]*?)\]?\r?$", re.MULTILINE
)


def _property(kind: PersonalKind, name: str) -> Rule:
    return Rule(
        kind=kind,
        pattern=_PROPERTY,
        only_in=frozenset({"properties"}),
        named=re.compile(name, re.IGNORECASE),
    )


def _any(kind: PersonalKind, pattern: str, is_one: Callable[[str], bool] = bool) -> Rule:
    return Rule(kind=kind, pattern=re.compile(rf"(?P<value>{pattern})"), is_one=is_one)


def _own_answers() -> Iterator[Rule]:
    """What each question's own entry says of its answer."""
    for question, (kind, pattern) in PERSONAL.items():
        yield Rule(kind=kind, pattern=pattern, only_in=frozenset({question}))


_OWNERS_FOLDER: Final = (
    r"(?:/sdcard|/storage/(?:emulated/[0-9]{1,9}|self/primary|[0-9A-F]{4}-[0-9A-F]{4})"
    r"|/data/media/[0-9]{1,9}|/mnt/(?:media_rw|user/[0-9]{1,9})/[0-9A-Za-z-]{1,36})/"
    r"(?:Android/(?:data|obb|media)/[\w.]{1,255}/|(?!Android(?:/|\s|$)))"
)
_TABLES: Final = frozenset({"usage", "mounts"})
_LISTED: Final = frozenset(QUESTIONS)

RULES: Final = (
    _property(PersonalKind.SERIAL, r"serial_?(?:no|num)|[._]serial$|[._]p?sno$|ap_serial|[._]did$"),
    _property(PersonalKind.SERIAL, r"cpu_?id$|chip_?id$|unique_?(?:id|no)"),
    _property(PersonalKind.IMEI, r"imei|meid|[._]esn$"),
    _property(PersonalKind.SUBSCRIBER, r"imsi|iccid|[._]eid$"),
    _property(PersonalKind.PHONE, r"msisdn|phone_?num|line1"),
    _property(PersonalKind.ADDRESS, r"mac_?addr|[._](?:wifi|bt|wlan)?_?mac$|bdaddr|btaddr"),
    _property(PersonalKind.ADDRESS, r"^(?:dhcp|net)\..*(?:ipaddress|gateway|dns[0-9]?$|server)"),
    _property(PersonalKind.NETWORK, r"ssid"),
    _property(
        PersonalKind.DEVICE_NAME, r"^(?!ro\.).*(?:hostname|device_?name|(?:bluetooth|bt)\.name)"
    ),
    _property(PersonalKind.ACCOUNT, r"^(?!ro\.).*(?:account|e?mail|user_?name)"),
    _property(PersonalKind.ANDROID_ID, r"android_?id|gsf_?id|advertising_?id"),
    Rule(
        kind=PersonalKind.ACCOUNT,
        pattern=re.compile(r"Account \{name=(?P<value>(?:(?!Account \{name=)[^\n])*), type="),
    ),
    Rule(
        kind=PersonalKind.USER,
        pattern=re.compile(
            r"UserInfo\{[0-9]{1,9}:(?P<value>(?:(?!UserInfo\{)[^\n])*):[0-9a-fA-F]+\}"
        ),
    ),
    Rule(kind=PersonalKind.USER, pattern=re.compile(r'User "(?P<value>[^\n]{0,512})" \(id=[0-9]')),
    *_own_answers(),
    Rule(
        kind=PersonalKind.NETWORK,
        pattern=re.compile(r'(?i:\bssid)"?\s{0,4}[:=]\s{0,4}"(?P<value>[^"\n]{1,64})"'),
    ),
    Rule(
        kind=PersonalKind.NETWORK,
        pattern=re.compile(r'(?i:\bssid)\s{0,4}[:=]\s{0,4}(?P<value>[^\s",\[\]]{1,64})'),
    ),
    Rule(
        kind=PersonalKind.DEVICE_NAME,
        pattern=re.compile(
            r'(?i:\b(?:host|device|bluetooth)_?name)"?\s{0,4}[:=]\s{0,4}"?(?P<value>[^\n",\[\]]{1,64})'
        ),
        only_in=_LISTED - {"properties"},
    ),
    Rule(
        kind=PersonalKind.FILE,
        pattern=re.compile(_OWNERS_FOLDER + r"(?P<value>[^\s]+)", re.MULTILINE),
        only_in=_TABLES,
        apart="/",
    ),
    Rule(
        kind=PersonalKind.FILE,
        pattern=re.compile(_OWNERS_FOLDER + r"(?P<value>[^\n\"'\[\]<>|=]+)", re.MULTILINE),
        only_in=_LISTED - _TABLES,
        apart="/",
    ),
    Rule(
        kind=PersonalKind.IDENTIFIER,
        pattern=re.compile(
            r"/(?:storage|media_rw|expand)/(?P<value>[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4})(?![0-9A-Za-z-])"
        ),
    ),
    _any(
        PersonalKind.MAIL,
        r"(?<![\w.+%-])[\w.+%-]{1,64}@(?![0-9]+\.[0-9])"
        r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])",
    ),
    _any(
        PersonalKind.ADDRESS,
        r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])",
    ),
    _any(PersonalKind.IMEI, r"(?<![0-9])[0-9]{15}(?![0-9])", is_imei),
    _any(
        PersonalKind.IMEI,
        r"(?<![0-9-])[0-9]{2}-[0-9]{6}-[0-9]{6}-[0-9](?![0-9-])",
        lambda value: is_imei(value.replace("-", "")),
    ),
    _any(PersonalKind.SUBSCRIBER, r"(?<![0-9])89[0-9]{16,20}(?![0-9])"),
    _any(PersonalKind.SUBSCRIBER, r"(?<![0-9A-Za-z.])[2-7][0-9]{14}(?![0-9A-Za-z.])"),
    _any(PersonalKind.PHONE, r"(?<![0-9A-Za-z.+/_-])0[0-9]{9,10}(?![0-9A-Za-z_])"),
    _any(
        PersonalKind.PHONE, r"(?<![0-9A-Za-z.+/_-])0[0-9]{1,4}-[0-9]{1,4}-[0-9]{4}(?![0-9A-Za-z_-])"
    ),
    _any(
        PersonalKind.PHONE,
        r"(?<![0-9A-Za-z.+/_-])\+[0-9]{1,3}[ -]?[0-9](?:[ -]?[0-9]){6,12}(?![0-9])",
    ),
    _any(
        PersonalKind.IDENTIFIER,
        r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9A-Za-z])",
    ),
)
"""In this order: what one has found no later one takes apart."""
