"""Dossiers as they are read: what one answer hides hides no other, and nothing is made up."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from handset_fixtures import answer

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.dossier.replay import Replay, replay
from benchd.devices.android.facts.fact_table import FACTS
from benchd.domain.errors import DossierInvalid
from benchd.domain.handset import HandsetFacts, NfcFacts, ResetFacts
from benchd.domain.job import Reason


def of(folder: Path, **answers: str) -> Replay:
    for name, text in answers.items():
        (folder / f"{name}.txt").write_text(text)
    return replay(read_folder(folder))


def test_one_answer_is_a_dossier(tmp_path: Path) -> None:
    found = of(tmp_path, users=answer("users-16-xspace"))
    assert found.facts["user_ids"] == (0, 10, 999)
    assert [name for name, value in found.facts.items() if value is not None] == [
        "user_ids",
        "user_kinds",
    ]
    assert "properties" in found.missing
    assert "users" not in found.missing
    assert found.refused == ()


def test_a_refused_answer_is_named_and_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "battery.status").write_text("20\n")
    found = of(tmp_path, battery="", users="garbage\n", volumes=answer("volumes-12-card"))
    assert {one.command for one in found.refused} == {"battery", "users"}
    assert found.facts["battery_percent"] is None
    assert found.facts["removable_media"] is True
    assert set(found.findings) == {Reason.REMOVABLE_MEDIA, Reason.ANSWER_NOT_RECOGNISED}


def test_a_df_without_its_mount_table_tells_nothing(tmp_path: Path) -> None:
    found = of(tmp_path, usage=answer("df-9"))
    assert found.facts["capacity_bytes"] is None
    assert "mounts" in found.missing
    assert found.refused == ()


def test_a_dossier_from_before_stat_was_asked_is_read_as_it_was(tmp_path: Path) -> None:
    found = of(tmp_path, usage=answer("df-9"), mounts=answer("mounts-7-ext4"))
    assert found.facts["capacity_bytes"] == 53487616 * 1024
    assert found.facts["statfs_capacity_bytes"] is None
    assert "statfs" in found.missing
    assert found.refused == ()


def test_two_sizes_of_one_storage_are_named_in_a_dossier_too(tmp_path: Path) -> None:
    twice = {"usage": answer("df-9"), "mounts": answer("mounts-7-ext4")}
    found = of(tmp_path, **twice, statfs=answer("statfs-16-pixel-8-pro"))
    assert [one.command for one in found.refused] == ["statfs"]
    assert Reason.STORAGE_CONTRADICTS in found.findings
    assert found.facts["capacity_bytes"] is None
    found = of(tmp_path, **twice, statfs=answer("statfs-9"))
    assert found.facts["statfs_capacity_bytes"] == found.facts["capacity_bytes"]
    assert found.refused == ()


def test_every_fact_on_record_is_told() -> None:
    on_record = {
        field.name for kind in (HandsetFacts, ResetFacts, NfcFacts) for field in fields(kind)
    }
    assert set(FACTS) == on_record


@pytest.mark.parametrize("name", ["empty", "elsewhere"])
def test_a_folder_without_an_answer_is_no_dossier(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "holiday.txt").write_text("sun\n")
    with pytest.raises(DossierInvalid, match=name):
        read_folder(tmp_path / name)


def test_an_answer_without_bounds_and_a_status_that_is_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("x" * (4 * 1024 * 1024 + 1))
    with pytest.raises(DossierInvalid, match="more than"):
        read_folder(tmp_path)
    (tmp_path / "users.txt").write_text("")
    (tmp_path / "users.status").write_text("none\n")
    with pytest.raises(DossierInvalid, match="no exit status"):
        read_folder(tmp_path)
