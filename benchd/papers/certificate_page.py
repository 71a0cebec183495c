"""The page of a certificate: what its signed statement says, and nothing beside it.

A pure function of the statement and its file. It reads like a form: a glance tells what it comes
to, of which handset, when, by whom and confirmed by whom; then what wasn't reached and what is only
trusted; hashes and program stand last. English sentences stand as they were signed, codes in words
and bytes in units for people; Japanese ones say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Disposition, Outcome
from benchd.domain.percentages import tenths
from benchd.domain.plain_text import Language, size, size_at_most
from benchd.papers.page_words import PageWords, bounded
from benchd.papers.paper_content import Document, Line, Section, Signed
from benchd.papers.statement_paths import StatementPaths
from benchd.proof.storage_proof import CheckMode
from benchd.texts.catalogue import Catalogue
from benchd.texts.translated_sentences import Sentences

MOST_PEOPLE: Final = 8
"""Answers are told by person; who answered most recently is told first where there are more."""

_REQUIRED: Final[Mapping[AttestationKind, str]] = {
    AttestationKind.IDENTITY: "paper.required_identity",
    AttestationKind.ERASURE: "paper.required_erasure",
}
_COUNTED: Final = " bytes of "
"""Only of the user storage is it known how much wasn't reached."""


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


def _place_of(sentence: str) -> str:
    """The label under which what wasn't reached stands."""
    of = {Sentence.CARDS.value: "paper.cards", Sentence.ESIM.value: "paper.esim"}
    counted = "paper.user_storage" if _COUNTED in sentence else "paper.elsewhere"
    return of.get(sentence, counted)


class _Page:
    def __init__(self, signed: Signed, words: PageWords) -> None:
        self._signed = signed
        self._told = StatementPaths(signed.statement).at("predicate")
        self._words = words

    def document(self) -> Document:
        told, signed = self._told, self._signed
        digest = digest_of(signed.envelope)
        job = self._text("job")
        return Document(
            language=self._words.language,
            title=self._words.word("paper.title"),
            named=job,
            author=self._text("site"),
            verdict=self._verdict(),
            head=(
                *self._which(),
                self._words.line("paper.worked", *self._worked()),
                *self._where(),
                *self._confirmed(),
                self._words.line("paper.number", job),
                self._words.line("paper.issued_at", told.day_and_time("issued_at")),
            ),
            sections=(
                self._not_reached(),
                self._trusted(),
                self._erasure(),
                self._handset(),
                self._chip(),
                self._bound(),
                self._people(),
                self._record(digest),
                self._verify(),
            ),
            code=f"BENCHD:{told.text('job')}:{digest}:{signed.where}".upper(),
            code_says=self._words.word("paper.code"),
        )

    def _text(self, path: str) -> str:
        return bounded(self._told.text(path))

    def _all(self, path: str) -> list[str]:
        return [part.text() for part in self._told.parts(path)]

    def _size(self, path: str) -> str:
        return size(int(self._told.number(path)))

    def _known(self, label: str, path: str) -> tuple[Line, ...]:
        """A line of what a certificate has only where it's known."""
        told = self._text(path)
        return (self._words.line(label, told),) if told else ()

    def _which(self) -> tuple[Line, ...]:
        """Which handset it is, by all that is printed on it or shown by it."""
        model = f"{self._text('handset.manufacturer')} {self._text('handset.model')}"
        imei = self._text("handset.imei") or self._words.word("paper.unknown")
        return (
            self._words.line("paper.model", model),
            self._words.line("paper.imei", imei),
            *self._known("paper.second_imei", "handset.second_imei"),
            self._words.line("paper.serial", self._text("handset.serial")),
        )

    def _where(self) -> tuple[Line, ...]:
        return (
            self._words.line("paper.site", self._text("site")),
            *self._known("paper.site_address", "site_address"),
        )

    def _worked(self) -> list[str]:
        """From when to when, and beside it that the clock which says so was set back."""
        stages = self._told.parts("stages")
        at = self._words.word(
            "paper.from_to",
            at=stages[0].day_and_time("started_at") if stages else "",
            until=stages[-1].day_and_time("ended_at") if stages else "",
        )
        return [at, *self._words.sentence(self._told.text("clock.says"))]

    def _confirmed(self) -> tuple[Line, ...]:
        """Who else has looked: before it was issued, and again where it was drawn for that."""
        told = self._told
        confirmed = self._words.person(told.at("confirmation"))
        passed = told.at("recheck.passed")
        rechecked = (
            (self._words.line("paper.rechecked_by", self._words.person(passed)),)
            if passed.value
            else ()
        )
        return (self._words.line("paper.confirmed_by", confirmed), *rechecked)

    def _handset(self) -> Section:
        lot, tag = self._text("intake.lot"), self._text("intake.tag")
        asset = f"{lot} / {tag}" if lot else self._words.word("paper.none")
        former = self._all("handset.former_imeis")
        known_by = self._words.sentence(self._told.text("handset.imei_known_by"))
        return self._words.section(
            "paper.handset",
            self._words.line("paper.asset", asset),
            *self._came_from(),
            *self._goes_to(),
            *((self._words.line("paper.imei_known_by", *known_by),) if known_by else ()),
            *((self._words.line("paper.former_imeis", *map(bounded, former)),) if former else ()),
            self._words.line(
                "paper.system", f"{self._text('handset.android')} / {self._text('handset.build')}"
            ),
            self._words.line("paper.storage", self._size("medium.capacity_bytes")),
            self._words.line("paper.sim_lock", *self._sim_lock()),
        )

    def _came_from(self) -> tuple[Line, ...]:
        """The firm that it came from; that it isn't told where that may be a person."""
        if not self._text("intake.lot"):
            return ()
        unsaid = self._words.word("paper.consignor_unsaid")
        return (self._words.line("paper.consignor", self._text("intake.consignor") or unsaid),)

    def _verdict(self) -> str:
        """How far it was erased, by which look, and that it may be sold; nothing of any other."""
        if not self._sellable():
            return ""
        sampled = self._told.text("verification.mode") != CheckMode.WHOLE
        key = "paper.sellable_by_sample" if sampled else "paper.sellable"
        return self._words.word(key, share=self._covered())

    def _covered(self) -> str:
        return f"{tenths(self._told.number('verification.coverage'))}%"

    def _sellable(self) -> bool:
        return self._told.text("disposition") == Disposition.SELLABLE

    def _goes_to(self) -> tuple[Line, ...]:
        """A certificate tells that it may be sold, and never to whom."""
        if not self._sellable():
            return ()
        return (self._words.line("paper.destination", self._words.word("paper.for_sale")),)

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
        covered = self._words.word(
            "paper.covered",
            share=self._covered(),
            value=f"{tenths(told.number('verification.minimum_coverage'))}%",
        )
        bad = int(told.number("verification.bytes_bad"))
        read = self._words.word(
            "paper.read",
            value=self._size("verification.bytes_proven"),
            count=size_at_most(bad) if bad else self._words.word("paper.none"),
        )
        network = self._words.word(
            "paper.looked_up",
            value=told.text("network_restriction.result"),
            at=told.day_and_time("network_restriction.looked_up_at"),
        )
        return self._words.section(
            "paper.erasure",
            self._words.said("paper.method", [told.text("method"), told.text("standard")]),
            self._words.line("paper.first_reset", self._first_reset()),
            self._words.said("paper.technique", [told.text("technique")]),
            self._words.line("paper.coverage", covered),
            self._words.line("paper.read_back", read),
            self._words.line("paper.network", network),
        )

    def _not_reached(self) -> Section:
        told = self._all("not_reached")
        places: dict[str, list[str]] = {}
        for sentence in told[: len(told) - len(self._said_to_be_trusted())]:
            places.setdefault(_place_of(sentence), []).append(sentence)
        return self._words.section(
            "paper.not_reached",
            *(self._words.said(place, sentences) for place, sentences in places.items()),
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
        excused = told.text("fresh_picture.excuses")
        values = [each for text in [*system, excused] for each in self._words.sentence(text)]
        return self._words.section(
            "paper.trusted",
            self._words.line("paper.trusted", *values, shown=False),
            self._words.line("paper.trusted_system", state, *read_by),
            self._words.line(
                "paper.trusted",
                *self._words.sentence(told.text("trusted.number")),
                *self._words.sentence(told.text("other_racks.says")),
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
        return self._words.section("paper.people", *answered, *self._required())

    def _required(self) -> Iterator[Line]:
        """What the recipe wanted to be attested at intake, by whom and by which record."""
        for each in self._told.parts("intake.required"):
            said = self._words.word(
                "paper.required_by",
                name=each.text("operator"),
                at=each.day_and_time("at"),
                value=each.text("sequence"),
            )
            yield self._words.line(_REQUIRED[AttestationKind(each.text("kind"))], said)

    def _record(self, digest: str) -> Section:
        told = self._told
        recipe = f"{self._text('recipe.name')} ({told.text('recipe.sha256')[:16]})"
        subject = StatementPaths(self._signed.statement).parts("subject")
        program = f"benchd {told.text('benchd_version')} {told.text('benchd_commit')[:12]}".strip()
        return self._words.section(
            "paper.record",
            self._words.line("paper.recipe", recipe),
            self._words.line("paper.digest", digest),
            self._words.line("paper.key", self._signed.key_id),
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
