"""What racks write of handsets, and what they ask of the centre, from docs/fleet.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx2

from benchd.domain.evidence_json import FORM, to_json
from benchd.domain.job import Gate
from benchd.lab.usual_handset import USUAL
from tests.certificate.certificate_rack import ERASER, answer
from tests.fleet.written_ledger import WrittenLedger, text_of
from tests.imeis import imei

if TYPE_CHECKING:
    from tests.fleet.centre_rig import Centre

ONE, TWO, THREE = imei(1), imei(2), imei(3)
SERIAL, OTHER_SERIAL = "HQ61230001", "HQ61230002"


class RackStory:
    """A rack and what it has on record of handsets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ledger = WrittenLedger()
        self.sent = 0
        self._jobs = 0

    def skip(self, jobs: int) -> None:
        """Their numbers are taken elsewhere."""
        self._jobs += jobs

    def put(self, kind: str, data: object, job: str) -> None:
        self.ledger.put(self.ledger.places[-1][0] + 1, kind, data, job)

    def opens(
        self, number: str | None = ONE, serial: str | None = None, second: str | None = None
    ) -> str:
        """A job whose handset has told that of itself; its serial is its own."""
        self._jobs += 1
        job = f"20261201-{self._jobs:04d}{self.name[-1]}"
        self.put("job_opened", {"recipe": "overwrite"}, job)
        self.put("stage_started", {"stage": "inspect"}, job)
        told = replace(
            USUAL,
            imei=number,
            second_imei=second,
            serial=serial or f"HQ{(number or ONE)[7:14]}",
            sim_slots=1 if second is None else 2,
        )
        self.stage(job, "inspect", to_json(told))
        return job

    def stage(
        self,
        job: str,
        stage: str,
        evidence: object,
        outcome: str = "passed",
        because: str | None = None,
    ) -> None:
        told = {"stage": stage, "outcome": outcome, "because": because, "form": FORM}
        self.put("stage_ended", {**told, "came_back": None, "evidence": evidence}, job)

    def of_a_newer_release(self, job: str) -> None:
        """It goes on with evidence of a form that isn't read yet."""
        told = {"stage": "gates", "outcome": "passed", "because": None, "form": FORM + 1}
        self.put("stage_ended", {**told, "came_back": None, "evidence": {}}, job)

    def ends(self, job: str, disposition: str, reason: str | None, outcome: str = "failed") -> str:
        certificate = "{}" if disposition == "sellable" else None
        told = {"outcome": outcome, "disposition": disposition, "reason": reason, "detail": ""}
        self.put("job_ended", {**told, "certificate": certificate}, job)
        return job

    def settles(self, job: str, before: str, to: str) -> None:
        told = {"before": before, "to": to, "person": "p1", "name": "Sato", "shown_by": "pin"}
        rest = ("source", "note", "recycler", "number", "batch", "done_on", "later_job")
        unsaid = {name: "" if name in rest[:2] else None for name in rest}
        self.put("handset_settled", {**told, **unsaid}, job)

    def crushes(self, number: str | None = ONE, serial: str | None = None) -> str:
        return self.ends(self.opens(number, serial), "destroy", "storage_fault")

    def holds(self, number: str | None = ONE, reason: str = "network_restricted") -> str:
        return self.ends(self.opens(number), "hold", reason)

    def lets_in(self, job: str) -> None:
        """Somebody in charge has said yes to one that was to be destroyed."""
        told = {"gate": "destroyed_before", "approved": True, "note": "repaired", "operator": "S"}
        self.put("decision", told, job)

    def draws(self, job: str, *, drawn: bool = True) -> None:
        told = {"share": 0.1, "token": "0" * 16 if drawn else "f" * 16, "owed": [], "drawn": drawn}
        self.put("recheck_drawn", told, job)

    def rechecks(self, drawn: str, number: str = ONE) -> str:
        """The recheck of a drawn job, which sells its handset."""
        self._jobs += 1
        job = f"20261201-{self._jobs:04d}{self.name[-1]}"
        self.put("job_opened", {"recipe": "recheck"}, job)
        said = {"drawn_job": drawn, "screen_number": number, "answer": answer(Gate.RECHECK, ERASER)}
        unsaid = dict.fromkeys(("usb_serial", "vendor_id", "product_id"))
        self.stage(job, "find_drawn", {**said, "interfaces": ["060101"], **unsaid})
        return self.ends(job, "sellable", None, "passed")

    async def sends(self, centre: Centre) -> None:
        await centre.send(self.ledger, self.sent)
        self.sent = len(self.ledger.records)

    def question(
        self,
        *numbers: str,
        job: str = "20261201-asks",
        nonce: str = "00" * 32,
        stage: str = "gates",
        serial: str | None = None,
        proven: tuple[str, ...] | None = None,
        chip: object = None,
        chip_tied: object = False,
        tells_chip: bool = False,
        lease: object = None,
    ) -> bytes:
        claim: dict[str, object] = {
            "type": "urn:benchd:fleet-question:v1",
            "rack": self.ledger.rack,
            "nonce": nonce,
            "job": job,
            "stage": stage,
            "imeis": sorted(numbers),
            "proven": sorted(numbers if proven is None else proven),
            "is_full": bool(numbers),
            "serial": serial,
            "model": "sony so-51c",
        }
        if chip is not None or tells_chip:
            claim |= {"chip": chip, "chip_tied": chip_tied}
        if lease is not None:
            claim["lease"] = lease
        signature = self.ledger.key.sign(b"benchd fleet question v1\n" + text_of(claim)).hex()
        return text_of({**claim, "signature": signature})

    async def asks(self, centre: Centre, *numbers: str, **more: object) -> Answer:
        question = self.question(*numbers, **more)  # type: ignore[arg-type]
        reply = await centre.post(self.ledger.rack, "questions", question)
        assert reply.status_code == 200, reply.text
        return Answer.of(centre, question, reply)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the centre has said, its signature checked by none of benchd's own code."""

    findings: list[tuple[str, str | None, str | None]]
    lease: int | None

    @classmethod
    def of(cls, centre: Centre, question: bytes, reply: httpx2.Response) -> Answer:
        told = json.loads(reply.content)
        signature = bytes.fromhex(told.pop("signature"))
        centre.key.public.verify(signature, b"benchd fleet answer v1\n" + text_of(told))
        assert told["question"] == sha256(question).hexdigest()
        assert told["type"] == "urn:benchd:fleet-answer:v1"
        found = [(each["kind"], each["rack"], each["job"]) for each in told["findings"]]
        lease = told["lease"]
        return cls(findings=sorted(found), lease=None if lease is None else lease["number"])


async def racks(centre: Centre, count: int) -> list[RackStory]:
    """So many that have joined, called rack 1, rack 2 and so on."""
    made = [RackStory(f"rack {number}") for number in range(1, count + 1)]
    for rack in made:
        await centre.join(rack.ledger, rack.name)
    return made
