"""[fleet]: the centre that this rack's records are sent to; none without an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from benchd.config.addresses import AnchorAddress, begin_of
from benchd.config.config_values import LocalPath, Section
from benchd.config.mistake_wording import refused
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue, UsageRefused
from benchd.domain.loopback import is_loopback_url
from benchd.signing.fleet_chips import read_fleet_secret
from benchd.signing.public_key import public_key_of
from benchd.signing.tls import ClientFiles, verified_tls

LONGEST_TIMEOUT_S = 120.0


class FleetSection(Section):
    """The centre, and how either side shows who it is."""

    url: AnchorAddress | None = None
    centre_key: LocalPath | None = None
    """The public half of the key that the centre signs checkpoints with."""
    certificate: LocalPath | None = None
    """What the rack shows of itself, with its key."""
    key: LocalPath | None = None
    authority: LocalPath | None = None
    chip_secret: LocalPath | None = None
    """What all racks of the dealer hash chips with; not for the centre."""
    timeout_s: Annotated[float, Field(gt=0, le=LONGEST_TIMEOUT_S, allow_inf_nan=False)] = 30.0

    @field_validator("url")
    @classmethod
    def _encrypted(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url is not None and parts.scheme == "http" and not is_loopback_url(url):
            raise refused(
                f"found {begin_of(url)}, over which everybody on the way could read the records;"
                " allowed is https://, or http:// to this machine"
            )
        if parts.query:
            raise refused(
                f"found {begin_of(url or '')} with a ?; allowed is the centre's address alone: who"
                " asks is shown by certificate and key"
            )
        return url

    def shared_secret(self) -> bytes | None:
        """What its chip secret's file has. Raises UsageRefused, OSError."""
        return None if self.chip_secret is None else read_fleet_secret(self.chip_secret)

    @property
    def client(self) -> ClientFiles | None:
        """What the rack shows of itself."""
        if self.certificate is None or self.key is None:
            return None
        return ClientFiles(certificate=self.certificate, key=self.key)


def fleet_issues(document: Document, fleet: FleetSection) -> Iterator[ConfigIssue]:
    """What is missing, and what is wrong with the files that it names.

    What isn't for the eyes of whoever looks, the daemon's own find at its start.
    """
    if fleet.url is None:
        return
    if fleet.centre_key is None:
        message = "centre_key is missing: without it no acknowledgement could be believed"
        yield document.issue(("fleet", "url"), message)
    else:
        try:
            public_key_of(fleet.centre_key.read_bytes())
        except PermissionError:
            pass
        except (OSError, UsageRefused):
            message = f"{fleet.centre_key} isn't there or holds no public key in PEM"
            yield document.issue(("fleet", "centre_key"), message)
    if urlsplit(fleet.url).scheme == "https" and fleet.client is None:
        message = "certificate and key are missing: the centre lets nobody in who shows none"
        yield document.issue(("fleet", "url"), message)
    yield from _secret_issues(document, fleet)
    for name, authority, client in (
        ("authority", fleet.authority, None),
        ("certificate", None, fleet.client),
    ):
        try:
            verified_tls(authority, client)
        except PermissionError:
            pass
        except OSError:
            told = authority or f"{fleet.certificate} with {fleet.key}"
            message = f"{told} isn't there or can't be used: certificates and keys are PEM"
            yield document.issue(("fleet", name), message)


def _secret_issues(document: Document, fleet: FleetSection) -> Iterator[ConfigIssue]:
    try:
        fleet.shared_secret()
    except PermissionError:
        pass
    except (OSError, UsageRefused):
        message = f"{fleet.chip_secret} isn't there or doesn't have 64 hex digits"
        yield document.issue(("fleet", "chip_secret"), message)
