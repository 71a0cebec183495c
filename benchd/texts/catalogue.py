"""What operators read, in Japanese and English: a text for every value that they are shown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Final, cast

from benchd.pipelines.stages import STAGE_CLASSES
from benchd.proof.chip import CLAIMS
from benchd.texts.command_words import (
    COMMAND_SECTIONS,
    LONGEST_SAID,
    SAY_FACTS,
    Failure,
    SayWord,
)
from benchd.texts.doctor_words import DOCTOR_FACTS, DOCTOR_SECTIONS, Cure, DoctorWord
from benchd.texts.found_words import FOUND_FACTS, FoundWord
from benchd.texts.paper_words import PAPER_FACTS, PaperWord
from benchd.texts.shown_words import (
    Because,
    ChipTrouble,
    EarlierWord,
    ErrandWord,
    LearnWord,
    MenuWord,
    Refusal,
    Word,
)
from benchd.texts.templates import (
    LONGEST_MENU,
    LONGEST_VALUE,
    PLACEHOLDER,
    Guidance,
    Language,
    Texts,
    fill,
    language_of,
    printable,
)
from benchd.words.chip import ChipVerdict, ModelFelica
from benchd.words.disposal import DISPOSAL_MOVES, DisposalState
from benchd.words.handset import SilenceCause, Tray, UserKind
from benchd.words.intake import (
    AttestationKind,
    BoundBy,
    LotKind,
    Mistake,
    NotNeeded,
    TimeDoubt,
    Unerasable,
)
from benchd.words.job import Disposition, FaultCode, Finding, Gate, Outcome, Reason, StageName
from benchd.words.people import ShownBy
from benchd.words.report import Became, DataFound, Figure
from benchd.words.slot import EarlierEnd, ProblemCode, ProblemView, QuestionView
from benchd.words.slot_states import SlotState

__all__ = [
    "FACTS",
    "LONGEST_MENU",
    "LONGEST_VALUE",
    "MONTHS",
    "Because",
    "Catalogue",
    "ChipTrouble",
    "EarlierWord",
    "ErrandWord",
    "Guidance",
    "Language",
    "LearnWord",
    "MenuWord",
    "Refusal",
    "Texts",
    "Word",
    "fill",
    "language_of",
    "printable",
]

_OF_HANDSET = frozenset({"model", "serial", "imei_end"})
FACTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        f"problem.{ProblemCode.ADB_DISABLED}": frozenset({"debugging"}),
        f"problem.{ProblemCode.UNKNOWN_PORT}": frozenset({"port_path"}),
        f"problem.{ProblemCode.LOW_BATTERY}": frozenset({"percent", "minimum"}),
        f"problem.{ProblemCode.TOO_HOT}": frozenset({"degrees", "maximum"}),
        f"problem.{ProblemCode.SAME_HANDSET_ELSEWHERE}": frozenset({"slot"}),
        f"problem.{ProblemCode.HOOK_GAVE_UP}": frozenset({"count"}),
        f"problem.{ProblemCode.HOOK_BEHIND}": frozenset({"hooks"}),
        f"problem.{ProblemCode.READER_GONE}": frozenset({"reader"}),
        f"problem.{ProblemCode.PRINTER_FAULT}": frozenset({"printers"}),
        **dict.fromkeys((f"gate.{gate}" for gate in Gate), _OF_HANDSET),
        f"gate.{Gate.FELICA_NO_CHIP}": _OF_HANDSET | {"causes", "model_felica"},
        f"gate.{Gate.FELICA_RETIRED}": _OF_HANDSET | {"causes", "model_felica"},
        f"gate.{Gate.OBSERVE}": _OF_HANDSET | {"tray"},
        f"gate.{Gate.IMEI}": frozenset({"model", "serial"}),
        f"gate.{Gate.SERIAL}": frozenset({"model"}),
        **dict.fromkeys(
            (f"gate.{gate}" for gate in (Gate.GUIDED_RESET, Gate.FINAL_RESET)),
            _OF_HANDSET | {"reset"},
        ),
        f"gate.{Gate.DESTROYED_BEFORE}": _OF_HANDSET | {"earlier_job", "earlier_reason"},
        f"gate.{Gate.SAME_HANDSET}": _OF_HANDSET | {"other"},
        f"gate.{Gate.SAME_HANDSET_HELD}": _OF_HANDSET | {"other"},
        "earlier": frozenset({"disposition", "reason", "date", "operator"}),
        "found": FOUND_FACTS,
        f"gate.{Gate.ASSESS}": _OF_HANDSET | {"findings"},
        **dict.fromkeys(
            (f"gate.{gate}" for gate in (Gate.RECHECK, Gate.RECHECK_CHIP)),
            frozenset({"model", "serial"}),
        ),
        f"gate.{Gate.ASSET}": _OF_HANDSET | {"tags"},
        "mistake": frozenset({"line", "column", "found", "other", "allowed"}),
        "learn": frozenset({"slot", "owner", "port", "reader", "detail", "file"}),
        "say": SAY_FACTS,
        "paper": PAPER_FACTS,
        "doctor": DOCTOR_FACTS,
        "cure": DOCTOR_FACTS,
    }
)
"""Which placeholders the texts of a section may have; all other sections have none."""

_MEANINGS: Mapping[Language, re.Pattern[str]] = MappingProxyType(
    {
        "ja": re.compile(r"（はい=([^（）]+)、いいえ=([^（）]+)）？$"),
        "en": re.compile(r"\(yes = ([^()]+), no = ([^()]+)\)\?$"),
    }
)
"""How every question ends: with what yes and no mean."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_NAMED: Mapping[str, Iterable[str]] = {
    "slot_state": SlotState,
    "outcome": Outcome,
    "disposition": Disposition,
    "stage": STAGE_CLASSES,
    "finding": Finding,
    "disposal_state": DisposalState,
    "figure": Figure,
    "data_found": DataFound,
    "became": Became,
    "because": (*Because, *FaultCode),
    "word": Word,
    "refusal": Refusal,
    "lot_kind": LotKind,
    "attestation": AttestationKind,
    "bound_by": BoundBy,
    "unerasable": Unerasable,
    "not_needed": NotNeeded,
    "shown_by": ShownBy,
    "clear_claim": CLAIMS,
    "user_kind": UserKind,
    "settle_as": frozenset[str]().union(*DISPOSAL_MOVES.values()),
}
ONLY_IN_FILES: Final = (
    *("page", "recipe", "nav", "act", "wall", "tile", "lots", "disposal", "report", "find"),
    *("answering", "help", "cards", "board", "handover"),
)
"""Sections whose keys stand in the files alone, for pages to name; a test holds who names them."""
_SPOKEN: Mapping[str, type[StrEnum]] = {
    "earlier": EarlierWord,
    "learn": LearnWord,
    "menu": MenuWord,
    "silence": SilenceCause,
    "model_felica": ModelFelica,
    "tray": Tray,
    "mistake": Mistake,
    "found": FoundWord,
    "paper": PaperWord,
    **COMMAND_SECTIONS,
    **DOCTOR_SECTIONS,
}
"""What stands for itself, or inside another text."""
_GUIDED: Mapping[str, tuple[type[StrEnum], tuple[str, ...]]] = {
    "problem": (ProblemCode, ("title", "what_to_do")),
    "gate": (Gate, ("title", "question", "what_to_do")),
    "reason": (Reason, ("title", "what_to_do")),
    "chip": (ChipVerdict, ("title", "what_to_do")),
    "chip_trouble": (ChipTrouble, ("title", "what_to_do")),
    "errand": (ErrandWord, ("title", "what_to_do")),
}


_QUESTIONS = frozenset(f"gate.{gate}.question" for gate in Gate)


class Catalogue:
    """All texts; made only complete, so that no look-up can fail on a rack."""

    def __init__(self, *, ja: Mapping[str, str], en: Mapping[str, str]) -> None:
        """Take the texts by their dotted keys; ValueError lists all that is missing or stale."""
        wanted = frozenset((*_wanted_keys(), *_keys_of_pages(ja), *_keys_of_pages(en)))
        faults: list[str] = []
        both: tuple[tuple[Language, Mapping[str, str]], ...] = (("ja", ja), ("en", en))
        for language, texts in both:
            faults += [f"{language}: no text for {key}" for key in sorted(wanted - texts.keys())]
            faults += [f"{language}: {key} means nothing" for key in sorted(texts.keys() - wanted)]
            faults += [
                f"{language}: {key} has an unknown placeholder {{{name}}}"
                for key, text in sorted(texts.items())
                for name in sorted(set(PLACEHOLDER.findall(text)) - _facts_of(key))
            ]
            faults += [
                f"{language}: {key} doesn't end with what yes and no mean"
                for key, text in sorted(texts.items())
                if key in _QUESTIONS and not _MEANINGS[language].search(text)
            ]
        if faults:
            raise ValueError("\n".join(faults))
        self._texts = {key: Texts(ja=ja[key], en=en[key]) for key in wanted}

    @classmethod
    def load(cls) -> Catalogue:
        """The texts that benchd ships."""
        return cls(ja=_read("ja"), en=_read("en"))

    def slot_state(self, state: SlotState) -> Texts:
        """The name of a slot's state."""
        return self._texts[f"slot_state.{state}"]

    def outcome(self, outcome: Outcome) -> Texts:
        """The name of an outcome."""
        return self._texts[f"outcome.{outcome}"]

    def disposition(self, disposition: Disposition) -> Texts:
        """The name of where a handset goes."""
        return self._texts[f"disposition.{disposition}"]

    def disposal_state(self, state: DisposalState) -> Texts:
        """The name of where a handset waits, or what has become of it."""
        return self._texts[f"disposal_state.{state}"]

    def earlier(self, told: EarlierEnd) -> Texts:
        """How it ended last time, by the calendar of this machine."""
        name, day = self.disposition(told.disposition), told.at.astimezone()
        reason = self.reason(told.reason) if told.reason else None
        word = EarlierWord.LAST_TIME if reason else EarlierWord.LAST_TIME_SOLD
        texts = self._texts[f"earlier.{word}"]
        told_ja = {"disposition": name.ja, "reason": reason.ja if reason else ""}
        told_en = {"disposition": name.en, "reason": reason.en if reason else ""}
        ja = fill(texts.ja, {**told_ja, "date": f"{day.month}月{day.day}日"})
        en = fill(texts.en, {**told_en, "date": f"{day.day} {MONTHS[day.month - 1]}"})
        if told.doomed and told.disposition is not Disposition.DESTROY:
            warning = self._texts[f"earlier.{EarlierWord.DOOMED}"]
            return Texts(ja=f"{ja}。{warning.ja}", en=f"{en}. {warning.en}")
        return Texts(ja=ja, en=en)

    def figure_value(self, figure: Figure, value: str) -> Texts:
        """The name of a value that a report counts by; itself where it has no other."""
        sections = {
            Figure.WITH_DATA: ("data_found",),
            Figure.FELICA: ("chip", "data_found"),
            Figure.NOT_ERASABLE: ("reason", "unerasable"),
            Figure.DISPOSITION: ("disposition",),
            Figure.BECAME: ("disposal_state", "became"),
        }.get(figure, ())
        keys = [f"{section}.{value}{end}" for section in sections for end in ("", ".title")]
        found = [self._texts[key] for key in keys if key in self._texts]
        return found[0] if found else Texts(ja="", en="")

    def figure(self, figure: Figure) -> Texts:
        """What a figure of a report counts."""
        return self._texts[f"figure.{figure}"]

    def board(self, word: str) -> Texts:
        """What the shift board says."""
        return self._texts[f"board.{word}"]

    def found(self, word: FoundWord, facts: Mapping[str, str]) -> Texts:
        """What a stage has found."""
        return self._filled(f"found.{word}", facts)

    def stage(self, stage: StageName) -> Texts:
        """The name of a stage."""
        return self._texts[f"stage.{stage}"]

    def because(self, because: Because | FaultCode) -> Texts:
        """Why an attempt was skipped, or ended early without ending the job."""
        return self._texts[f"because.{because}"]

    def user_kind(self, kind: UserKind) -> Texts:
        """What a user besides the owner is."""
        return self._texts[f"user_kind.{kind}"]

    def word(self, word: Word) -> Texts:
        """A heading or a short answer."""
        return self._texts[f"word.{word}"]

    def page(self, word: str) -> Texts:
        """What the dashboard says."""
        return self._texts[f"page.{word}"]

    def learn(self, word: LearnWord, facts: Mapping[str, str]) -> Texts:
        """What `benchd slots learn` says."""
        return self._said(f"learn.{word}", facts)

    def say(self, word: SayWord, facts: Mapping[str, str]) -> Texts:
        """A sentence of a command."""
        return self._said(f"say.{word}", facts)

    def doctor(self, word: DoctorWord | Cure, facts: Mapping[str, str]) -> Texts:
        """What `benchd doctor` has found, or what to do about it."""
        section = "cure" if isinstance(word, Cure) else "doctor"
        return self._said(f"{section}.{word}", facts)

    def paper(self, word: PaperWord, facts: Mapping[str, str] | None = None) -> Texts:
        """What a paper says; a fact may be a whole sentence."""
        return self._said(f"paper.{word}", facts or {})

    def file_trouble(self, code: str) -> Texts | None:
        """Why a file can't be used, by the name of the error; None where it isn't told here."""
        return self._texts.get(f"file_trouble.{code}")

    def named(self, section: str, value: str) -> Texts:
        """A value of a section in words; itself where it has none there."""
        return self._texts.get(f"{section}.{value}", Texts(ja=value, en=value))

    def refusal(self, refusal: Refusal) -> Texts:
        """Why an answer of a person wasn't taken."""
        return self._texts[f"refusal.{refusal}"]

    def failure(self, failure: Failure) -> Texts:
        """What to tell of an error that has no words of its own."""
        return self._texts[f"failure.{failure}"]

    def mistake(self, mistake: Mistake, facts: Mapping[str, str]) -> Texts:
        """What is wrong in a file at its place, and what to do about it."""
        return self._filled(f"mistake.{mistake}", facts)

    def gate(self, gate: Gate) -> Texts:
        """The name of a gate."""
        return self._texts[f"gate.{gate}.title"]

    def question(self, view: QuestionView) -> Guidance:
        """What a gate asks about this handset, and how to find the answer."""
        asked = self._guidance(f"gate.{view.gate}", "question", view.facts)
        because = [*self._why_asked(view.facts), asked.what_to_do]
        told = Texts(ja="".join(b.ja for b in because), en=" ".join(b.en for b in because))
        return replace(asked, what_to_do=told)

    def _why_asked(self, facts: Mapping[str, str]) -> Iterator[Texts]:
        """Why a person is asked what papers or an earlier answer may have settled."""
        if facts.get("not_cited") in list(TimeDoubt):
            title = self._texts[f"problem.{facts['not_cited']}.title"]
            yield Texts(ja=f"{title.ja}。", en=f"{title.en}.")
        if "restricted_by" in facts:
            texts = self._texts[f"earlier.{EarlierWord.RESTRICTED}"]
            said = {"operator": facts["restricted_by"], "date": facts.get("restricted_at", "")}
            yield Texts(ja=fill(texts.ja, said), en=fill(texts.en, said))

    def meanings(self, gate: Gate) -> tuple[Texts, Texts]:
        """What yes and what no says at this gate."""
        question = self._texts[f"gate.{gate}.question"]
        japanese, english = (
            _MEANINGS["ja"].search(question.ja),
            _MEANINGS["en"].search(question.en),
        )
        if japanese is None or english is None:
            message = f"the question of {gate} doesn't say what yes and no mean"
            raise ValueError(message)
        return (
            Texts(ja=japanese[1], en=english[1]),
            Texts(ja=japanese[2], en=english[2]),
        )

    def labels(self) -> dict[str, dict[str, Texts]]:
        """The name of every value, by section and value."""
        named = {
            section: {str(value): self._texts[f"{section}.{value}"] for value in values}
            for section, values in _NAMED.items()
        }
        for key in _keys_of_pages(self._texts):
            section, _, value = key.partition(".")
            named.setdefault(section, {})[value] = self._texts[key]
        return {
            **named,
            "gate": {str(gate): self.gate(gate) for gate in Gate},
            "reason": {str(reason): self.reason(reason) for reason in Reason},
        }

    def problem(self, view: ProblemView) -> Guidance:
        """Why a slot can't go on, and what puts it right."""
        return self._guidance(f"problem.{view.code}", "title", view.facts)

    def reason(self, reason: Reason) -> Guidance:
        """Why a handset isn't sellable, and where it goes next."""
        return self._guidance(f"reason.{reason}", "title", {})

    def unerasable(self, reason: Unerasable) -> Guidance:
        """Why a handset couldn't even be plugged in, and where it goes next."""
        said = self._texts[f"unerasable.{reason}"]
        return Guidance(ja=said.ja, en=said.en, what_to_do=self.word(Word.CRUSH_BY_HAND))

    def errand(self, word: ErrandWord) -> Guidance:
        """What somebody has to do next."""
        return self._guidance(f"errand.{word}", "title", {})

    def chip(self, seen: ChipVerdict | ChipTrouble) -> Guidance:
        """What looking at a chip has shown, and what to do next."""
        section = "chip" if isinstance(seen, ChipVerdict) else "chip_trouble"
        return self._guidance(f"{section}.{seen}", "title", {})

    def _said(self, key: str, facts: Mapping[str, str]) -> Texts:
        """With facts that may be long, as the path of a file is."""
        said = self._texts[key]
        ja, en = (fill(text, facts, LONGEST_SAID) for text in (said.ja, said.en))
        return Texts(ja=ja, en=en)

    def _guidance(self, section: str, says: str, facts: Mapping[str, str]) -> Guidance:
        said = self._filled(f"{section}.{says}", facts)
        advice = self._filled(f"{section}.what_to_do", facts)
        return Guidance(ja=said.ja, en=said.en, what_to_do=advice)

    def _filled(self, key: str, facts: Mapping[str, str]) -> Texts:
        texts = self._texts[key]
        findings = self._findings(facts.get("findings", ""))
        causes = self._causes(facts.get("causes", ""))
        menus = {word: self._menu(word, facts) for word in MenuWord}
        model_felica = self._model_felica(facts.get("model_felica", ""))
        told = {
            **menus,
            "findings": findings,
            "causes": causes,
            "model_felica": model_felica,
            "tray": self._tray(facts.get("tray", "")),
        }
        if (earlier := facts.get("earlier_reason")) in list(Reason):
            told["earlier_reason"] = self.reason(Reason(earlier))
        elif earlier in list(Unerasable):
            told["earlier_reason"] = self._texts[f"unerasable.{earlier}"]
        return Texts(
            ja=fill(texts.ja, {**facts, **{name: said.ja for name, said in told.items()}}),
            en=fill(texts.en, {**facts, **{name: said.en for name, said in told.items()}}),
        )

    def _tray(self, told: str) -> Texts:
        """Whether somebody has to look into it; somebody has to where that isn't told."""
        told = told if told in list(Tray) else Tray.NOT_TOLD
        return self._texts[f"tray.{told}"]

    def _menu(self, word: MenuWord, facts: Mapping[str, str]) -> Texts:
        """The way through this handset's own menus, else through those of most."""
        usual = self._texts[f"menu.{word}"]
        return Texts(ja=facts.get(f"{word}_ja") or usual.ja, en=facts.get(f"{word}_en") or usual.en)

    def _causes(self, codes: str) -> Texts:
        """Why a chip is silent by its handset's word, one sentence for each cause."""
        told = codes.split(",")
        causes = [cause for cause in SilenceCause if cause in told] or [SilenceCause.UNKNOWN]
        said = [self._texts[f"silence.{cause}"] for cause in causes]
        return Texts(ja="".join(s.ja for s in said), en=" ".join(s.en for s in said))

    def _model_felica(self, code: str) -> Texts:
        """What the catalogue of models says of this handset's chip."""
        known = code if code in list(ModelFelica) else ModelFelica.UNKNOWN
        return self._texts[f"model_felica.{known}"]

    def _findings(self, codes: str) -> Texts:
        """The findings whose codes a question carries, separated by commas, in words."""
        told = codes.split(",")
        found = [self._texts[f"finding.{finding}"] for finding in Finding if finding in told]
        if not found:
            return self.word(Word.NONE)
        return Texts(ja="・".join(f.ja for f in found), en=", ".join(f.en for f in found))


def _wanted_keys() -> Iterator[str]:
    for section, values in (*_NAMED.items(), *_SPOKEN.items()):
        yield from (f"{section}.{value}" for value in values)
    for section, (values, parts) in _GUIDED.items():
        yield from (f"{section}.{value}.{part}" for value in values for part in parts)


def _keys_of_pages(keys: Iterable[str]) -> Iterator[str]:
    return (key for key in keys if key.partition(".")[0] in ONLY_IN_FILES)


def _facts_of(key: str) -> frozenset[str]:
    return FACTS.get(key.rpartition(".")[0], frozenset())


def _read(language: Language) -> dict[str, str]:
    text = resources.files("benchd.texts").joinpath(f"{language}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, str):
            yield f"{prefix}{key}", value.strip()
        elif isinstance(value, dict):
            yield from _flat(cast("Mapping[str, object]", value), f"{prefix}{key}.")
