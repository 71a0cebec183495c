"""What a look has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from benchd.commands.misuse import why
from benchd.commands.saying import Fact
from benchd.texts.doctor_words import Check, Cure, DoctorWord, Verdict
from benchd.texts.templates import Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one thing is, in words of the catalogue with their facts, and what to do about it."""

    check: Check
    verdict: Verdict
    word: DoctorWord
    cure: Cure | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])


@dataclass(frozen=True, slots=True)
class About:
    """Makes findings of one check, whose facts they share."""

    check: Check
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])

    def having(self, **facts: object) -> About:
        """The same with more facts; texts in both languages stay what they are."""
        told = {k: v if isinstance(v, Texts) else str(v) for k, v in facts.items()}
        return replace(self, facts={**self.facts, **told})

    def ok(self, word: DoctorWord) -> Finding:
        """It was looked at, and is as it should be."""
        return self._of(Verdict.OK, word, None)

    def warn(self, word: DoctorWord, cure: Cure) -> Finding:
        """The rack works, and it should be mended."""
        return self._of(Verdict.WARN, word, cure)

    def fail(self, word: DoctorWord, cure: Cure) -> Finding:
        """The rack doesn't work, or what it says isn't safe."""
        return self._of(Verdict.FAIL, word, cure)

    def not_checked(self, word: DoctorWord, cure: Cure | None = None) -> Finding:
        """It couldn't be looked at, for the reason that the word says."""
        return self._of(Verdict.NOT_CHECKED, word, cure)

    def not_to_be_seen(self, path: object, error: OSError) -> Finding:
        """This user may not look at it, or it can't be read at all."""
        cure = Cure.AS_ROOT if isinstance(error, PermissionError) else Cure.LOOK_AT_DISK
        about = self.having(path=path, detail=why(error))
        return about.not_checked(DoctorWord.NOT_TO_BE_SEEN, cure)

    def _of(self, verdict: Verdict, word: DoctorWord, cure: Cure | None) -> Finding:
        return Finding(check=self.check, verdict=verdict, word=word, cure=cure, facts=self.facts)
