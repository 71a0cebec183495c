"""What people read of errors: in Japanese a sentence of the catalogue first."""

from __future__ import annotations

import re

import pytest

from benchd.domain import errors
from benchd.domain.errors import (
    AnchorUnreachable,
    BenchdError,
    ConfigInvalid,
    ConfigIssue,
    DecisionRefused,
    DependencyMissing,
    LedgerBroken,
    NotFound,
    PersonRefused,
    RecordsUnavailable,
    SlotBusy,
    TransientFault,
)
from benchd.texts.catalogue import Catalogue
from benchd.texts.failures import failure_text
from tests.texts.cures import CURE, CURE_IN_ENGLISH

JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BenchdError)
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_error_begins_in_japanese(
    kind: type[BenchdError], catalogue: Catalogue
) -> None:
    error = kind.__new__(kind)
    error.args = ("sda7: rc 5",)
    if isinstance(error, ConfigInvalid):
        error.issues = ()
    first, *detail = failure_text(error, catalogue, "ja").splitlines()
    assert JAPANESE.search(first)
    assert detail == ["技術情報: sda7: rc 5"]
    message, *cure = failure_text(error, catalogue, "en").splitlines()
    assert message == "sda7: rc 5"
    assert bool(cure) == (not isinstance(error, ConfigInvalid))


def test_words_of_its_own_need_no_detail(catalogue: Catalogue) -> None:
    error = DependencyMissing("gone", cure="wait")
    error.japanese = "ありません\n待ちます"
    assert failure_text(error, catalogue, "ja") == "ありません\n待ちます"
    assert failure_text(error, catalogue, "en") == "gone\nwait"


def test_every_mistake_of_a_configuration_stays_below(catalogue: Catalogue) -> None:
    issues = tuple(
        ConfigIssue(file="x.toml", line=n, column=1, key="adb", message="?") for n in (1, 2)
    )
    told = failure_text(ConfigInvalid(issues), catalogue, "ja").splitlines()
    assert told[1:] == ["x.toml:1:1: adb: ?", "x.toml:2:1: adb: ?"]


@pytest.mark.parametrize(
    ("message", "japanese"),
    [
        (
            "is required and missing; add the key name",
            "必要なものがありません。キー name を加えます",
        ),
        ("found 0, allowed is at least 1", "0 は使えません。1 以上にします"),
        ("found 1, allowed is one of no, 2", "1 は使えません。次のどれかにします: no, 2"),
    ],
)
def test_item_8_a_mistake_of_a_configuration_is_told_in_japanese_at_its_place(
    message: str, japanese: str, catalogue: Catalogue
) -> None:
    issue = ConfigIssue(file="x.toml", line=3, column=1, key="adb", message=message)
    told = failure_text(ConfigInvalid((issue,)), catalogue, "ja").splitlines()
    assert told[1:] == [f"x.toml:3:1: adb: {japanese}"]


def test_every_failure_is_a_kind_of_error(catalogue: Catalogue) -> None:
    names = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower() for kind in KINDS}
    assert catalogue.section("failure").keys() <= names


@pytest.mark.parametrize(
    ("error", "refusal", "key"),
    [
        (NotFound("no x"), "", "failure.not_found"),
        (SlotBusy("A1"), "", "failure.slot_busy"),
        (RecordsUnavailable("?"), "", "refusal.records_unavailable"),
        (AnchorUnreachable("?"), "", "failure.benchd_error"),
        (TransientFault("closed"), "", "failure.handset_fault"),
        (LedgerBroken("record 7", sequence=7), "", "failure.ledger_broken"),
        (PersonRefused("two of mori"), "", "failure.person_refused"),
        (DecisionRefused("two of mori"), "person_refused", "failure.person_refused"),
        # What the daemon has refused is told by its code, if that says anything here.
        (DecisionRefused("no"), "second_person_needed", "refusal.second_person_needed"),
        (DecisionRefused("no"), "not_found", "failure.decision_refused"),
        (DecisionRefused("no"), "of_next_year", "failure.decision_refused"),
        (DecisionRefused("no"), "benchd_error", "failure.decision_refused"),
        (DecisionRefused("no"), "", "failure.decision_refused"),
    ],
)
def test_an_error_is_told_by_its_code_or_its_kind(
    error: BenchdError, refusal: str, key: str, catalogue: Catalogue
) -> None:
    error.refusal = refusal or error.refusal
    told = failure_text(error, catalogue, "ja")
    assert told == f"{catalogue.text(key).ja}\n技術情報: {error}"
    english = failure_text(error, catalogue, "en")
    assert english == f"{error}\n{catalogue.text(key).en}"


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (
            DependencyMissing(
                "the signing key /k/a.pem isn't there",
                cure="Make one with `benchd key create`, or put back the file of this rack.",
            ),
            [
                "署名鍵 /k/a.pem がありません",
                (
                    "このラックのファイルを戻します。"
                    "新しいラックのときだけ「benchd key create」で作ります。"
                ),
            ],
        ),
        (
            DependencyMissing("the signing key /k can't be read: Permission denied", cure="?"),
            ["署名鍵 /k を読めません（使う権限がありません）", "技術情報: ?"],
        ),
        (
            NotFound("there is no slot B9"),
            ["スロット B9 はありません。名前は「benchd slots list」で分かります"],
        ),
        (PersonRefused("a PIN has 4 to 12 digits"), ["PINは 4〜12 桁の数字にします"]),
    ],
)
def test_item_8_no_english_stands_below_a_japanese_headline(
    error: BenchdError, detail: list[str], catalogue: Catalogue
) -> None:
    assert failure_text(error, catalogue, "ja").splitlines()[1:] == detail


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_item_8_each_kind_of_error_says_what_to_do_in_both_languages(
    kind: type[BenchdError], catalogue: Catalogue
) -> None:
    error = kind.__new__(kind)
    error.args = ("?",)
    if issubclass(kind, ConfigInvalid):
        error = ConfigInvalid(())
    headline = failure_text(error, catalogue, "ja").splitlines()[0]
    assert CURE.search(headline), headline
    if not issubclass(kind, ConfigInvalid):
        _, cure = failure_text(error, catalogue, "en").splitlines()
        assert CURE_IN_ENGLISH.search(cure), cure


def test_below_it_stands_what_the_error_says(catalogue: Catalogue) -> None:
    told = failure_text(NotFound("no job x"), catalogue, "ja")
    assert told == f"{catalogue.text('failure.not_found').ja}\n技術情報: no job x"
    error = DecisionRefused("sato has worked on it")
    error.refusal = "second_person_needed"
    assert failure_text(error, catalogue, "ja").splitlines() == [
        catalogue.text("refusal.second_person_needed").ja,
        "技術情報: sato has worked on it",
    ]
