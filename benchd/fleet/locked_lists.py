"""What a locked store has of the centre's lists, and what isn't there as the centre put it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.fleet.leaf_list import LeafList, decode_leaves
from benchd.fleet.locked_store import LockedStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A version that somebody has meddled with, or that isn't the centre's."""

    kind: Literal["foreign", "unlocked", "hidden"]
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLists:
    """All that this centre has signed, in the order of the store's clock."""

    lists: Sequence[LeafList] = ()
    oddities: Sequence[Oddity] = ()


def read_lists(store: LockedStore, centre: Ed25519PublicKey, now: datetime) -> KeptLists:
    """Read every version there is. Raises StoreAway, DependencyMissing.

    What isn't a list is named and passed over: who may write there keeps nobody from the others.
    """
    lists: list[tuple[datetime, datetime, LeafList]] = []
    oddities: list[Oddity] = []
    for version in store.versions():
        try:
            read = decode_leaves(version.content, centre)
        except ValueError as error:
            oddities.append(Oddity(kind="foreign", name=version.name, detail=str(error)))
            continue
        lists.append((version.put_at, read.at, read))
        if version.locked_until is None:
            oddities.append(Oddity(kind="unlocked", name=version.name))
        elif not version.is_on_top and version.locked_until > now:
            oddities.append(Oddity(kind="hidden", name=version.name))
    lists.sort(key=lambda each: each[:2])
    return KeptLists(lists=[each for _, _, each in lists], oddities=oddities)
