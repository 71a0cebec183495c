"""Whoever stands at the rack: they read numbers, answer what the real stages ask, and err."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.domain.errors import DecisionRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import ANDROID, DeviceAddress, Evidence, JobId, OperatorName, PortPath
from benchd.domain.job import Decision, Gate
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.domain.port import Attached
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import EarlierEnd, ProblemView
from benchd.lab.benchmarks.identity.identity_truth import Truth
from benchd.lab.benchmarks.identity.shop import SLOT, Shop, Visit
from benchd.pipelines.stage_contract import Vetting
from benchd.proof.evidence.people_evidence import DecisionEvidence

MOST_TRIES: Final = 4
"""Of one answer that is refused; then somebody says no."""


def _person(name: str) -> Actor:
    return Actor(
        person=PersonId(name.lower()),
        name=OperatorName(name),
        shown_by=ShownBy.BADGE_AND_PIN,
        source="127.0.0.1",
    )


OPERATOR: Final = _person("Sato")
CONFIRMER: Final = _person("Suzuki")
SUPERVISOR: Final = _person("Mori")


class AtTheRack:
    """Implements `benchd.pipelines.stage_contract.Station` as far as identity asks for it."""

    def __init__(self, shop: Shop, visit: Visit) -> None:
        self._shop = shop
        self._visit = visit
        self._mix = shop.mix

    def port(self) -> Attached:
        """What lies there, as it was enumerated last; its adb opens no page."""
        return Attached(
            port_path=PortPath("1-1"),
            kind=ANDROID,
            address=DeviceAddress("1"),
            attachment=self._visit.attachment,
            at_s=0.0,
        )

    def show_problem(self, problem: ProblemView | None) -> None:
        """One handset after the other: none is at work elsewhere."""
        if problem is not None:
            raise RuntimeError(f"nobody ends {problem.code}")

    def show_earlier(self, earlier: EarlierEnd | None) -> None:
        """Nobody looks at the wall."""

    async def ask(
        self, gate: Gate, facts: Mapping[str, str], vet: Vetting | None = None
    ) -> Decision:
        """An answer that is taken, or a no after several that weren't."""
        self.put(EntryKind.QUESTION_ASKED, {"gate": gate, "facts": dict(facts)})
        answer = Decision(
            gate=gate, approved=False, by=OPERATOR, note="", at=self._shop.clock.now()
        )
        for attempt in range(MOST_TRIES):
            given = self._answered(gate, facts, again=attempt > 0)
            try:
                if vet is not None:
                    await vet(given.by, given.note, given.approved)
            except DecisionRefused:
                continue
            answer = given
            break
        self.put(EntryKind.DECISION, {**to_json(DecisionEvidence.of(answer)), "via": {}})
        return answer

    def put(self, kind: EntryKind, data: Evidence) -> None:
        """Keep a record of this job."""
        entry = Entry(
            kind=kind,
            at=self._shop.clock.now(),
            slot=SLOT,
            occupancy=self._visit.number + 1,
            job=self._visit.job,
            data=data,
        )
        self._shop.kept.put(entry)

    def yes(self, gate: Gate) -> Decision:
        """What an operator answers who sees nothing against it."""
        return Decision(gate=gate, approved=True, by=OPERATOR, note="", at=self._shop.clock.now())

    # Answers

    def _answered(self, gate: Gate, facts: Mapping[str, str], *, again: bool) -> Decision:
        truth, by, approved, note = self._visit.truth, OPERATOR, True, ""
        match gate:
            case Gate.IMEI:
                note = self._read(gate, again=again)
            case Gate.CONFIRM:
                by = CONFIRMER
                note = "" if truth.tells else self._read(gate, again=again)
            case Gate.ASSET:
                self._visit.asked["operator: which label"] += 1
                note, approved = truth.tag, truth.tag in facts["tags"].split(", ")
            case Gate.SAME_HANDSET | Gate.SAME_HANDSET_HELD:
                approved, note, by = self._same_or_other(gate, facts)
            case Gate.DESTROYED_BEFORE:
                by, note = SUPERVISOR, "slip 12"
                self._visit.asked["supervisor: to be destroyed, let in"] += 1
                approved = not self._right(self._mix.supervisor_right, truth.doomed)
                if approved and truth.doomed:
                    self._visit.denied.add("doom")
            case Gate.CHIP_SEEN_BEFORE:
                by = SUPERVISOR
                self._visit.asked["supervisor: chip seen before"] += 1
                own = self._visit.chip_seen == truth.chip
                approved = self._right(self._mix.supervisor_right, own)
            case _:
                self._visit.asked[f"papers: {gate}"] += 1
        return Decision(gate=gate, approved=approved, by=by, note=note, at=self._shop.clock.now())

    def _same_or_other(self, gate: Gate, facts: Mapping[str, str]) -> tuple[bool, str, Actor]:
        truth, debt = self._visit.truth, facts["debt"]
        by_somebody_in_charge = gate is Gate.SAME_HANDSET
        role = "supervisor" if by_somebody_in_charge else "operator"
        self._visit.asked[f"{role}: same handset ({debt}, {facts['relation']})"] += 1
        self._visit.told.append(
            f"{role} asked: {debt} of {facts['other']}, {facts['relation']}"
            f" ({facts['joins']} / {facts['clashes']})"
        )
        is_same = self._shop.who_is[JobId(facts["other"])] is truth
        self._visit.asked[f"{role}: of which {'its own' if is_same else 'others'}"] += 1
        if is_same and truth.altered and not truth.has_slip:
            return False, "", SUPERVISOR
        mix = self._mix
        accuracy = mix.supervisor_right if by_somebody_in_charge else mix.operator_right
        same = self._right(accuracy, is_same)
        if is_same and not same:
            self._visit.denied.add(debt)
        by = SUPERVISOR if by_somebody_in_charge else OPERATOR
        return True, "same, slip 12" if same else "other, compared", by

    def _read(self, gate: Gate, *, again: bool) -> str:
        """Numbers on the screen: both at the gates, one bar code later; both if told to again."""
        truth, visit = self._visit.truth, self._visit
        numbers = list(truth.imeis)
        if not (again or visit.at_gates):
            numbers = [self._shop.chance.choice(numbers)]
        if again or (visit.at_gates and visit.has_read):
            visit.asked["operator: scan again"] += 1
        elif gate is Gate.CONFIRM:
            visit.asked["operator: second reading"] += 1
        elif visit.at_gates and len(numbers) > 1:
            visit.asked["operator: second bar code"] += 1
        read = [self._scanned(truth, number) for number in numbers]
        visit.told.append(f"{gate}: reads {', '.join(named(truth, each) for each in read)}")
        visit.has_read = True
        words = list(dict.fromkeys(read))
        if visit.at_gates and not again and self._shop.happens(self._mix.label_scanned):
            words.append(self._label(truth))
        return " ".join(words)

    def _scanned(self, truth: Truth, number: str) -> str:
        if not self._shop.happens(self._mix.wrong_scan):
            return number
        return self._shop.chance.choice(self._shop.trade.neighbour(truth).imeis)

    def _label(self, truth: Truth) -> str:
        wrong = self._shop.happens(self._mix.wrong_label)
        self._visit.told.append("the neighbour's label" if wrong else "its label")
        return self._shop.trade.neighbour(truth).tag if wrong else truth.tag

    def _right(self, accuracy: float, answer: bool) -> bool:  # noqa: FBT001 - what is true
        return answer if self._shop.happens(accuracy) else not answer


def named(truth: Truth, number: str) -> str:
    """A number as a story calls it."""
    return str(truth.imeis.index(number) + 1) if number in truth.imeis else "another's"
