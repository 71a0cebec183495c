"""What a locked store has of the centre's lists, and what isn't there as the centre put it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.fleet.leaf_list import LeafList, decode_leaves
from benchd.fleet.locked_store import LockedStore, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A version that somebody has meddled with, or that isn't the centre's."""

    kind: Literal["foreign", "unlocked", "hidden", "unreadable", "repeated"]
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLists:
    """All that this centre has signed, in the order of the store's clock."""

    lists: Sequence[LeafList] = ()
    oddities: Sequence[Oddity] = ()


def read_lists(store: LockedStore, centre: Ed25519PublicKey, now: datetime) -> KeptLists:
    """Read every version there is. Raises StoreAway.

    What isn't a list, or can't be read, is named and passed over: who may write there keeps nobody
    from the others. Of one list that came several times the first counts: put again later it would
    say of the centre that it was put back.
    """
    found: list[tuple[datetime, datetime, str, LeafList]] = []
    oddities: list[Oddity] = []
    for version in store.versions():
        if isinstance(version, Unreadable):
            oddities.append(Oddity(kind="unreadable", name=version.name, detail=version.detail))
            continue
        try:
            read = decode_leaves(version.content, centre)
        except ValueError as error:
            oddities.append(Oddity(kind="foreign", name=version.name, detail=str(error)))
            continue
        found.append((version.put_at, read.at, version.name, read))
        if version.locked_until is None:
            oddities.append(Oddity(kind="unlocked", name=version.name))
        elif not version.is_on_top and version.locked_until > now:
            oddities.append(Oddity(kind="hidden", name=version.name))
    lists: dict[LeafList, None] = {}
    for *_, name, each in sorted(found, key=lambda each: each[:2]):
        if each in lists:
            oddities.append(Oddity(kind="repeated", name=name))
        lists.setdefault(each)
    return KeptLists(lists=list(lists), oddities=oddities)
