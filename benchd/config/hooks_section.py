"""[[hooks]]: which other systems hear of jobs, and how far they are believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from benchd.config.addresses import LONGEST_ADDRESS, begin_of, parts_of
from benchd.config.config_values import LocalPath, OneLine, Section
from benchd.config.mistake_wording import found, refused
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue, UsageRefused
from benchd.domain.hook import HOOK_NAME, LONGEST_BIN, HookEventKind
from benchd.domain.loopback import is_loopback_url
from benchd.signing.webhook_signature import read_secrets

MOST_HOOKS = 16
LONGEST_TIMEOUT_S = 60.0
_ALLOWED_URL = (
    f"allowed is an address of up to {LONGEST_ADDRESS} characters that begins with https://,"
    " without a name and password in it"
)

EventWord = Literal[
    "job_started", "question_waiting", "job_ended", "disposition_settled", "handset_graded"
]
DispositionWord = Literal["sellable", "return", "hold", "destroy"]
Bin = Annotated[str, StringConstraints(max_length=LONGEST_BIN)]


def _name(name: str) -> str:
    if not HOOK_NAME.fullmatch(name):
        raise refused(
            f"found {found(name)}, allowed as a hook's name are 1 to 32 of a-z, 0-9, _ and -"
        )
    return name


def _url(url: str) -> str:
    parts = parts_of(url)
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or len(url) > LONGEST_ADDRESS
        or parts.fragment
        or not url.isprintable()
        or " " in url
    ):
        raise refused(f"found {begin_of(url)}, {_ALLOWED_URL}")
    return url


class HookSection(Section):
    """One receiver."""

    name: Annotated[str, AfterValidator(_name)]
    # What `url` depends on stands before it.
    allow_plain_http: bool = False
    url: Annotated[str, AfterValidator(_url)]
    secret: LocalPath
    authority: LocalPath | None = None
    events: Annotated[list[EventWord], Field(min_length=1, max_length=len(HookEventKind))] = Field(
        default_factory=lambda: cast("list[EventWord]", [kind.value for kind in HookEventKind])
    )
    lots: Annotated[list[OneLine], Field(max_length=1000)] = Field(default_factory=list[str])
    dispositions: Annotated[list[DispositionWord], Field(max_length=4)] = Field(
        default_factory=list[DispositionWord]
    )
    bins: dict[DispositionWord, Annotated[list[Bin], Field(max_length=100)]] = Field(
        default_factory=dict[DispositionWord, list[Bin]]
    )
    timeout_s: Annotated[float, Field(gt=0, le=LONGEST_TIMEOUT_S, allow_inf_nan=False)] = 10.0
    give_up_days: Annotated[float, Field(gt=0, le=90, allow_inf_nan=False)] = 14.0

    @field_validator("url")
    @classmethod
    def _encrypted(cls, url: str, info: ValidationInfo) -> str:
        plain = urlsplit(url).scheme == "http" and not is_loopback_url(url)
        if plain and info.data.get("allow_plain_http") is False:
            raise refused(
                f"found {begin_of(url)}, over which everybody on the way could read serials and"
                " IMEIs; allowed is https://, or any with allow_plain_http = true"
            )
        return url


def hook_issues(document: Document) -> Iterator[ConfigIssue]:
    """A name is that of one hook, and a bin for what is held isn't one for what any hook sells."""
    tables = document.data.get("hooks")
    hooks = cast("list[object]", tables) if isinstance(tables, list) else []
    names = Counter(str(_inside(hook, "name")) for hook in hooks)
    for_sale = {
        place for hook in hooks for place in _texts(_inside(_inside(hook, "bins"), "sellable"))
    }
    for index, hook in enumerate(hooks):
        name = _inside(hook, "name")
        if isinstance(name, str) and names[name] > 1:
            message = f"found {found(name)} more than once; allowed is each name once"
            yield document.issue(("hooks", index, "name"), message)
        bins = _inside(hook, "bins")
        for word in ("return", "hold", "destroy"):
            both = sorted(for_sale.intersection(_texts(_inside(bins, word))))
            if both:
                message = (
                    f"found {found(both[0])}, where what may be sold is put, too; allowed is a bin"
                    " of its own"
                )
                yield document.issue(("hooks", index, "bins", word), message)


def hook_file_issues(document: Document, hooks: Sequence[HookSection]) -> Iterator[ConfigIssue]:
    """What is wrong with the files of secrets."""
    for index, hook in enumerate(hooks):
        try:
            read_secrets(hook.secret)
        except UsageRefused as refusal:
            if isinstance(refusal.__cause__, PermissionError):
                continue  # not for these eyes; the daemon's own find it at its start
            yield document.issue(("hooks", index, "secret"), str(refusal))


def _inside(value: object, key: str) -> object:
    return cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None


def _texts(value: object) -> set[str]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return {item for item in items if isinstance(item, str)}
