"""A drawn handset is certified in its recheck: its papers are honest, and have its label."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import looptime
import pytest

from benchd.certificate import SigningKey
from benchd.certificate.statement import statement_of
from benchd.domain.errors import CertificateInvalid
from benchd.domain.evidence_json import to_json
from benchd.domain.lot_papers import AskedPapers
from tests.certificate.certificate_rack import ISSUED_AT
from tests.intake.lots import imei
from tests.papers.lots.lot_rack import LOT, LotRack, job_id
from tests.papers.lots.test_lot_truth import of_day, told
from tests.papers.papers_made import signed
from tests.proof.test_recheck_proof import held

DRAWN, RECHECK = job_id(1), job_id(2)
Statement = dict[str, Any]
"""As JSON."""


@pytest.fixture(scope="module")
def rechecked() -> Statement:
    """What a rack states of a drawn handset whose recheck has passed."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        erasure = runner.run(held(chips=True)).verify()
    return to_json(
        statement_of(
            erasure,
            at=ISSUED_AT,
            site="大宮",
            benchd_version="0.1.0",
            benchd_commit="4f" * 20,
        )
    )


def certificate(rechecked: Statement, key: SigningKey, drawn: str, recheck: str) -> str:
    statement = json.loads(json.dumps(rechecked))
    statement["predicate"]["job"] = drawn
    statement["predicate"]["recheck"]["passed"]["job"] = recheck
    return signed(statement, key).envelope.decode()


@pytest.fixture
def drawn(key: SigningKey) -> LotRack:
    """Its recheck runs, and nothing but what it has found binds it to a label."""
    rack = LotRack(key, None)
    rack.lot("L-1", "T-1")
    rack.begin(1, "T-1")
    rack.told.end(DRAWN, "passed", "hold", "recheck_due")
    rack.told.open(RECHECK, recipe="drawn_recheck")
    rack.told.find_drawn(RECHECK, DRAWN, imei(1))
    return rack


@pytest.mark.asyncio
@pytest.mark.parametrize("asked", [LOT, of_day()], ids=["lot", "day"])
async def test_it_counts_as_certified_and_verifies(
    drawn: LotRack,
    rechecked: Statement,
    tmp_path: Path,
    asked: AskedPapers,
) -> None:
    drawn.told.sell(RECHECK, certificate(rechecked, drawn.key, DRAWN, RECHECK))
    papers = await told(drawn, tmp_path, asked)
    assert [(line.job, line.tag, line.handset) for line in papers.handsets] == [
        *((DRAWN, "T-1", 1), (RECHECK, "T-1", 1)),
    ]
    assert papers.handsets[1].pdf == f"certificates/{RECHECK}-T-1.pdf"
    assert (papers.counts.handsets, papers.counts.certified) == (1, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("jobs", [(DRAWN, job_id(3)), (RECHECK, job_id(3))])
async def test_a_certificate_of_another_recheck_is_found_out(
    drawn: LotRack,
    rechecked: Statement,
    tmp_path: Path,
    jobs: tuple[str, str],
) -> None:
    drawn.told.sell(RECHECK, certificate(rechecked, drawn.key, *jobs))
    with pytest.raises(CertificateInvalid, match="another job"):
        await told(drawn, tmp_path)


@pytest.mark.asyncio
@pytest.mark.parametrize("job", [DRAWN, RECHECK])
async def test_a_hold_on_either_of_its_jobs_holds_it(
    drawn: LotRack,
    rechecked: Statement,
    tmp_path: Path,
    job: str,
) -> None:
    drawn.told.sell(RECHECK, certificate(rechecked, drawn.key, DRAWN, RECHECK))
    drawn.hold(job)
    papers = await told(drawn, tmp_path)
    assert (papers.counts.handsets, papers.counts.held) == (1, 1)


@pytest.mark.asyncio
async def test_what_came_later_of_its_label_or_number_counts_for_it_too(
    drawn: LotRack,
    rechecked: Statement,
    tmp_path: Path,
) -> None:
    drawn.told.sell(RECHECK, certificate(rechecked, drawn.key, DRAWN, RECHECK))
    later = job_id(3)
    drawn.told.open(later, recipe="recheck")
    drawn.told.bind(later, "T-1")
    drawn.told.end(later, "failed", "destroy", "felica_residue")
    papers = await told(drawn, tmp_path)
    assert [line.handset for line in papers.handsets] == [1, 1, 1]
    assert (papers.counts.certified, papers.counts.not_certified) == (0, 1)
