from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchd.config.locator import KeyPath, Place, locate

EXAMPLE = '''\
title = "x" # title = "decoy"

[adb]
"po\\u0072t" = 1
'ho.me' = """
[slots]
port = 2
"""""
list = [ 1, # [decoy]
  { x = 1, y.z = [2] },
]
[slots . A1]
port = 1979-05-27 07:32:00 # ]
[slots]
default.recipe = true
[[stage]]
[stage.inner]
one = 1
[[stage]]
two = 'b"'
'''


def place_of(path: KeyPath) -> tuple[int, int]:
    place = locate(EXAMPLE)[path]
    return place.line, place.column


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("title",), 1, 1),
        (("adb",), 3, 2),
        (("adb", "port"), 4, 1),
        (("adb", "ho.me"), 5, 1),
        (("adb", "list"), 9, 1),
        (("adb", "list", 0), 9, 10),
        (("adb", "list", 1), 10, 3),
        (("adb", "list", 1, "x"), 10, 5),
        (("adb", "list", 1, "y"), 10, 12),
        (("adb", "list", 1, "y", "z"), 10, 14),
        (("adb", "list", 1, "y", "z", 0), 10, 19),
        (("slots", "A1"), 12, 10),
        (("slots", "A1", "port"), 13, 1),
        (("slots",), 14, 2),
        (("slots", "default"), 15, 1),
        (("slots", "default", "recipe"), 15, 9),
        (("stage",), 16, 3),
        (("stage", 0), 16, 3),
        (("stage", 0, "inner"), 17, 8),
        (("stage", 0, "inner", "one"), 18, 1),
        (("stage", 1), 19, 3),
        (("stage", 1, "two"), 20, 1),
    ],
)
def test_place_is_where_an_editor_shows_it(path: KeyPath, line: int, column: int) -> None:
    assert place_of(path) == (line, column)


def test_what_is_no_toml_is_refused_rather_than_read_for_ever() -> None:
    with pytest.raises(ValueError, match="not TOML"):
        locate("a = 1\n?")


KEYS = st.text(alphabet="ab-1 .#[]='\"\\é日\t", max_size=4)


class Writer:
    """Writes a random document that uses whatever TOML has to hide a key's place."""

    def __init__(self, random: Random, keys: list[str]) -> None:
        self.random = random
        self.keys = keys
        self.raw: dict[object, str] = {}
        self.count = 0

    def document(self) -> str:
        return self.decoy() + self.table([], is_element=False, depth=0)

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    def space(self) -> str:
        return self.random.choice(["", " ", "\t ", ""])

    def decoy(self) -> str:
        return self.random.choice(["", "\n", "# a = 1\n", "  # [a.b] \"\"\" '''\n", "\r\n"])

    def spelled(self, key: str) -> str:
        return self.random.choice(list(spellings(key)))

    def joined(self, names: list[str]) -> str:
        return f"{self.space()}.{self.space()}".join(self.spelled(name) for name in names)

    def fresh(self) -> list[str]:
        return self.random.sample(self.keys, self.random.randint(0, min(4, len(self.keys))))

    def scalar(self) -> str:
        self.count += 1
        n = self.count
        raw = self.random.choice(
            [
                f"{n}",
                f"0x{n:x}",
                f"{n}.5",
                f'"{n} \\" # [a] = \'"',
                f"'{n} \\ # \"a\" = ]'",
                f'"""{n}\na = 1\n[a]\n\\"""b"" ""\\\n  """""',
                f"'''{n}\na = 1\n[a] ''b'\n'''''",
                f"2026-11-{n % 28 + 1:02} 07:32:00.{n:06}",
                f"2026-11-24T07:32:00.{n:06}+09:00",
                f"07:32:00.{n:06}",
            ]
        )
        self.raw[tomllib.loads(f"a = {raw}")["a"]] = raw
        return raw

    def value(self, depth: int) -> str:
        if depth > 3 or not self.chance(3):
            return self.scalar()
        if self.chance(2):
            items = [
                f"{self.decoy()}{self.space()}{self.value(depth + 1)}{self.space()}{self.decoy()}"
                for _ in range(self.random.randint(0, 3))
            ]
            comma = "," if items and self.chance(2) else ""
            return f"[{','.join(items)}{comma}{self.decoy()}]"
        pairs = [self.pair(key, depth + 1) for key in self.fresh()]
        return f"{{{self.space()}{', '.join(pairs)}{self.space()}}}"

    def pair(self, key: str, depth: int) -> str:
        names = [key, *self.random.sample(self.keys, self.random.randint(0, 1))]
        return f"{self.joined(names)}{self.space()}={self.space()}{self.value(depth)}{self.space()}"

    def table(self, names: list[str], *, is_element: bool, depth: int) -> str:
        keys = self.fresh()
        cut = self.random.randint(0, len(keys)) if depth < 3 else 0
        children = "".join(self.child([*names, key], depth + 1) for key in keys[:cut])
        body = "".join(f"{self.pair(key, 0)}\n{self.decoy()}" for key in keys[cut:])
        if names:
            left, right = ("[[", "]]") if is_element else ("[", "]")
            header = f"{left}{self.space()}{self.joined(names)}{self.space()}{right}"
            body = f"{self.space()}{header} # [decoy]\n{body}"
            if not is_element and self.chance(3):
                return children + body
        return body + children

    def child(self, names: list[str], depth: int) -> str:
        elements = self.random.randint(1, 3) if self.chance(2) else 0
        if elements:
            return "".join(self.table(names, is_element=True, depth=depth) for _ in range(elements))
        return self.table(names, is_element=False, depth=depth)


def spellings(key: str) -> Iterator[str]:
    if re.fullmatch(r"[A-Za-z0-9_-]+", key):
        yield key
    if "'" not in key:
        yield f"'{key}'"
    yield json.dumps(key)
    yield json.dumps(key, ensure_ascii=False)


def paths(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


def rest_at(text: str, place: Place) -> str:
    lines = text.split("\n")
    return "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])


def without_key(rest: str, key: str) -> str:
    for spelling in spellings(key):
        if rest.startswith(spelling):
            return rest[len(spelling) :]
    raise AssertionError(f"{rest[:40]!r} doesn't start with the key {key!r}")


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(KEYS, unique=True, min_size=1, max_size=6))
def test_every_value_is_located_where_its_key_stands(random: Random, keys: list[str]) -> None:
    writer = Writer(random, keys)
    text = writer.document().replace("\r\n", "\n")
    found = dict(paths(tomllib.loads(text)))
    places = locate(text)
    assert places.keys() == found.keys()
    for path, value in found.items():
        rest = rest_at(text, places[path])
        key = path[-1]
        is_element_with_header = isinstance(key, int) and not rest.startswith(("{", "["))
        if isinstance(key, str):
            rest = without_key(rest, key)
        elif isinstance(value, dict) and is_element_with_header:
            rest = without_key(rest, str(path[-2]))
            assert re.match(r"[ \t]*\]\]", rest)
        if not isinstance(value, dict | list):
            assert re.sub(r"\A[ \t]*=[ \t]*", "", rest).startswith(writer.raw[value])
