"""Which earlier draws of a handset a later one has to name."""

from __future__ import annotations

import pytest

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from benchd.proof.evidence.recheck_evidence import DRAW_BYTES
from benchd.proof.recheck_draw import draw_gaps
from tests.imeis import imei
from tests.proof.test_identity import Story

LAST = "ff" * DRAW_BYTES
FIRST = "00" * DRAW_BYTES


def told(story: Story, job: str, *, drawn: bool) -> None:
    """A job of the handset with this number, and what was drawn for it."""
    story.add(job, EntryKind.JOB_OPENED, recheck_share=0.5)
    story.read(job, Gate.IMEI, imei(1))
    token = FIRST if drawn else LAST
    story.add(job, EntryKind.RECHECK_DRAWN, share=0.5, token=token, owed=[], drawn=drawn)


@pytest.mark.parametrize("first", ["mine", "other"])
def test_a_draw_names_those_before_it_and_none_after_it(first: str) -> None:
    story = Story()
    for job in ("mine", "other") if first == "mine" else ("other", "mine"):
        told(story, job, drawn=job == "other")
    mine, others = (
        [r for r in story.records if (r.entry.job == "mine") is own] for own in (True, False)
    )
    owed = [] if first == "mine" else ["recheck_drawn: the recheck of job other is owed"]
    assert draw_gaps(JobId("mine"), mine, others) == owed
