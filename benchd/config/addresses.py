"""Addresses on the web. One that is refused is told by its begin alone: the rest may be a token."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

from benchd.config.mistake_wording import found, refused

LONGEST_ADDRESS = 500
_WEB = ("http", "https")
_ALLOWED = (
    f"allowed is an address of up to {LONGEST_ADDRESS} characters that begins with https:// or"
    " http://"
)
_ALLOWED_ANCHOR = (
    "allowed is an address without a name and password in it; take them out, and where the anchor"
    " asks who is there, give the address a token: https://…/heads?token=…"
)


def begin_of(url: str) -> str:
    """As much of an address as may be logged, in quotes."""
    parts = parts_of(url)
    if parts is None or parts.scheme not in _WEB or not parts.hostname:
        return "something else"
    return found(f"{parts.scheme}://{parts.hostname}/…")


def parts_of(url: str) -> SplitResult | None:
    """None where it can't be read as an address."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _web_address(url: str) -> str:
    """The text, if it is an address that a browser can open."""
    parts = parts_of(url)
    if (
        parts is None
        or parts.scheme not in _WEB
        or not parts.hostname
        or len(url) > LONGEST_ADDRESS
        or not url.isprintable()
    ):
        raise refused(f"found {begin_of(url)}, {_ALLOWED}")
    return url


def _anchor_address(url: str) -> str:
    """The text, if nothing of it but its query is a secret."""
    parts = urlsplit(url)
    if parts.username is not None:
        raise refused(f"found {begin_of(url)} with a name or password, {_ALLOWED_ANCHOR}")
    if parts.fragment or " " in url:
        raise refused(f"found {begin_of(url)} with a blank or #, {_ALLOWED} and has neither")
    return url


WebAddress = Annotated[str, AfterValidator(_web_address)]
AnchorAddress = Annotated[WebAddress, AfterValidator(_anchor_address)]
