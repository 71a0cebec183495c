"""Japanese texts: fixed words alone in Latin letters, full-width brackets, one word for a thing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted(page for page in (ROOT / "docs").glob("*.ja.md") if page.name != "words.ja.md")
"""But for the page on words, which names those that were rejected."""
MODELS = sorted((ROOT / "configs" / "models").glob("*.toml"))

FIXED = {
    "it stands so on handsets, boxes and carriers' pages": (
        *("IMEI", "EID", "SIM", "eSIM", "FRP", "SD", "USB", "NFC", "IC", "ID", "PIN", "OS", "MDM"),
        *("FeliCa", "Android", "Galaxy", "F9", "Enter", "Esc", "Shift", "C"),
        *("Wi-Fi", "Google", "Play"),
    ),
    "it is a program's or a file's own name": (
        *("benchd", "adb", "udev", "fastboot", "CSV", "JSON", "UTF-8", "Shift_JIS", "Excel"),
        "PC",
    ),
    "it is typed as it stands": ("y",),
    "a maker's own name for a number, in its answers and in its shops": ("ASOC", "BSOH"),
    "a standard or a kind of file is called so everywhere": (
        *("NIST", "SP", "Rev", "Clear", "PDF", "ZIP"),
    ),
}
"""Words in Latin letters that an operator in Japan reads every day, and why each may stay."""

OLD = {
    "製造番号": "シリアル番号 (on carriers' pages it is the IMEI)",
    "第三者確認": "別担当者による確認",
    "要対処": "要対応",
    "持ち主": "元の所有者",
    "作業者": "担当者",
    "手配端末": "品触れ",
    "手配リスト": "品触れの一覧",
    "スマホをすべて": "端末",
    "2回続いたら": "something that an operator can see",
    "棚": "ラック",
    "どうしましたか": "処置",
    "破壊": "破砕",
    "タグ": "管理番号",
    "買取元": "入荷元",
    "受付で": "受入時に",
    "見え方": "初期化直後の状態",
    "液晶破損": "画面破損",
    "読み戻して照合": "読み出して照合",
    "使用停止済み": "利用終了（廃棄）",
    "抜き取り再検査": "抜取再検査",
    "消去できなかった理由": "消去不可の理由",
    "評価": "ランク",
    "「処分」": "「処分・返却・保留」, the page's one name",
}
"""What was said before, and what is said instead."""

FILLED_IN = re.compile(r"\{[a-z_]+\}")
LITERAL = re.compile(r"「[ -~]+」|`[^`]+`|^\[slots\..*\]$|^(port|reader) = .*$", re.MULTILINE)
"""A command to type, a file to open, or a button as it stands on a handset's own screen."""
LATIN = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*")
HALF_WIDTH = re.compile(r"[()]")
SPACED = re.compile(r"[ぁ-んァ-ヶー一-龥、。] [A-Za-z0-9]|[A-Za-z0-9] [ぁ-んァ-ヶー一-龥]")
"""A space between Japanese and a Latin word or a number; what is filled in may have one."""
OTHER_LANGUAGE = "page.other_language"


def flat(table: dict, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def shipped() -> dict[str, str]:
    """Every Japanese text that benchd ships, by its key, or for a cause by its English."""
    folder = resources.files("benchd").joinpath("texts")
    texts = dict(flat(tomllib.loads(folder.joinpath("ja.toml").read_text("utf-8"))))
    causes = tomllib.loads(folder.joinpath("causes.toml").read_text("utf-8"))["cause"]
    signed = tomllib.loads(folder.joinpath("certificate_ja.toml").read_text("utf-8"))["sentence"]
    return {**texts, **{told["says"]: told["ja"] for told in (*causes, *signed)}}


def of_models() -> Iterator[tuple[str, str]]:
    """Every Japanese text in the catalogue of models, by its place."""

    def within(value: object, at: str) -> Iterator[tuple[str, str]]:
        match value:
            case dict():
                for key, inner in value.items():
                    if key == "ja" and isinstance(inner, str):
                        yield f"{at}.ja", inner
                    else:
                        yield from within(inner, f"{at}.{key}")
            case list():
                for number, inner in enumerate(value):
                    yield from within(inner, f"{at}[{number}]")
            case _:
                pass

    for file in MODELS:
        yield from within(tomllib.loads(file.read_text("utf-8")), file.name)


TEXTS = shipped()


def foreign_words(text: str) -> set[str]:
    plain = LITERAL.sub("", FILLED_IN.sub("", text))
    fixed = {word for words in FIXED.values() for word in words}
    return {word.rstrip(".") for word in LATIN.findall(plain)} - fixed


def old_words(text: str) -> set[str]:
    return {old for old in OLD if old in text}


def test_only_fixed_words_are_in_latin_letters() -> None:
    found = {key: words for key, text in TEXTS.items() if (words := foreign_words(text))}
    # The button that leads to English is written for whoever reads English.
    assert found == {OTHER_LANGUAGE: {"English"}}


def test_brackets_are_full_width() -> None:
    assert not [key for key, text in TEXTS.items() if HALF_WIDTH.search(LITERAL.sub("", text))]


def test_item_8_no_space_parts_japanese_from_a_latin_word() -> None:
    def plain(text: str) -> str:
        return FILLED_IN.sub("＿", LITERAL.sub("＿", text)).replace("＿ °C", "＿")

    assert not [key for key, text in TEXTS.items() if SPACED.search(plain(text))]


def test_no_text_says_an_old_word() -> None:
    assert not {key: words for key, text in TEXTS.items() if (words := old_words(text))}


@pytest.mark.parametrize("word", [word for words in FIXED.values() for word in words])
def test_every_fixed_word_is_needed(word: str) -> None:
    said = " ".join([*TEXTS.values(), *(text for _, text in of_models())])
    assert re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", said)


def test_the_catalogue_of_models_says_no_old_word_and_no_half_width_bracket() -> None:
    for place, text in of_models():
        assert not HALF_WIDTH.search(text), place
        assert not old_words(text), place


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_japanese_pages_say_no_old_word(page: Path) -> None:
    assert not old_words(page.read_text("utf-8"))


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_japanese_pages_have_full_width_brackets(page: Path) -> None:
    text = page.read_text("utf-8")
    code = r"```.*?```|`[^`\n]*`|<https://[^>]*>|\]\([^)]*\)"
    plain = re.sub(code, "", text, flags=re.DOTALL)
    beside = re.compile(r"[぀-ヿ一-鿿、。]\(|\)[぀-ヿ一-鿿、。]")
    assert not beside.findall(plain)


def test_the_test_sees_english_where_it_stands() -> None:
    assert foreign_words("「journalctl -u benchd」を見ます。{model}のIMEI") == set()
    assert foreign_words("no line from the fill program") >= {"line", "fill"}
    assert foreign_words("secure_folder（セキュリティフォルダ）") == {"secure_folder"}
    assert foreign_words("「このPCのbutton」") == {"button"}
