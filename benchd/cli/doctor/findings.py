"""What a look has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from benchd.cli.messages import Fact
from benchd.cli.misuse import why
from benchd.texts.templates import Texts


class Verdict(StrEnum):
    """How something is. What couldn't be looked at is never `ok`."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one thing is, by keys of the catalogue with their facts, and what to do about it."""

    check: str
    verdict: Verdict
    word: str
    cure: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])


@dataclass(frozen=True, slots=True)
class About:
    """Makes findings of one check, whose facts they share."""

    check: str
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])

    def having(self, **facts: object) -> About:
        """The same with more facts; texts in both languages stay what they are."""
        told = {k: v if isinstance(v, Texts) else str(v) for k, v in facts.items()}
        return replace(self, facts={**self.facts, **told})

    def ok(self, word: str) -> Finding:
        """It was looked at, and is as it should be."""
        return self._of(Verdict.OK, word, None)

    def warn(self, word: str, cure: str) -> Finding:
        """The rack works, and it should be mended."""
        return self._of(Verdict.WARN, word, cure)

    def fail(self, word: str, cure: str) -> Finding:
        """The rack doesn't work, or what it says isn't safe."""
        return self._of(Verdict.FAIL, word, cure)

    def not_checked(self, word: str, cure: str | None = None) -> Finding:
        """It couldn't be looked at, for the reason that the word says."""
        return self._of(Verdict.NOT_CHECKED, word, cure)

    def not_to_be_seen(self, path: object, error: OSError) -> Finding:
        """This user may not look at it, or it can't be read at all."""
        cure = "cure.as_root" if isinstance(error, PermissionError) else "cure.look_at_disk"
        about = self.having(path=path, detail=why(error))
        return about.not_checked("doctor.not_to_be_seen", cure)

    def _of(self, verdict: Verdict, word: str, cure: str | None) -> Finding:
        return Finding(check=self.check, verdict=verdict, word=word, cure=cure, facts=self.facts)
