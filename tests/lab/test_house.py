"""What there is to read is counted, on a checkout of a few files; above a limit it fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchd.lab.house.__main__ import ROOT, main
from benchd.lab.house.figures import (
    LIMITS,
    above,
    figures_of,
    limits_in,
    lowered,
    order_of_rooms,
)
from benchd.lab.house.imports import Imports, circles_of
from benchd.lab.house.protocols import with_one_implementation
from benchd.lab.house.sources import Area, sources_of

ORDER = """\
[[tool.importlinter.contracts]]
id = "layers"
layers = ["lab", "top | beside", "middle", "ground"]
"""
FILES = {
    "pyproject.toml": ORDER,
    "benchd/__init__.py": "",
    "benchd/ground.py": '"""Ground."""\nX = 1\n',
    "benchd/middle/__init__.py": "from benchd.middle.deep import Y as Z\n",
    "benchd/middle/deep.py": "from benchd.ground import X\nY = X\n",
    "benchd/top/__init__.py": "",
    "benchd/top/deep.py": "def f():\n    from benchd.middle import Z\n    return Z\n",
    "benchd/top/long.py": "A = 1\n" * 60,
    "benchd/beside.py": "",
    "benchd/words.toml": "a = 1\nb = 2\n",
    "benchd/page.js": "let a = 1;\n",
    "benchd/record.sql": "SELECT 1;\n\nSELECT 2;\n",
    "tests/test_it.py": "def test_it():\n    assert True\n",
    "docs/not_counted.py": "A = 1\n",
}


def checkout(root: Path, changed: Mapping[str, str] | None = None) -> Path:
    for name, text in {**FILES, **(changed or {})}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def imports_of(root: Path) -> Imports:
    return Imports(one for one in sources_of(root) if one.area is Area.PRODUCT and one.is_python)


def test_each_area_and_language_is_counted_apart(tmp_path: Path) -> None:
    figures = figures_of(checkout(tmp_path, {"benchd/lab/rig.py": "class A: pass\n"}))
    product, lab, tests = (figures[area] for area in ("product", "lab", "tests"))
    assert product["python_lines"] == 2 + 1 + 2 + 3 + 60
    assert (product["toml_lines"], product["js_lines"], product["sql_lines"]) == (2, 1, 3)
    assert product["lines"] == product["python_lines"] + 2 + 1 + 3
    assert product["statements"] == 2 + 1 + 2 + 3 + 60
    assert product["python_files"] == 8
    assert product["small_files"] == 4, "ground, beside and two of the name deep; long is no more"
    assert product["names_used_twice"] == 1
    assert (lab["python_lines"], lab["classes"], lab["statements"]) == (1, 1, 2)
    assert tests == {"lines": 2, "python_lines": 2, "toml_lines": 0, "js_lines": 0, "sql_lines": 0}


def test_what_is_squeezed_into_fewer_lines_has_as_many_nodes(tmp_path: Path) -> None:
    before = figures_of(checkout(tmp_path))["product"]
    after = figures_of(checkout(tmp_path, {"benchd/top/long.py": "; ".join(["A = 1"] * 60)}))
    assert after["product"]["python_lines"] == before["python_lines"] - 59
    assert after["product"]["statements"] == before["statements"]
    assert after["product"]["nodes"] == before["nodes"]


def test_a_name_that_is_handed_on_counts_for_the_file_that_defines_it(tmp_path: Path) -> None:
    imports = imports_of(checkout(tmp_path))
    assert imports.between_files["benchd.top.deep"] == {"benchd.middle.deep"}
    assert imports.between_rooms == {
        "top": {"middle"},
        "middle": {"ground"},
        "ground": set(),
        "beside": set(),
    }
    assert imports.upward(order_of_rooms(tmp_path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from benchd.top.deep import f",
        "from benchd.top import deep",
        "import benchd.top.deep",
        "from .top.deep import f",
        "if TYPE_CHECKING:\n    from benchd.top.deep import f",
    ],
)
@pytest.mark.parametrize("room", ["ground", "beside"])
def test_an_import_of_the_same_row_or_one_above_is_found(
    tmp_path: Path, room: str, line: str
) -> None:
    imports = imports_of(checkout(tmp_path, {f"benchd/{room}.py": f"{line}\n"}))
    assert imports.upward(order_of_rooms(tmp_path)) == [(f"benchd.{room}", "benchd.top.deep")]


def test_a_room_that_has_no_place_in_the_order_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="attic"):
        figures_of(checkout(tmp_path, {"benchd/attic.py": ""}))


def test_circles_between_rooms_and_between_files_of_one_room(tmp_path: Path) -> None:
    figures = figures_of(
        checkout(
            tmp_path,
            {
                "benchd/ground.py": "from benchd.middle import Z\nX = 1\n",
                "benchd/top/one.py": "from benchd.top import two\n",
                "benchd/top/two.py": "from benchd.top.one import two\n",
            },
        )
    )["imports"]
    assert (figures["circles_of_rooms"], figures["circles_of_files"]) == (1, 2)
    assert figures["arrows"] == 3


def test_two_circles_through_one_node_are_one_knot() -> None:
    graph = {"a": ["b", "c"], "b": ["a"], "c": ["a", "d"], "d": list[str]()}
    assert circles_of(graph) == [{"a", "b", "c"}]


PROTOCOLS = """
class Walks(Protocol):
    name: str
    def walk(self, far_m: int) -> None: ...
"""
WALKER = """
class Base:
    def __init__(self) -> None:
        self.name = ""
class Walker(Base):
    def walk(self, far_m: int) -> None: ...
"""
NO_WALKER = """
class NoWalker(Base):
    def walk(self, wide_m: int) -> None: ...
class Nameless:
    def walk(self, far_m: int) -> None: ...
"""
CALLED = """
class Called(Protocol):
    def __call__(self) -> None: ...
class Caller:
    def __call__(self) -> None: ...
"""


@pytest.mark.parametrize(
    ("text", "file", "found"),
    [
        (PROTOCOLS + WALKER + NO_WALKER, "a.py", ["Walks"]),
        (PROTOCOLS + WALKER + NO_WALKER, "ports.py", []),
        (PROTOCOLS + WALKER + WALKER.replace("Walker", "Runner"), "a.py", []),
        (PROTOCOLS + NO_WALKER, "a.py", []),
        (CALLED, "a.py", []),
    ],
)
def test_a_protocol_that_one_class_implements(
    tmp_path: Path, text: str, file: str, found: list[str]
) -> None:
    checkout(tmp_path, {f"benchd/top/{file}": text})
    protocols = with_one_implementation(one for one in sources_of(tmp_path) if one.is_python)
    assert [each.name for each in protocols] == found


def limits_at(figures: Mapping[str, Mapping[str, int]]) -> str:
    """A file of limits that is at today's figures."""
    tables = (
        "\n".join([f"[{of}]", *(f"{name} = {value} # why" for name, value in counted.items()), ""])
        for of, counted in figures.items()
    )
    return "# Why.\n" + "\n".join(tables)


@pytest.fixture
def limited(tmp_path: Path) -> tuple[Path, Path]:
    """A checkout, and a file of limits that are its figures."""
    root, file = checkout(tmp_path), tmp_path / "limits.toml"
    file.write_text(limits_at(figures_of(root)))
    return root, file


def test_one_more_line_than_allowed_fails_and_says_which(
    limited: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root, file = limited
    assert main([], root=root, file=file) == 0
    assert capsys.readouterr().err == ""
    checkout(root, {"benchd/page.js": "let a = 1;\n\n"})
    assert main(["--lower"], root=root, file=file) == 1
    assert capsys.readouterr().err.splitlines() == [
        "product: lines is 75, the limit 74",
        "product: js_lines is 2, the limit 1",
    ]
    assert file.read_text() == limits_at(figures_of(checkout(root)))


def test_what_goes_the_wrong_way_is_named(
    limited: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root, file = limited
    checkout(root, {"benchd/ground.py": "from benchd.middle import Z\nX = 1\n"})
    assert main([], root=root, file=file) == 1
    assert capsys.readouterr().err.splitlines()[-3:] == [
        "a circle: ground, middle",
        "a circle: benchd.ground, benchd.middle.deep",
        "upward: benchd.ground imports benchd.middle.deep",
    ]


def test_what_has_become_less_is_the_new_limit_when_asked_and_none_is_ever_raised(
    limited: tuple[Path, Path],
) -> None:
    root, file = limited
    figures = figures_of(checkout(root, {"benchd/page.js": ""}))
    assert main([], root=root, file=file) == 0
    assert limits_in(file.read_text())["product"]["js_lines"] == 1
    assert main(["--lower"], root=root, file=file) == 0
    assert file.read_text() == limits_at(figures)
    assert lowered("[a]\nb = 1\n", {"a": {"b": 2}}) == "[a]\nb = 1\n"


def test_a_figure_without_a_limit_and_a_limit_without_a_figure_are_named() -> None:
    assert list(above({"a": {"new": 1}}, {"a": {"old": 2}})) == [
        "a: new is 1 and has no limit",
        "a: old has a limit, but nothing counts it",
    ]


def test_this_checkout_holds_the_order_of_imports_and_each_file_is_of_its_deepest_folder() -> None:
    limits = limits_in(LIMITS.read_text())["imports"]
    assert limits["circles_of_rooms"] == limits["circles_of_files"] == 0
    assert limits["imports_upward"] == 0
    assert order_of_rooms(ROOT)[0] == ["cli"]
    areas = {one.path.parts[:2]: one.area for one in sources_of(ROOT)}
    assert areas["benchd", "lab"] is Area.LAB
    assert areas["benchd", "proof"] is areas["configs", "recipes"] is Area.PRODUCT
