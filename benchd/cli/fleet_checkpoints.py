"""`benchd fleet checkpoints …`: the centre's whole state, kept elsewhere and held against it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import anyio
import typer

from benchd.cli.file_arguments import read_file
from benchd.cli.fleet_commands import (
    DatabaseOption,
    StoreCredentialsOption,
    require_fleet,
    store_target,
)
from benchd.cli.messages import failed, say, tell
from benchd.cli.misuse import mistake
from benchd.domain.errors import UsageRefused

if TYPE_CHECKING:
    from benchd.fleet.leaf_list import LeafList
    from benchd.ledger.fleet_checkpoint import Branch

checkpoints_app = typer.Typer(
    help="The centre's state, kept elsewhere to be compared.", no_args_is_help=True
)
_ODD: Final = {
    "foreign": "say.fleet_list_foreign",
    "unlocked": "say.fleet_list_unlocked",
    "hidden": "say.fleet_list_hidden",
    "unreadable": "say.fleet_list_unreadable",
    "repeated": "say.fleet_list_repeated",
}


@checkpoints_app.command("write")
def checkpoints_write(
    file: Annotated[Path, typer.Argument(help="A new file, for a place of other people's.")],
    key: Annotated[Path, typer.Option(help="The centre's own key: `benchd key create`.")],
    database: DatabaseOption = "",
) -> None:
    """Write, signed, how far the centre has come with every rack."""
    require_fleet()
    from benchd.daemon.system_clock import SystemClock
    from benchd.fleet.fleet_database import open_database
    from benchd.fleet.leaf_list import branches_of, encode_leaves
    from benchd.signing.private_key import load_key

    async def leaves() -> list[Branch]:
        async with open_database(database) as opened, opened.transaction() as connection:
            return await branches_of(connection)

    signing = load_key(key)
    found = anyio.run(leaves)
    with file.open("xb") as new:
        new.write(encode_leaves(found, SystemClock().now(), signing))
    tell("say.fleet_leaves_written", path=str(file), count=str(len(found)))


@checkpoints_app.command("verify")
def checkpoints_verify(
    key: Annotated[Path, typer.Option(help="The public half of the centre's key (PEM).")],
    files: Annotated[list[Path] | None, typer.Argument(help="What `write` has written.")] = None,
    database: DatabaseOption = "",
    locked_store: Annotated[
        str, typer.Option(help="The bucket where the centre puts them: https://STORE/BUCKET.")
    ] = "",
    locked_store_credentials: StoreCredentialsOption = None,
) -> None:
    """Name whatever the centre once had and has no more; 1 where there is anything.

    Of a locked store each version of each list counts, whatever hides it.
    """
    require_fleet()
    from benchd.daemon.system_clock import SystemClock
    from benchd.fleet.fleet_database import open_database
    from benchd.fleet.leaf_list import decode_leaves, lost_between, lost_in
    from benchd.fleet.locked_lists import KeptLists, read_lists
    from benchd.fleet.locked_store import LockedStore
    from benchd.signing.public_key import public_key_of

    centre = public_key_of(read_file(key))
    target = store_target(locked_store, locked_store_credentials)
    if not files and target is None:
        raise mistake("say.fleet_no_lists")
    lists: list[LeafList] = []
    for file in files or ():
        try:
            lists.append(decode_leaves(read_file(file), centre))
        except ValueError as error:
            raise UsageRefused(f"{file} isn't a list of this centre's leaves: {error}") from error
    lists.sort(key=lambda each: each.at)
    kept = KeptLists()
    if target is not None:
        kept = read_lists(LockedStore(target), centre, SystemClock().now())
    odd = "".join(
        "\n" + say(_ODD[each.kind], path=each.name, detail=each.detail) for each in kept.oddities
    )
    if target is not None and not kept.lists:
        raise failed("say.fleet_store_empty", path=locked_store, detail=odd)
    told = [
        _told("say.fleet_leaf_was_less", leaf, f"{newer.at:%Y-%m-%d %H:%M} UTC")
        for each in (lists, kept.lists)
        for older, newer in pairwise(each)
        for leaf in lost_between(older, newer)
    ]

    async def lost() -> list[Branch]:
        every = {leaf for each in (*lists, *kept.lists) for leaf in each.leaves}
        async with open_database(database) as opened:
            return await lost_in(opened, sorted(every, key=_place))

    told += [_told("say.fleet_leaf_lost", leaf, "") for leaf in anyio.run(lost)]
    ends = [failed("say.fleet_store_odd", path=locked_store, detail=odd)] if odd else []
    if told:
        ends.append(failed("say.fleet_put_back", detail="\n".join(told)))
    if ends:
        raise ends[0]
    tell("say.fleet_leaves_hold", count=str(len(lists) + len(kept.lists)))
    if kept.lists:
        newest = kept.lists[-1].at
        tell("say.fleet_newest_list", path=locked_store, detail=f"{newest:%Y-%m-%d %H:%M} UTC")


def _place(leaf: Branch) -> tuple[str, int]:
    return leaf.rack, leaf.tip.sequence


def _told(key: str, leaf: Branch, at: str) -> str:
    return say(key, name=leaf.rack, value=str(leaf.tip.sequence), detail=at)
