"""What operators read, in Japanese and English: a text for every value that they are shown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from benchd.domain.chip import ChipVerdict, ModelFelica
from benchd.domain.clear_provider import CLAIMS
from benchd.domain.disposal import DISPOSAL_MOVES, DisposalState
from benchd.domain.handset import BatteryMethod, EraseStep, SilenceCause, Tray, UserKind
from benchd.domain.intake import (
    AttestationKind,
    BoundBy,
    LotKind,
    Mistake,
    NotNeeded,
    Seen,
    TimeDoubt,
    Unerasable,
)
from benchd.domain.job import Disposition, FaultCode, Finding, Gate, Outcome, Reason, StageName
from benchd.domain.operator_steps import BetweenJobs
from benchd.domain.people import Role, ShownBy
from benchd.domain.plain_text import Language
from benchd.domain.report import Became, DataFound, Figure
from benchd.domain.shipping import ShipStanding
from benchd.domain.slot import EarlierEnd, ProblemCode, ProblemView, QuestionView
from benchd.domain.slot_states import SlotState
from benchd.texts.templates import (
    LONGEST_MENU,
    LONGEST_SAID,
    MENUS,
    PLACEHOLDER,
    Guidance,
    Texts,
    fill,
)

__all__ = [
    "FACTS",
    "LONGEST_MENU",
    "MONTHS",
    "OF_PAGES",
    "Catalogue",
    "Guidance",
    "Texts",
    "fill",
    "skips",
    "values",
]

if TYPE_CHECKING:
    from benchd.pipelines.stage_contract import Stage

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
        f"gate.{Gate.LOCK_ADMIN}": _OF_HANDSET | {"admins"},
        f"gate.{Gate.FELICA_ERASE}": _OF_HANDSET | {"erase_step", "felica_erase"},
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
        "found": frozenset(
            {
                *("android", "build", "capacity", "used", "percent", "degrees", "count", "number"),
                *("reader", "passes", "size", "time", "rate", "bad", "minimum", "provider"),
                *("seconds", "method"),
            }
        ),
        f"gate.{Gate.ASSESS}": _OF_HANDSET | {"findings", "felica_erase"},
        **dict.fromkeys(
            (f"gate.{gate}" for gate in (Gate.RECHECK, Gate.RECHECK_CHIP)),
            frozenset({"model", "serial"}),
        ),
        f"gate.{Gate.ASSET}": _OF_HANDSET | {"tags"},
        "recheck_at": frozenset({"slots", "name", "recipe"}),
        "mistake": frozenset({"line", "column", "found", "other", "allowed"}),
        "answering": frozenset({"slots", "slot", "before"}),
        "binding": frozenset({"slot", "tag", "bound", "other", "before"}),
        "page": frozenset({"before", "now"}),
        "handover": frozenset({"at"}),
        "learn": frozenset({"slot", "owner", "port", "reader", "detail", "file"}),
        "say": frozenset(
            {
                *("path", "name", "slot", "jobs", "job", "detail", "value", "gate", "answer"),
                *("count", "lot"),
            }
        ),
        "beside": frozenset({"value"}),
        "paper": frozenset(
            {"name", "at", "until", "value", "count", "share", "first", "last", "where"}
        ),
        **dict.fromkeys(
            ("doctor", "cure"), frozenset({"path", "name", "detail", "value", "count"})
        ),
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


@cache
def skips() -> frozenset[str]:
    """Why a stage may be skipped, by what the stages say of themselves."""
    return frozenset[str]().union(
        *(stage.describes.skipped_for for stage in _stage_classes().values())
    )


@cache
def values() -> Mapping[str, Iterable[str]]:
    """Sections that have a text of each value of a type, and no others."""
    return {
        "slot_state": SlotState,
        "outcome": Outcome,
        "disposition": Disposition,
        "stage": _stage_classes(),
        "finding": Finding,
        "disposal_state": DisposalState,
        "figure": Figure,
        "data_found": DataFound,
        "became": Became,
        "because": skips() | set(FaultCode),
        "between_jobs": BetweenJobs,
        "lot_kind": LotKind,
        "attestation": AttestationKind,
        "bound_by": BoundBy,
        "unerasable": Unerasable,
        "battery_method": BatteryMethod,
        "seen": Seen,
        "shipping": ShipStanding,
        "not_needed": NotNeeded,
        "shown_by": ShownBy,
        "clear_claim": CLAIMS,
        "user_kind": UserKind,
        "settle_as": frozenset[str]().union(*DISPOSAL_MOVES.values()),
        "silence": SilenceCause,
        "model_felica": ModelFelica,
        "tray": Tray,
        "erase_step": EraseStep,
        "mistake": Mistake,
        "role": Role,
        "menu": MENUS,
        "problem": ProblemCode,
        "gate": Gate,
        "reason": Reason,
        "chip": ChipVerdict,
    }


def _stage_classes() -> Mapping[StageName, type[Stage]]:
    # With all that they are made of they take longer to import than all else of most commands.
    from benchd.pipelines.stages import STAGE_CLASSES

    return STAGE_CLASSES


OF_PAGES: Final = (
    *("page", "recipe", "nav", "act", "wall", "tile", "lots", "disposal", "report", "find"),
    *("answering", "binding", "sure", "help", "cards", "board", "handover", "attended", "grades"),
    "fleet",
)
"""Sections whose texts pages name by themselves."""
_SERVED: Final = (
    *("slot_state", "outcome", "disposition", "stage", "finding", "disposal_state", "figure"),
    *("data_found", "became", "because", "word", "refusal", "lot_kind", "attestation", "seen"),
    *("bound_by", "unerasable", "battery_method", "not_needed", "shown_by", "clear_claim"),
    *("user_kind", "settle_as", "gate", "reason", "role", *OF_PAGES),
)
"""Sections that the API hands to its pages."""
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "problem": ("title", "what_to_do"),
    "gate": ("title", "in_short", "question", "what_to_do"),
    "reason": ("title", "what_to_do"),
    "chip": ("title", "what_to_do"),
}
"""Of the sections whose values have several texts."""

_QUESTIONS = frozenset(f"gate.{gate}.question" for gate in Gate)


class Catalogue:
    """All texts; made only complete, so that no look-up can fail on a rack."""

    def __init__(
        self, *, ja: Mapping[str, str], en: Mapping[str, str], checked: bool = True
    ) -> None:
        """Take the texts by their dotted keys; ValueError lists all that is missing or stale."""
        if checked and (faults := _faults(ja=ja, en=en)):
            raise ValueError("\n".join(faults))
        self._texts = {key: Texts(ja=text, en=en[key]) for key, text in ja.items()}
        self._sections: dict[str, dict[str, Texts]] = {}
        for key, texts in self._texts.items():
            section, value, *part = key.split(".")
            if part in ([], ["title"]):
                self._sections.setdefault(section, {})[value] = texts

    @classmethod
    def load(cls, *, checked: bool = True) -> Catalogue:
        """The texts that benchd ships; a command that has to be quick leaves their check to tests.

        To know which texts there have to be, all stages and evidence are imported.
        """
        return cls(ja=_read("ja"), en=_read("en"), checked=checked)

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
        texts = self._texts["earlier.last_time" if reason else "earlier.last_time_sold"]
        told_ja = {"disposition": name.ja, "reason": reason.ja if reason else ""}
        told_en = {"disposition": name.en, "reason": reason.en if reason else ""}
        ja = fill(texts.ja, {**told_ja, "date": f"{day.month}月{day.day}日"})
        en = fill(texts.en, {**told_en, "date": f"{day.day} {MONTHS[day.month - 1]}"})
        if told.doomed and told.disposition is not Disposition.DESTROY:
            warning = self._texts["earlier.doomed"]
            return Texts(ja=f"{ja}。{warning.ja}", en=f"{en}. {warning.en}")
        return Texts(ja=ja, en=en)

    def recheck_at(self, key: str, slots: Sequence[str], recipe: str) -> Texts:
        """Where a handset is looked at again before its sale, or that no slot is for it."""
        name = self._texts.get(f"recipe.{recipe}", Texts(ja=recipe, en=recipe))
        there = self._texts[key]
        told = {"slots": ", ".join(slots), "recipe": recipe}
        return Texts(
            ja=fill(there.ja, {**told, "name": name.ja}, LONGEST_SAID),
            en=fill(there.en, {**told, "name": name.en}, LONGEST_SAID),
        )

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

    def found(self, key: str, facts: Mapping[str, str]) -> Texts:
        """What a stage has found."""
        return self._filled(key, facts)

    def stage(self, stage: StageName) -> Texts:
        """The name of a stage."""
        return self._texts[f"stage.{stage}"]

    def because(self, because: str) -> Texts:
        """Why an attempt was skipped, or ended early without ending the job."""
        return self._texts[f"because.{because}"]

    def text(self, key: str, facts: Mapping[str, str] | None = None) -> Texts:
        """The text with this key; a fact may be long, as the path of a file is."""
        said, facts = self._texts[key], facts or {}
        ja, en = (fill(text, facts, LONGEST_SAID) for text in (said.ja, said.en))
        return Texts(ja=ja, en=en)

    def guidance(self, key: str) -> Guidance:
        """What is the matter, by a key that has both a title and what to do about it."""
        return self._guidance(key, "title", {})

    @property
    def keys(self) -> frozenset[str]:
        """The key of every text."""
        return frozenset(self._texts)

    def section(self, section: str) -> Mapping[str, Texts]:
        """The name of every value of a section."""
        return self._sections[section]

    def file_trouble(self, code: str) -> Texts | None:
        """Why a file can't be used, by the name of the error; None where it isn't told here."""
        return self._texts.get(f"file_trouble.{code}")

    def named(self, section: str, value: str) -> Texts:
        """A value of a section in words; itself where it has none there."""
        return self._texts.get(f"{section}.{value}", Texts(ja=value, en=value))

    def mistake(self, mistake: Mistake, facts: Mapping[str, str]) -> Texts:
        """What is wrong in a file at its place, and what to do about it."""
        return self._filled(f"mistake.{mistake}", facts)

    def gate(self, gate: Gate) -> Texts:
        """The name of a gate."""
        return self._texts[f"gate.{gate}.title"]

    def in_short(self, gate: Gate) -> Texts:
        """What a gate wants done, by the verb first; the same for every handset."""
        return self._texts[f"gate.{gate}.in_short"]

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
            texts = self._texts["earlier.restricted"]
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

    def labels(self) -> dict[str, Mapping[str, Texts]]:
        """The name of every value that pages show, by section and value."""
        return {section: self.section(section) for section in _SERVED}

    def problem(self, view: ProblemView) -> Guidance:
        """Why a slot can't go on, and what puts it right."""
        return self._guidance(f"problem.{view.code}", "title", view.facts)

    def reason(self, reason: Reason) -> Guidance:
        """Why a handset isn't sellable, and where it goes next."""
        return self.guidance(f"reason.{reason}")

    def unerasable(self, reason: Unerasable) -> Guidance:
        """Why a handset couldn't even be plugged in, and where it goes next."""
        said = self._texts[f"unerasable.{reason}"]
        return Guidance(ja=said.ja, en=said.en, what_to_do=self.text("word.crush_by_hand"))

    def chip(self, seen: ChipVerdict) -> Guidance:
        """What looking at a chip has shown, and what to do next."""
        return self.guidance(f"chip.{seen}")

    def _guidance(self, section: str, says: str, facts: Mapping[str, str]) -> Guidance:
        said = self._filled(f"{section}.{says}", facts)
        advice = self._filled(f"{section}.what_to_do", facts)
        return Guidance(ja=said.ja, en=said.en, what_to_do=advice)

    def _filled(self, key: str, facts: Mapping[str, str]) -> Texts:
        texts = self._texts[key]
        findings = self._findings(facts.get("findings", ""))
        causes = self._causes(facts.get("causes", ""))
        menus = {menu: self._menu(menu, facts) for menu in MENUS}
        model_felica = self._model_felica(facts.get("model_felica", ""))
        told = {
            **menus,
            "findings": findings,
            "causes": causes,
            "model_felica": model_felica,
            "tray": self._tray(facts.get("tray", "")),
            "erase_step": self._erase_step(facts.get("erase_step", "")),
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

    def _erase_step(self, told: str) -> Texts:
        """Why a handset is to erase its own chip, or to do it again."""
        step = told if told in list(EraseStep) else EraseStep.FIRST
        return self._texts[f"erase_step.{step}"]

    def _menu(self, menu: str, facts: Mapping[str, str]) -> Texts:
        """The way through this handset's own menus, else through those of most."""
        usual = self._texts[f"menu.{menu}"]
        return Texts(ja=facts.get(f"{menu}_ja") or usual.ja, en=facts.get(f"{menu}_en") or usual.en)

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
            return self.text("word.none")
        return Texts(ja="・".join(f.ja for f in found), en=", ".join(f.en for f in found))


def _faults(*, ja: Mapping[str, str], en: Mapping[str, str]) -> list[str]:
    """All that is missing, means nothing, or isn't as such a text has to be."""
    wanted = frozenset((*_keys_of_values(), *_keys_in_files(ja), *_keys_in_files(en)))
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
    return faults


def _keys_of_values() -> Iterator[str]:
    for section, each in values().items():
        ends = [f".{part}" for part in _PARTS.get(section, ())] or [""]
        yield from (f"{section}.{value}{end}" for value in each for end in ends)


def _keys_in_files(keys: Iterable[str]) -> Iterator[str]:
    """Those that code names one by one; a test holds that each is, and none besides."""
    return (key for key in keys if key.partition(".")[0] not in values())


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
