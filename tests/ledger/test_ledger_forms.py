"""One form of ledger is read: an older one is refused by name, and so is a newer one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest
from ledger_rack import FillLedger, RackKey, add, make_entry, opens

from benchd.domain.errors import LedgerFault
from benchd.domain.evidence_json import FORM as FORM_OF_EVIDENCE
from benchd.domain.evidence_json import OLDEST_FORM
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import ledger_database, verify_ledger
from benchd.ledger.checksum_vfs import CHECKSUM_VFS

pytestmark = pytest.mark.asyncio

FORM = max(ledger_database._migrations())


def form_of(path: Path) -> object:
    with closing(apsw.Connection(str(path), vfs=CHECKSUM_VFS)) as connection:
        return next(connection.execute("PRAGMA user_version"))[0]


def say_form(path: Path, form: int) -> None:
    """The file's header says another form than it has."""
    with closing(apsw.Connection(str(path), vfs=CHECKSUM_VFS)) as connection:
        connection.execute(f"PRAGMA user_version = {form}")


async def test_numbers_of_forms_before_the_first_release_are_not_used_again() -> None:
    assert min(ledger_database._migrations()) == 12


@pytest.mark.parametrize("form", range(1, 12))
async def test_an_older_ledger_is_refused_by_its_name_with_the_cure_and_left_as_it_is(
    form: int, fill: FillLedger, key: RackKey
) -> None:
    path = await fill(3)
    say_form(path, form)
    with pytest.raises(LedgerFault) as opened:
        await opens(path, key)
    with pytest.raises(LedgerFault) as verified:
        verify_ledger(path, key.public_key_pem)
    for told in (str(opened.value), str(verified.value)):
        assert f"has form {form}, from before benchd's first release" in told
        assert "move it away" in told
    assert form_of(path) == form


@pytest.mark.parametrize("form", [*range(1, OLDEST_FORM), None])
async def test_a_ledger_whose_first_evidence_is_of_an_older_form_is_refused_by_that(
    form: int | None, fill: FillLedger, key: RackKey
) -> None:
    """Whatever follows it: none of its jobs may be passed over when a handset comes back."""
    path = await fill(1)
    for each in (form, FORM_OF_EVIDENCE):
        told = {"stage": "inspect", "outcome": "passed", "evidence": {}}
        entry = make_entry(1, told if each is None else {**told, "form": each})
        await _append(path, key, entry)
    with pytest.raises(LedgerFault) as refused:
        await opens(path, key)
    assert f"its evidence is of form {form or 1}, from before" in str(refused.value)
    assert "move it away" in str(refused.value)


async def _append(path: Path, key: RackKey, entry: Entry) -> None:
    with pytest.MonkeyPatch.context() as without_the_look:
        without_the_look.setattr(ledger_database, "_refuse_older_evidence", lambda _: None)
        await add(path, key, [entry])


async def test_a_ledger_that_begins_with_evidence_of_today_opens_whatever_follows(
    fill: FillLedger, key: RackKey
) -> None:
    """What a newer release has written since breaks the record of its job, and no more."""
    path = await fill(1)
    for form in (FORM_OF_EVIDENCE, 99):
        await _append(path, key, make_entry(1, {"stage": "inspect", "form": form}))
    await add(path, key, [Entry(kind=EntryKind.CONFIG_CHANGED, at=make_entry(0).at)])


async def test_a_second_form_is_one_more_file_and_the_first_is_read_on(
    fill: FillLedger, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/extending.md, A second form."""
    path, known = await fill(3), ledger_database._migrations()
    index = "CREATE INDEX record_of_weight ON record (sequence) WHERE kind = 'handset_weighed';"
    with monkeypatch.context() as newer:
        newer.setattr(ledger_database, "_migrations", lambda: {**known, FORM + 1: index})
        assert verify_ledger(path, key.public_key_pem).records == 3
        await add(path, key, [make_entry(3)])
        assert form_of(path) == FORM + 1
        assert verify_ledger(path, key.public_key_pem).records == 4
    # Gone back, it is refused by the release that doesn't know it, and left as it is.
    with pytest.raises(LedgerFault, match=rf"made by a newer benchd \(form {FORM + 1}\)"):
        await opens(path, key)
    assert form_of(path) == FORM + 1
