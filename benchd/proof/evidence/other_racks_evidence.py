"""What is on record of asking the fleet's centre about a handset."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchd.domain.evidence_values import Said
from benchd.domain.handset_question import Asked, ElsewhereFinding, Lease, NotAsked


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRacksRecord:
    """`other_racks_asked`: one question, and what came back."""

    stage: Said
    """In which stage it was asked."""
    asked: bool
    """Whether the centre has answered this very question, by its signature."""
    because: str | None
    """Why it counts as not asked."""
    with_chip: bool
    """Whether they were asked for its chip, too: it was seen, and this rack has their secret."""
    findings: tuple[ElsewhereFinding, ...]
    lease: Lease | None
    reply: str | None = field(repr=False)
    """The centre's answer as it has signed it."""

    @classmethod
    def of(cls, stage: str, told: Asked | NotAsked, *, with_chip: bool = False) -> OtherRacksRecord:
        """An answer, or that there is none, as it is put on record."""
        if isinstance(told, NotAsked):
            return cls(
                stage=stage,
                asked=False,
                because=told.why,
                with_chip=with_chip,
                findings=(),
                lease=None,
                reply=None,
            )
        return cls(
            stage=stage,
            asked=True,
            because=None,
            with_chip=with_chip,
            findings=told.findings,
            lease=told.lease,
            reply=told.reply,
        )
