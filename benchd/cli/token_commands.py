"""`benchd tokens …`: what other systems may ask for; through the daemon, or on its files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import say, tell_rows
from benchd.cli.options import DEFAULT_CONFIG, JsonOption
from benchd.cli.people_either import ConfigOption, files_owner, over_daemon_or
from benchd.cli.sign_in import OperatorOption
from benchd.domain.token import Scope

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from benchd.cli.client import BenchdClient
    from benchd.config import Settings
    from benchd.domain.ids import JsonObject
    from benchd.domain.token import Token
    from benchd.people.tokens.token_register import Tokens

tokens_app = typer.Typer(help="Which other systems may come in.", no_args_is_help=True)

COLUMNS = ("token", "scopes", "expires_at", "state")

NameArgument = Annotated[str, typer.Argument(help="The token's name: never given away anew.")]
DaysOption = Annotated[int, typer.Option("--days", min=1, help="For how many days it counts.")]


@tokens_app.command("list")
def tokens_list(
    json_output: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Name each token there is or was: what for, until when. Secrets aren't kept."""

    async def on_disk(tokens: Tokens) -> JsonObject:
        return {"tokens": [_told(tokens, token) for token in tokens.all]}

    told = _either(config, operator, lambda client: client.tokens(), on_disk)
    found = told["tokens"]
    tokens = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    show(json_output, told, lambda: tell_rows(COLUMNS, map(_cells, tokens)))


@tokens_app.command("create")
def tokens_create(
    token: NameArgument,
    scope: Annotated[
        list[Scope], typer.Option("--scope", help="What it is for; may stand several times.")
    ],
    days: DaysOption = 365,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """A new token: its secret alone goes to standard output, this once."""

    async def on_disk(tokens: Tokens) -> JsonObject:
        made, secret = await tokens.create(files_owner(), token, scope, days=days)
        return {**_told(tokens, made), "secret": secret}

    new: JsonObject = {"token": token, "scopes": list(scope), "days": days}
    _tell_secret(_either(config, operator, lambda client: client.create_token(new), on_disk))


@tokens_app.command("rotate")
def tokens_rotate(
    token: NameArgument,
    overlap: Annotated[
        float, typer.Option("--overlap", min=0, help="For how many hours the old secret counts on.")
    ] = 24.0,
    days: DaysOption = 365,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """A new secret for a token, which goes to standard output, this once."""

    async def on_disk(tokens: Tokens) -> JsonObject:
        by = files_owner()
        made, secret = await tokens.rotate(by, token, days=days, overlap_hours=overlap)
        return {**_told(tokens, made), "secret": secret}

    asked: JsonObject = {"days": days, "overlap_hours": overlap}
    _tell_secret(
        _either(config, operator, lambda client: client.rotate_token(token, asked), on_disk)
    )


@tokens_app.command("revoke")
def tokens_revoke(
    token: NameArgument, config: ConfigOption = DEFAULT_CONFIG, operator: OperatorOption = None
) -> None:
    """Let a token do nothing any more, at once and for good."""

    async def on_disk(tokens: Tokens) -> JsonObject:
        return _told(tokens, await tokens.revoke(files_owner(), token))

    told = _either(config, operator, lambda client: client.revoke_token(token), on_disk)
    tell_rows(COLUMNS, [_cells(told)])


def _either(
    config: Path,
    operator: str | None,
    over_socket: Callable[[BenchdClient], JsonObject],
    on_disk: Callable[[Tokens], Awaitable[JsonObject]],
) -> JsonObject:
    def opened(settings: Settings) -> AbstractAsyncContextManager[Tokens]:
        from benchd.daemon.rack_tokens import tokens_on_disk

        return tokens_on_disk(settings)

    return over_daemon_or(opened, config, operator, over_socket, on_disk)


def _told(tokens: Tokens, token: Token) -> JsonObject:
    """A token as the API tells of it."""
    from benchd.daemon.rack_tokens import token_json

    return token_json(tokens, token)


def _tell_secret(told: JsonObject) -> None:
    typer.echo(say("say.token_once", name=str(told["token"])), err=True)
    typer.echo(str(told["secret"]))


def _cells(token: JsonObject) -> list[str]:
    scopes, former = token["scopes"], token["former_until"]
    if token["revoked_at"]:
        state = say("say.token_revoked", value=str(token["revoked_at"]))
    elif token["over"]:
        state = say("say.token_expired")
    else:
        state = say("say.token_former", value=str(former)) if former else ""
    return [
        str(token["token"]),
        ",".join(map(str, scopes)) if isinstance(scopes, list) else "",
        str(token["expires_at"]),
        state,
    ]
