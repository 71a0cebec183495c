"""Which asset the handset of a job is: by its numbers, else by whoever has the label in hand."""

from __future__ import annotations

from collections.abc import Sequence

from benchd.domain.imei import is_imei
from benchd.domain.intake import BoundBy, Tag
from benchd.domain.job import Decision, Gate
from benchd.domain.models.model_papers import fits_papers
from benchd.pipelines.screen_numbers import ScreenNumbers
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.citation import AssetInHand, Numbers, contradicts, doubts
from benchd.proof.evidence.intake_evidence import BoundRecord, Who
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.intake_book import Asset
from benchd.proof.record_subject import imeis_in

MOST_SHOWN = 10
"""Tags in one question."""


def numbers_known(context: JobContext, read: ScreenNumbers | None = None) -> Numbers:
    """What is known of the handset so far."""
    identity, gates = context.inspected().identity, context.evidence.gates
    told = frozenset(identity.imeis)
    by_label = gates.label_number if gates else None
    return Numbers(
        imeis=told | imeis_in(gates) | (read.imeis if read else frozenset[str]()),
        serial=identity.serial or None,
        proven=(told | context.proven_numbers | frozenset(filter(None, (by_label,))))
        - context.disputed_numbers,
        certified_at=context.certified_at,
    )


def asset_in_hand(context: JobContext, numbers: Numbers) -> AssetInHand | None:
    """The asset that the job's handset was bound to, whether or not that is in doubt."""
    bound = context.intake.book.of_job.get(context.job)
    if bound is None:
        return None
    return AssetInHand(job=context.job, told=bound.told, numbers=numbers)


async def bind_if_sure(context: JobContext) -> None:
    """Bind by what adb tells, unless several assets fit, or a number of it isn't known yet."""
    numbers = numbers_known(context)
    found = candidates(context, numbers)
    if asset_in_hand(context, numbers) is None and len(found) == 1:
        await _bind(context, found[0], numbers, None)


async def bind_or_ask(context: JobContext, numbers: Numbers) -> list[DecisionEvidence]:
    """The same once all numbers are known; where several assets fit a person reads the label.

    Returns the answers that were given. A handset that fits no asset is bound by nobody here:
    somebody may scan its tag at any time. What it was bound to before is never changed but by a
    person who has read the label again.
    """
    hand = asset_in_hand(context, numbers)
    if hand is not None and not doubts(context.intake.book, hand):
        return []
    found = candidates(context, numbers)
    bound = None if hand is None else context.intake.book.assets.get(hand.tag)
    may_be = list({asset.tag: asset for asset in (bound, *found) if asset is not None}.values())
    if hand is None and len(found) == 1:
        await _bind(context, found[0], numbers, None)
    contradicted = hand is not None and contradicts(context.intake.book, hand)
    if len(may_be) < 2 and not contradicted:
        return []
    tags = ", ".join(asset.tag for asset in may_be[:MOST_SHOWN])
    decision = await context.ask(Gate.ASSET, {**context.handset_facts(), "tags": tags})
    chosen = [asset for asset in may_be if asset.tag == decision.note.strip()]
    if decision.approved and chosen and (hand is None or chosen[0].tag != hand.tag):
        await _bind(context, chosen[0], numbers, Who.of(decision.by), by_label=True)
    return [DecisionEvidence.of(decision)]


async def bind_by_label_in(context: JobContext, decision: Decision) -> None:
    """Bind by the label whose tag somebody has scanned into the note beside the numbers."""
    book = context.intake.book
    tags = {word for word in decision.note.split() if word in book.assets and not is_imei(word)}
    bound = book.of_job.get(context.job)
    if len(tags) != 1 or (bound is not None and bound.told.bound_by is BoundBy.TAG):
        return
    asset = book.assets[Tag(tags.pop())]
    numbers = numbers_known(context)
    await _bind(context, asset, numbers, Who.of(decision.by), by_label=True)


def number_by_label(context: JobContext, numbers: Numbers) -> str | None:
    """The IMEI that was read and that the papers name of the asset whose label was scanned.

    Papers that were found by the number itself bear nothing out.
    """
    hand = asset_in_hand(context, numbers)
    if hand is None or hand.told.bound_by is not BoundBy.TAG or hand.told.by is None:
        return None
    asset = context.intake.book.assets.get(hand.tag)
    imei = None if asset is None else asset.line.imei
    return imei if imei in numbers.imeis - numbers.proven else None


def candidates(context: JobContext, numbers: Numbers) -> Sequence[Asset]:
    """The assets that it may be: by a proven IMEI if any has it, else by its serial."""
    book = context.intake.book
    by_imei = [book.by_imei[imei] for imei in sorted(numbers.proven) if imei in book.by_imei]
    if by_imei:
        return list({asset.tag: asset for asset in by_imei}.values())
    same_serial = book.by_serial.get(numbers.serial or "", ())
    return [
        asset
        for asset in same_serial
        if asset.tag not in book.unerasable and not (asset.line.imei and numbers.imeis)
    ]


async def _bind(
    context: JobContext, asset: Asset, numbers: Numbers, by: Who | None, *, by_label: bool = False
) -> None:
    identity = context.inspected().identity
    entry = context.models.of(identity)
    names = (identity.model, *((entry.name, *entry.codes) if entry else ()))
    same_imei = asset.line.imei in numbers.proven
    fits = fits_papers(asset.line.model, names)
    told = BoundRecord(
        lot=asset.lot,
        lot_sequence=context.intake.book.lots[asset.lot].sequence,
        tag=asset.tag,
        bound_by=_bound_by(by_label=by_label, same_imei=same_imei),
        imeis=tuple(sorted(numbers.imeis)),
        serial=numbers.serial,
        model=identity.model,
        differs="" if fits else f"{asset.line.model} / {identity.model}",
        by=by,
    )
    await context.intake.bind(told, job=context.job, slot=context.slot)


def _bound_by(*, by_label: bool, same_imei: bool) -> BoundBy:
    if by_label:
        return BoundBy.TAG
    return BoundBy.IMEI if same_imei else BoundBy.SERIAL
