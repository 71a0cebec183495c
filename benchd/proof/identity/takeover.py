"""Whether a later job has taken a handset over: by a proven IMEI, or as its recheck.

The ledger's own answer and the read model both ask here.
"""

from __future__ import annotations

from dataclasses import replace

from benchd.domain.ids import JobId
from benchd.domain.job import StageName
from benchd.domain.record import Entry
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence
from benchd.proof.identity.traits import Relation, Traits, compare
from benchd.proof.record_subject import imeis_proven, seen_in


def rechecked_in(entry: Entry) -> JobId | None:
    """The drawn job whose handset this record has found to be there for its recheck."""
    found = seen_in(entry, (StageName.FIND_DRAWN,))
    return JobId(found.drawn_job) if isinstance(found, FindDrawnEvidence) else None


def takes_over(mine: Traits, later: Traits, entry: Entry) -> bool:
    """Whether this record of a later job proves a number of the same handset, undisputed.

    By numbers, serial, model and tied chip, which whatever asks has at hand. A chip that the later
    job ties after that record counts as well: of two that tell one number it says which is which.
    """
    if not imeis_proven(entry) & mine.proven:
        return False
    return compare(_plain(mine), _plain(later)).relation is Relation.CERTAIN


def _plain(traits: Traits) -> Traits:
    return replace(traits, chips=frozenset(), label=None)
