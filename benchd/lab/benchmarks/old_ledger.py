"""The ledger of a rack that has worked for years: its records, its key and its read model.

Written by the ledger's own append, so that chain, head and signature are what they always are. It
is made once and kept below the user's cache, named after the sources that it is made by.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Final

import benchd
from benchd.certificate import create_key
from benchd.daemon.read_model_rebuild import read_whole
from benchd.domain.record import Entry, Receipt
from benchd.lab.benchmarks.bench_report import say
from benchd.lab.benchmarks.synthetic_jobs import TakenIn, job_records, noise_records
from benchd.ledger.ledger_store import MOST_RECORDS, LedgerStore
from benchd.ledger.reader import LedgerReader
from benchd.ledger.records.read_model import ReadModel
from benchd.ledger.records.records_database import records_path

LEDGER: Final = "ledger.sqlite"
KEY: Final = "certificate_key.pem"
RECORDS_PER_JOB: Final = 20
JOB_EVERY: Final = timedelta(minutes=10)
ENDED: Final = datetime(2025, 6, 1, tzinfo=UTC)
"""Before the present: a clock that seems set back would be another matter."""
KEPT: Final = 3
"""Of different sizes, or of a source and the next."""
_MADE_BY: Final = (
    "ledger",
    "proof/evidence",
    "domain",
    "lab/benchmarks/synthetic_jobs.py",
    "lab/benchmarks/old_ledger.py",
)


def old_ledger(records: int) -> Path:
    """A folder with a ledger of at least so many records: to be copied, never written to."""
    kept = _cache()
    folder = kept / f"{records}-{_digest()}"
    if not folder.exists():
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="made-", dir=kept) as made:
            say(f"making a ledger of {records} records, once")
            make_ledger(Path(made) / "ledger", records)
            try:
                (Path(made) / "ledger").rename(folder)
            except OSError:
                if not folder.exists():  # somebody else was faster
                    raise
        _let_go(kept)
    os.utime(folder)
    return folder


def make_ledger(folder: Path, records: int) -> None:
    """Make one in a new folder."""
    folder.mkdir()
    ledger = folder / LEDGER
    store = LedgerStore(ledger, create_key(folder / KEY))
    with closing(store):
        entries = _entries(records)
        while piece := list(islice(entries, MOST_RECORDS)):
            while piece:
                answers = store.append_all(piece)
                refused = [answer for answer in answers if not isinstance(answer, Receipt)]
                if refused:
                    raise refused[0]
                del piece[: len(answers)]
    # A read model follows its ledger by itself, but a rack that is started has one.
    with closing(LedgerReader(ledger)) as reader, closing(ReadModel(records_path(ledger))) as model:
        read_whole(reader, model)


def copy_ledger(old: Path, folder: Path) -> None:
    """Put its files into the folder of a daemon, in the place of those that it has."""
    for file in old.iterdir():
        shutil.copy2(file, folder / file.name)


def _entries(records: int) -> Iterator[Entry]:
    """Whole jobs from their intake to their end, the last one long ago."""
    jobs = -(-records // RECORDS_PER_JOB)
    begin = ENDED - jobs * JOB_EVERY
    return chain.from_iterable(_job(number, begin + number * JOB_EVERY) for number in range(jobs))


def _job(number: int, at: datetime) -> Iterator[Entry]:
    yield from TakenIn.records(number, at)
    told = list(job_records(number, at))
    yield from told[:-1]
    yield from noise_records(number, at, RECORDS_PER_JOB - len(told))
    yield replace(told[-1], at=at + timedelta(minutes=5))


def _cache() -> Path:
    above = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(above) / "benchd" / "ledgers"


def _digest() -> str:
    """Of every source that has a say in what stands in it."""
    house, told = Path(benchd.__file__).parent, hashlib.sha256()
    for name in _MADE_BY:
        place = house / name
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in files:
            if file.suffix in {".py", ".sql"}:
                told.update(hashlib.sha256(file.read_bytes()).digest())
    return told.hexdigest()[:16]


def _let_go(kept: Path) -> None:
    """All but the newest ones, by when somebody has last asked for them."""
    folders = sorted(kept.glob("[0-9]*-*"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in folders[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
