"""[http]: where the dashboard and the API are served, and to whom."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from benchd.config.config_values import LocalPath, Section, SocketPath
from benchd.config.mistake_wording import found, refused
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue
from benchd.signing.tls import FileRole, TlsFiles, expiry_of, mistakes_of

LARGEST_UID = (1 << 32) - 2

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_HEADERS_OF_HTTP = re.compile(
    r"(?i)accept.*|access-.*|authorization|connection|content-.*|cookie|forwarded|host|if-.*"
    r"|origin|range|referer|sec-.*|te|trailer|transfer-encoding|upgrade|user-agent|via"
)
"""They say something else, and browsers send them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """An IP address with a TCP port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def is_every(self) -> bool:
        """Whether it stands for every address of the machine, so that nobody calls it by that."""
        return ipaddress.ip_address(self.host).is_unspecified

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _listen_address(value: object) -> ListenAddress:
    if isinstance(value, ListenAddress):
        return value
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        address = None
    if (
        address is None
        or bracketed != (address.version == 6)
        or not re.fullmatch(r"[0-9]{1,5}", port)
        or not 1 <= int(port) <= 65535
    ):
        raise refused(
            f"found {found(value)}, allowed is an IP address with a port from 1 to 65535,"
            ' for example "127.0.0.1:8420" or "[::1]:8420"'
        )
    return ListenAddress(host=str(address), port=int(port))


def _host_name(name: str) -> str:
    """The name as it is compared: lower case, an IP address in its short form."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is not None and not address.is_unspecified:
        return str(address)
    if address is not None or not _HOST_NAME.fullmatch(name.lower()):
        raise refused(
            f"found {found(name)}, allowed is the name or IP address that people type, without"
            ' https://, port and *, for example "rack7.example" (one of other letters as xn--…)'
        )
    return name.lower()


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name) or _HEADERS_OF_HTTP.fullmatch(name):
        raise refused(
            f"found {found(name)}, allowed is the name of a header of its own, of letters, digits"
            ' and -, for example "X-Remote-User"'
        )
    return name


class ProxySettings(Section):
    """The one peer whose word counts for who sends a request."""

    uid: Annotated[int, Field(ge=1, le=LARGEST_UID)] | None = None
    client_certificate: LocalPath | None = None
    header: Annotated[str, AfterValidator(_header)] = "X-Remote-User"
    forwarded: bool = False

    @model_validator(mode="after")
    def _shown_in_one_way(self) -> ProxySettings:
        if (self.uid is None) == (self.client_certificate is None):
            raise refused(
                "has to say how the proxy is known, in one way: uid (the user it runs as, on the"
                ' Unix socket; see "id -u www-data") or client_certificate (over TLS)'
            )
        return self


class HttpSettings(Section):
    """Where the dashboard and the API are served, and what is shown to whom."""

    socket: SocketPath = Path("/run/benchd/benchd.sock")
    anonymous: Literal["wall", "read", "none"] = "wall"
    metrics: bool = True
    # What `listen`, `tls_key` and `trusted_proxy` depend on stands before them.
    allow_beyond_loopback: bool = False
    allowed_hosts: list[Annotated[str, AfterValidator(_host_name)]] = Field(
        default_factory=list[str]
    )
    tls_certificate: LocalPath | None = None
    tls_key: LocalPath | None = None
    trusted_proxy: ProxySettings | None = None
    listen: Annotated[ListenAddress, BeforeValidator(_listen_address)] = ListenAddress(
        host="127.0.0.1", port=8420
    )

    @property
    def hosts(self) -> tuple[str, ...]:
        """Under which names people come, beside loopback ones; 0.0.0.0 and :: are nobody's."""
        own = () if self.listen.is_every else (self.listen.host,)
        return (*own, *self.allowed_hosts)

    @property
    def tls_files(self) -> TlsFiles | None:
        """What TLS is made of; None where nothing is encrypted."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        proxy = self.trusted_proxy
        return TlsFiles(
            certificate=self.tls_certificate,
            key=self.tls_key,
            client_authority=proxy.client_certificate if proxy else None,
        )

    @field_validator("tls_key")
    @classmethod
    def _both_files(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        # A mistake in what stands before is reported there, and then it isn't among the data.
        if "tls_certificate" in info.data and (info.data["tls_certificate"] is None) != (
            key is None
        ):
            raise refused("TLS needs both files: tls_certificate and tls_key")
        return key

    @field_validator("trusted_proxy")
    @classmethod
    def _can_be_reached(
        cls, proxy: ProxySettings | None, info: ValidationInfo
    ) -> ProxySettings | None:
        if proxy is None:
            return None
        if info.data.get("allowed_hosts") == []:
            raise refused(
                "without allowed_hosts every answer that comes through the proxy is refused; add"
                " allowed_hosts with the names that people type"
            )
        if (
            proxy.client_certificate is not None
            and info.data.get("tls_certificate", "unknown") is None
        ):
            raise refused(
                "client_certificate is shown over TLS: add tls_certificate and tls_key, or name"
                " the proxy on the Unix socket by its uid"
            )
        return proxy

    @field_validator("listen")
    @classmethod
    def _reach(cls, listen: ListenAddress, info: ValidationInfo) -> ListenAddress:
        allowed = info.data.get("allow_beyond_loopback")
        if listen.is_loopback or allowed is None:
            return listen
        if not allowed:
            raise refused(
                f"found {found(str(listen))}, which other machines can reach; allowed is a"
                " loopback address like 127.0.0.1, or any with allow_beyond_loopback = true"
            )
        if info.data.get("tls_certificate", "unknown") is None:
            raise refused(
                f"found {found(str(listen))}, which other machines would read in clear; add"
                " tls_certificate and tls_key, or listen on 127.0.0.1 behind a proxy on this"
                " machine"
            )
        if listen.is_every and info.data.get("allowed_hosts") == []:
            raise refused(
                f"found {found(str(listen))}, under which no browser can call it; add"
                " allowed_hosts with the names or addresses that people type"
            )
        return listen


def http_issues(document: Document, http: HttpSettings) -> Iterator[ConfigIssue]:
    """What is wrong with the files of TLS, as far as whoever looks may read them."""
    files = http.tls_files
    if files is None:
        return
    for mistake in mistakes_of(files, unreadable_counts=False):
        yield document.issue(("http", *_NAMED[mistake.role]), f"{mistake.file} {mistake.message}")


def expiry_issues(document: Document, http: HttpSettings, now: datetime) -> Iterator[ConfigIssue]:
    """That a certificate has ended: a rack goes on with it, but browsers don't."""
    files = http.tls_files
    if files is None:
        return
    try:
        ends = expiry_of(files.certificate)
    except OSError:
        return  # not for these eyes
    if ends <= now:
        message = f"{files.certificate} ended on {ends:%Y-%m-%d}: browsers refuse it; renew it"
        yield document.issue(("http", "tls_certificate"), message)


_NAMED: Mapping[FileRole, tuple[str, ...]] = MappingProxyType(
    {
        FileRole.CERTIFICATE: ("tls_certificate",),
        FileRole.KEY: ("tls_key",),
        FileRole.CLIENT_AUTHORITY: ("trusted_proxy", "client_certificate"),
    }
)
