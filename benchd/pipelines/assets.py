"""Which asset the handset of a job is: by its numbers, else by whoever has the label in hand."""

from __future__ import annotations

from collections.abc import Sequence

from benchd.models.papers import fits_papers
from benchd.pipelines.contract import JobContext
from benchd.proof.citing import AssetInHand, Numbers, doubts
from benchd.proof.evidence.intake import BoundRecord, Who
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.intake_book import Asset
from benchd.words.imei import is_imei
from benchd.words.intake import BoundBy
from benchd.words.job import Gate

MOST_SHOWN = 10
"""Tags in one question."""


def numbers_known(context: JobContext, screen_number: str | None = None) -> Numbers:
    """What is known of the handset so far."""
    identity, gates = context.inspected().identity, context.evidence.gates
    read = screen_number or (gates.screen_number if gates else None)
    told = identity.imeis
    return Numbers(
        imeis=frozenset((*told, read) if read and is_imei(read) else told),
        serial=identity.serial or None,
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


async def bind_or_ask(context: JobContext, screen_number: str | None) -> list[DecisionEvidence]:
    """The same once all numbers are known; where several assets fit a person reads the label.

    Returns the answers that were given. A handset that fits no asset is bound by nobody here:
    somebody may scan its tag at any time.
    """
    numbers = numbers_known(context, screen_number)
    hand = asset_in_hand(context, numbers)
    if hand is not None and not doubts(context.intake.book, hand):
        return []
    found = candidates(context, numbers)
    if len(found) == 1:
        await _bind(context, found[0], numbers, None)
    if len(found) < 2:
        return []
    tags = ", ".join(asset.tag for asset in found[:MOST_SHOWN])
    decision = await context.ask(Gate.ASSET, {**context.handset_facts(), "tags": tags})
    chosen = [asset for asset in found if asset.tag == decision.note.strip()]
    if decision.approved and chosen:
        await _bind(context, chosen[0], numbers, Who.of(decision.by))
    return [DecisionEvidence.of(decision)]


def candidates(context: JobContext, numbers: Numbers) -> Sequence[Asset]:
    """The assets that it may be: by an IMEI if any has it, else by its serial."""
    book = context.intake.book
    by_imei = [book.by_imei[imei] for imei in sorted(numbers.imeis) if imei in book.by_imei]
    if by_imei:
        return list({asset.tag: asset for asset in by_imei}.values())
    same_serial = book.by_serial.get(numbers.serial or "", ())
    return [
        asset
        for asset in same_serial
        if asset.tag not in book.unerasable and not (asset.line.imei and numbers.imeis)
    ]


async def _bind(context: JobContext, asset: Asset, numbers: Numbers, by: Who | None) -> None:
    identity = context.inspected().identity
    entry = context.models.of(identity)
    names = (identity.model, *((entry.name, *entry.codes) if entry else ()))
    same_imei = asset.line.imei in numbers.imeis
    fits = fits_papers(asset.line.model, names)
    told = BoundRecord(
        lot=asset.lot,
        lot_sequence=context.intake.book.lots[asset.lot].sequence,
        tag=asset.tag,
        bound_by=BoundBy.IMEI if same_imei else BoundBy.SERIAL,
        imeis=tuple(sorted(numbers.imeis)),
        serial=numbers.serial,
        model=identity.model,
        differs="" if fits else f"{asset.line.model} / {identity.model}",
        by=by,
    )
    await context.intake.bind(told, job=context.job, slot=context.slot)
