"""The page of a certificate: what its signed statement says, and nothing beside it.

A pure function of the statement and its file. English sentences stand as they were signed, codes in
words; Japanese ones say the same.
"""

from __future__ import annotations

import hashlib
from typing import Final

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.job import Outcome
from benchd.domain.plain_text import Language
from benchd.domain.tenths import tenths
from benchd.papers.page_words import PageWords, bounded
from benchd.papers.paper_content import Document, Section, Signed
from benchd.papers.statement_paths import StatementPaths, size
from benchd.texts.catalogue import Catalogue
from benchd.texts.translated_sentences import Sentences

MOST_PEOPLE: Final = 8
"""Answers are told by person; who answered most recently is told first where there are more."""


class CertificatePage:
    """Makes the pages of certificates, in both languages."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Reads its sentences once."""
        self._catalogue = catalogue
        self._sentences = Sentences.load(catalogue)

    def document(self, signed: Signed, language: Language) -> Document:
        """The page of a certificate that has verified."""
        words = PageWords(language, self._catalogue, self._sentences)
        return _Page(signed, words).document()


def digest_of(envelope: bytes) -> str:
    """What names a certificate's file, wherever a copy of it lies: its SHA-256 as hex."""
    return hashlib.sha256(envelope).hexdigest()


class _Page:
    def __init__(self, signed: Signed, words: PageWords) -> None:
        self._signed = signed
        self._told = StatementPaths(signed.statement).at("predicate")
        self._words = words

    def document(self) -> Document:
        told, signed = self._told, self._signed
        digest = digest_of(signed.envelope)
        return Document(
            language=self._words.language,
            title=self._words.word("paper.title"),
            head=(
                self._words.line("paper.number", self._text("job")),
                self._words.line("paper.issued_at", told.day_and_time("issued_at")),
                self._words.line("paper.site", self._text("site")),
                self._words.line("paper.digest", digest),
                self._words.line("paper.key", signed.key_id),
            ),
            sections=(
                self._handset(),
                self._erasure(),
                self._not_reached(),
                self._trusted(),
                self._chip(),
                self._bound(),
                self._people(),
                self._record(),
                self._verify(),
            ),
            code=f"BENCHD:{told.text('job')}:{digest}:{signed.where}".upper(),
            code_says=self._words.word("paper.code"),
        )

    def _text(self, path: str) -> str:
        return bounded(self._told.text(path))

    def _all(self, path: str) -> list[str]:
        return [part.text() for part in self._told.parts(path)]

    def _handset(self) -> Section:
        told = self._told
        model = f"{self._text('handset.manufacturer')} {self._text('handset.model')}"
        system = f"{self._text('handset.android')} / {self._text('handset.build')}"
        lot, tag = self._text("intake.lot"), self._text("intake.tag")
        asset = f"{lot} / {tag}" if lot else self._words.word("paper.none")
        return self._words.section(
            "paper.handset",
            self._words.line("paper.model", model),
            self._words.line("paper.imei", *self._numbers()),
            self._words.line("paper.serial", self._text("handset.serial")),
            self._words.line("paper.asset", asset),
            self._words.line("paper.system", system),
            self._words.line("paper.storage", size(told.number("medium.capacity_bytes"))),
            self._words.line("paper.sim_lock", *self._sim_lock()),
        )

    def _numbers(self) -> list[str]:
        """Its IMEIs and how they are known."""
        told = [self._text(f"handset.{name}") for name in ("imei", "second_imei")]
        known = self._words.sentence(self._told.text("handset.imei_known_by"))
        return [*filter(None, told), *known] or [self._words.word("paper.unknown")]

    def _sim_lock(self) -> list[str]:
        told = self._told.at("sim_lock")
        locked = told.text("state") == "locked"
        state = self._words.word("paper.locked" if locked else "paper.unknown")
        return [state, *self._words.sentence(told.text("source"))]

    def _first_reset(self) -> str:
        came = self._told.text("initialise.outcome") == Outcome.SKIPPED
        return self._words.word("paper.came_reset" if came else "paper.reset_here")

    def _erasure(self) -> Section:
        told = self._told
        stages = told.parts("stages")
        worked = self._words.word(
            "paper.from_to",
            at=stages[0].day_and_time("started_at") if stages else "",
            until=stages[-1].day_and_time("ended_at") if stages else "",
        )
        covered = self._words.word(
            "paper.covered",
            share=f"{tenths(told.number('verification.coverage'))}%",
            value=f"{tenths(told.number('verification.minimum_coverage'))}%",
        )
        read = self._words.word(
            "paper.read",
            value=size(told.number("verification.bytes_proven")),
            count=told.text("verification.bytes_bad"),
        )
        network = self._words.word(
            "paper.looked_up",
            value=told.text("network_restriction.result"),
            at=told.day_and_time("network_restriction.looked_up_at"),
        )
        recipe = f"{self._text('recipe.name')} ({told.text('recipe.sha256')[:16]})"
        excused = [told.text("fresh_picture.excuses"), told.text("clock.says")]
        return self._words.section(
            "paper.erasure",
            self._words.line("paper.result", self._words.word("paper.sellable")),
            self._words.said("paper.method", [told.text("method"), told.text("standard")]),
            self._words.line("paper.first_reset", self._first_reset()),
            self._words.said("paper.technique", [told.text("technique"), *excused]),
            self._words.line("paper.coverage", covered),
            self._words.line("paper.read_back", read),
            self._words.line("paper.worked", worked),
            self._words.line("paper.network", network),
            self._words.line("paper.recipe", recipe),
        )

    def _not_reached(self) -> Section:
        told = self._all("not_reached")
        told = told[: len(told) - len(self._said_to_be_trusted())]
        return self._words.section(
            "paper.not_reached",
            self._words.said("paper.not_reached", told, shown=False),
            warns=True,
        )

    def _said_to_be_trusted(self) -> list[str]:
        """The last that wasn't reached; it has its own section."""
        told = self._all("not_reached")
        return told[-2:] if told[-2:-1] == [Sentence.READER_TRUSTED] else told[-1:]

    def _trusted(self) -> Section:
        told = self._told
        system = self._said_to_be_trusted()
        locked = {True: "paper.locked", False: "paper.unlocked"}
        lock = told.at("trusted.bootloader_locked").value
        unknown = self._words.word("paper.unknown")
        word = locked[lock] if isinstance(lock, bool) else "paper.unknown"
        state = self._words.word(
            "paper.boot_state",
            value=told.text("trusted.verified_boot_state") or unknown,
            name=self._words.word(word),
            last=told.text("trusted.security_patch") or unknown,
        )
        read_by = self._words.sentence(told.text("trusted.read_by"))
        values = [each for text in system for each in self._words.sentence(text)]
        return self._words.section(
            "paper.trusted",
            self._words.line("paper.trusted", *values, shown=False),
            self._words.line("paper.trusted_system", state, *read_by),
            self._words.line(
                "paper.trusted",
                *self._words.sentence(told.text("trusted.number")),
                self._words.word("paper.trusted_people"),
                self._words.word("paper.trusted_key"),
                shown=False,
            ),
            warns=True,
        )

    def _chip(self) -> Section:
        told = self._told
        return self._words.section(
            "paper.chip",
            self._words.line("paper.chip_check", self._words.verdict(told.text("felica.check"))),
            self._words.said("paper.chip_clear", [told.text("felica.clear")]),
            self._words.line(
                "paper.chip_recheck", self._words.verdict(told.text("felica.recheck"))
            ),
            self._words.said(
                "paper.basis", [told.text("felica.basis"), *self._all("felica.sources")]
            ),
        )

    def _bound(self) -> Section:
        return self._words.section(
            "paper.bound",
            self._words.said("paper.reset", self._all("final_reset.kinds")),
            self._words.said("paper.bound_by", self._all("bound_by")),
        )

    def _people(self) -> Section:
        told = self._told
        lines: dict[str, list[StatementPaths]] = {}
        for decision in told.parts("decisions"):
            lines.setdefault(decision.text("person") or decision.text("operator"), []).append(
                decision
            )
        answered = [self._words.answered(of) for of in list(lines.values())[-MOST_PEOPLE:]]
        confirmed = self._words.person(told.at("confirmation"))
        passed = told.at("recheck.passed")
        rechecked = (
            [self._words.line("paper.rechecked_by", self._words.person(passed))]
            if passed.value
            else []
        )
        return self._words.section(
            "paper.people",
            self._words.line("paper.confirmed_by", confirmed),
            *rechecked,
            *answered,
        )

    def _record(self) -> Section:
        told = self._told
        subject = StatementPaths(self._signed.statement).parts("subject")
        program = f"benchd {told.text('benchd_version')} {told.text('benchd_commit')[:12]}".strip()
        return self._words.section(
            "paper.record",
            self._words.line(
                "paper.ledger",
                self._words.word(
                    "paper.ledger_range",
                    first=told.text("ledger.first_sequence"),
                    last=told.text("ledger.last_sequence"),
                    value=told.text("ledger.head_hash"),
                ),
            ),
            self._words.line("paper.evidence", subject[0].text("digest.sha256") if subject else ""),
            self._words.line("paper.program", program),
        )

    def _verify(self) -> Section:
        where = self._words.word("paper.where_to_verify", where=self._signed.where)
        how = self._words.word("paper.how_to_verify")
        return self._words.section(
            "paper.verify", self._words.line("paper.verify", how, where, shown=False)
        )
