"""Fresh pictures on disk: what was written is read, and nothing else is (issue 16)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate.signed_pictures import believed, has_signed_picture, sign_picture
from benchd.config.fresh_pictures import read_pictures, read_signed, text_of
from benchd.daemon.fresh_learning import keep
from benchd.domain.errors import UsageRefused
from benchd.domain.handset import Package
from benchd.proof.evidence.fresh_evidence import SignedPicture, SignedTaking
from benchd.proof.fresh_comparison import approve
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import public_key_of
from tests.core.pictures import KEY, MEMO, mark, picture, taking
from tests.core.world import MIB

SIGNER = public_key_of(KEY.public_key_pem)
LATER = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
ANOTHER: dict[str, Any] = {"by": "鈴木", "marks": (mark("other"),)}


def written(folder: Path, signed: SignedPicture) -> Path:
    path = folder / "SO-51C.picture.toml"
    path.write_text(text_of(signed), encoding="utf-8")
    return path


def test_what_was_written_is_read_and_believed(tmp_path: Path) -> None:
    assert read_pictures(tmp_path / "nowhere") == ()
    bytes_alone = picture(packages=(), maker_accounts=0, maker_account_types=())
    for of in (picture(), bytes_alone):
        signed = sign_picture(of, KEY)
        assert read_signed(written(tmp_path, signed), SignedPicture) == signed
        assert believed(read_pictures(tmp_path), SIGNER).all == (signed,)
    # Another rack's is not.
    other = SigningKey(Ed25519PrivateKey.from_private_bytes(b"1" * 32))
    written(tmp_path, sign_picture(picture(), other))
    assert believed(read_pictures(tmp_path), SIGNER).all == ()


def test_careless_what_two_have_taken_counts_once_a_third_has_approved_it(tmp_path: Path) -> None:
    keep(tmp_path, taking(), KEY)
    made = keep(tmp_path, taking(**ANOTHER), KEY).picture
    assert made is not None
    for one_of_them in ("佐藤", "鈴木"):
        with pytest.raises(UsageRefused, match="has reset one of its handsets"):
            approve(made, by=one_of_them, at=LATER)
    signed = sign_picture(approve(made, by="森", at=LATER), KEY)
    written(tmp_path, signed)
    assert signed in believed(read_pictures(tmp_path), SIGNER).all


def test_a_picture_of_before_is_read_as_it_was_signed_and_excuses_nothing(tmp_path: Path) -> None:
    """Without a line of what nobody asked for then; it has to be learned anew."""
    older = replace(
        picture(),
        approved_by=None,
        approved_at=None,
        witnesses=tuple(replace(w, boot_count=None, up_s=None) for w in picture().witnesses),
    )
    signed = sign_picture(older, KEY)
    path = written(tmp_path, signed)
    assert not {"approved", "boot_count", "up_s"} & set(re.findall("[a-z_]+", path.read_text()))
    assert read_pictures(tmp_path) == (signed,)
    assert has_signed_picture(SIGNER, signed)
    assert believed([signed], SIGNER).all == ()


def test_no_byte_of_it_can_be_changed(tmp_path: Path) -> None:
    """Each is refused, or is of no account: nobody believes another picture than was signed."""
    signed = sign_picture(picture(), KEY)
    path = written(tmp_path, signed)
    whole = path.read_bytes()
    believed_still = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = believed(read_pictures(tmp_path), SIGNER).all
        except UsageRefused:
            continue
        assert found in ((), (signed,))
        believed_still += bool(found)
    assert believed_still < whole.index(b"\n") + 40, "only comments and spaces may differ"


REFUSED = {
    "an account of a person": {"maker_account_types": ("com.google",)},
    "an account that nobody knows": {"maker_account_types": ("jp.example",)},
    "a place of an owner's": {"packages": (replace(MEMO, place="/data/app/x/base.apk"),)},
    "a place that leads elsewhere": {"packages": (replace(MEMO, place="/oem/../data/x.apk"),)},
    "one witness": {"witnesses": picture().witnesses[:1]},
    "more than its handsets had": {"used_bytes": 12 * MIB},
}


@pytest.mark.parametrize("case", REFUSED)
def test_even_with_the_racks_signature_it_excuses_no_person(tmp_path: Path, case: str) -> None:
    lying: Any = replace(picture(), **REFUSED[case])
    written(tmp_path, sign_picture(lying, KEY))
    with pytest.raises(UsageRefused):
        read_pictures(tmp_path)


def test_the_first_handset_waits_and_the_second_makes_the_picture(tmp_path: Path) -> None:
    first = keep(tmp_path, taking(), KEY)
    assert first.picture is None
    assert read_pictures(tmp_path) == ()
    extra = Package(name="jp.example", place="/product/app/x/x.apk")
    second = keep(tmp_path, taking(**ANOTHER, packages=(MEMO, extra)), KEY)
    assert not first.file.exists()
    assert second.left_out == ("/product/app/x/x.apk=jp.example",)
    [signed] = read_pictures(tmp_path)
    assert signed.picture == second.picture
    assert believed([signed], SIGNER).all == ()
    with pytest.raises(UsageRefused, match="already"):
        keep(tmp_path, taking(), KEY)


@pytest.mark.parametrize("second", [ANOTHER | {"by": "佐藤"}, ANOTHER | {"marks": (mark("one"),)}])
def test_a_second_that_is_the_first_leaves_the_first_waiting(
    tmp_path: Path, second: dict[str, Any]
) -> None:
    first = keep(tmp_path, taking(), KEY)
    with pytest.raises(UsageRefused):
        keep(tmp_path, taking(**second), KEY)
    assert first.file.exists()
    assert read_pictures(tmp_path) == ()


def test_a_first_taking_that_was_edited_makes_no_picture(tmp_path: Path) -> None:
    first = keep(tmp_path, taking(packages=()), KEY)
    text = first.file.read_text(encoding="utf-8")
    first.file.write_text(text.replace('by = "\\u4f50\\u85e4"', 'by = "Tanaka"'), encoding="utf-8")
    assert read_signed(first.file, SignedTaking).taking.by == "Tanaka"
    with pytest.raises(UsageRefused, match="changed"):
        keep(tmp_path, taking(**ANOTHER), KEY)
    assert not list(tmp_path.glob("*.picture.toml"))
