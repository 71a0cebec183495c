"""An S3 bucket with Object Lock: what is put there can't be taken away by whoever speaks S3."""

from __future__ import annotations

import base64
import configparser
import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

import urllib3.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from benchd.domain.errors import BenchdError, DependencyMissing, UsageRefused
from benchd.domain.loopback import is_loopback_url

LEAST_DAYS: Final = 30
"""A lock that ends sooner has ended before anybody has looked."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a list: some 300,000 lines of records."""
COMPLIANCE: Final = "COMPLIANCE"
_CONNECT_S: Final = 5
_READ_S: Final = 10
_CURE: Final = (
    "Make the bucket and its credentials as docs/fleet.md has them,"
    ' "Into a store that deletes nothing".'
)
_LOOK: Final = (
    "Look at the bucket, its credentials and this machine's clock: docs/fleet.md,"
    ' "Into a store that deletes nothing".'
)
_NO_ADDRESS: Final = "a locked store is named as https://STORE/BUCKET"
_DEFAULT_REGION: Final = "us-east-1"
_LATER: Final = frozenset(
    {"RequestTimeout", "RequestTimeTooSkewed", "OperationAborted", "408", "425", "429"}
)
"""Codes below 500 that say nothing of what was asked for."""
_NO_LOCK: Final = "ObjectLockConfigurationNotFoundError"
_DENIED: Final = "AccessDenied"


class StoreAway(BenchdError):
    """Raised when the store can't be asked now, or says nothing of its lock."""

    code = ""
    """The store's own; of an answer without a body its status."""


class VersionGone(StoreAway):
    """Raised when the store has no such version, or none any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTarget:
    """Which bucket, and where the credentials for it are."""

    url: str
    """The store's address, and the bucket as its path."""
    credentials: Path
    """As `~/.aws/credentials` has them, in the section `default`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of one object, whatever lies on top of it."""

    name: str
    id: str
    put_at: datetime
    """By the store's clock."""
    is_on_top: bool
    """Neither a newer version nor a delete marker hides it."""
    locked_until: datetime | None
    """None where it was never locked by COMPLIANCE for as long as it has to be."""
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A version that is listed and not given out: encrypted by another's key, or archived."""

    name: str
    detail: str


_Ask = Callable[..., Mapping[str, Any]]


class _S3(Protocol):
    """What is asked of botocore's client, which has no types."""

    def get_object_lock_configuration(self, **asked: object) -> Mapping[str, Any]: ...
    def put_object_lock_configuration(self, **asked: object) -> Mapping[str, Any]: ...
    def put_object(self, **asked: object) -> Mapping[str, Any]: ...
    def head_object(self, **asked: object) -> Mapping[str, Any]: ...
    def get_object(self, **asked: object) -> Mapping[str, Any]: ...
    def delete_object(self, **asked: object) -> Mapping[str, Any]: ...
    def put_object_retention(self, **asked: object) -> Mapping[str, Any]: ...
    def get_paginator(self, operation: str) -> Any: ...  # noqa: ANN401 - pages of the same


class LockedStore:
    """One bucket, by one pair of credentials. Each call blocks for some seconds at most."""

    def __init__(self, target: StoreTarget) -> None:
        """Raises UsageRefused, DependencyMissing; asks nobody yet."""
        parts = urlsplit(target.url)
        self._bucket = parts.path.strip("/")
        is_plain = parts.scheme == "http" and is_loopback_url(target.url)
        if (
            not (parts.scheme == "https" or is_plain)
            or not parts.hostname
            or parts.username is not None
            or parts.query
            or not self._bucket
            or "/" in self._bucket
        ):
            raise UsageRefused(_NO_ADDRESS)
        self.name = target.url
        access, secret = _credentials_in(target.credentials)
        session = cast("Any", Session())
        try:
            self._s3: _S3 = session.create_client(
                "s3",
                region_name=session.get_config_variable("region") or _DEFAULT_REGION,
                endpoint_url=f"{parts.scheme}://{parts.netloc}",
                aws_access_key_id=access,
                aws_secret_access_key=secret,
                config=Config(
                    connect_timeout=_CONNECT_S,
                    read_timeout=_READ_S,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                    # Other stores than Amazon's don't know its newer checksums.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )
        except (BotoCoreError, ValueError) as error:
            raise UsageRefused(_NO_ADDRESS) from error

    def check(self) -> int:
        """For how many days at least the bucket locks; raises StoreAway, DependencyMissing.

        Refused is one that says it doesn't, and one whose lock these credentials may change.
        """
        try:
            told = self._asked(self._s3.get_object_lock_configuration)
        except StoreAway as error:
            if error.code == _NO_LOCK:
                raise self._refused(f"tells of no Object Lock ({_NO_LOCK})") from error
            raise
        lock = told.get("ObjectLockConfiguration", {})
        rule = lock.get("Rule", {}).get("DefaultRetention", {})
        days = int(rule.get("Days", 0)) + 365 * int(rule.get("Years", 0))
        if rule.get("Mode") != COMPLIANCE or days < LEAST_DAYS:
            raise self._refused(
                f"locks by {rule.get('Mode', 'no rule')} for {days} days; what is wanted is a"
                f" default retention of {LEAST_DAYS} days or more in mode {COMPLIANCE}"
            )
        # The same as it is: whoever may do this may as well put a weaker one.
        if self._does(self._s3.put_object_lock_configuration, ObjectLockConfiguration=lock):
            raise self._refused("lets these credentials change its lock")
        return days

    def put(self, name: str, content: bytes) -> str:
        """A new version, to be locked by the bucket's own rule; raises StoreAway."""
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest())
        told = self._asked(
            self._s3.put_object,
            Key=name,
            Body=content,
            # Amazon's takes nothing under a lock without it.
            ContentMD5=digest.decode(),
            ContentType="application/json",
        )
        return str(told.get("VersionId", ""))

    def require_lock(self, name: str, version: str) -> datetime:
        """Until when it is locked; raises StoreAway, VersionGone, DependencyMissing."""
        until = self._locked_until(name, version)
        if until is None:
            raise self._refused(f"has taken {name} without a lock of {LEAST_DAYS} days")
        return until

    def try_to_undo(self, name: str, version: str) -> None:
        """Shorten its lock, and delete it: what must not work. Raises StoreAway, DependencyMissing.

        A bucket's settings are what its store says. This is what it does.
        """
        before = self.require_lock(name, version)
        which: Mapping[str, object] = {
            "Key": name,
            "VersionId": version,
            "BypassGovernanceRetention": True,
        }
        sooner = {"Mode": "GOVERNANCE", "RetainUntilDate": before - timedelta(days=1)}
        if self._does(self._s3.put_object_retention, Retention=sooner, **which):
            raise self._refused("lets these credentials shorten a lock")
        if self._does(self._s3.delete_object, **which):
            raise self._refused("lets these credentials delete what is locked")
        try:
            after = self._locked_until(name, version)
        except VersionGone:
            after = None
        if after != before:
            raise self._refused("has refused to change a lock and has changed it")

    def versions(self) -> Iterator[Version | Unreadable]:
        """Each that there is, whatever hides it; raises StoreAway."""
        for page in self._pages():
            for each in page.get("Versions", ()):
                yield self._read(each)

    def _read(self, listed: Mapping[str, Any]) -> Version | Unreadable:
        with self._translated():
            name, version = str(listed["Key"]), str(listed["VersionId"])
            try:
                told = self._s3.get_object(Bucket=self._bucket, Key=name, VersionId=version)
            except ClientError as error:
                status, code = _answered(error)
                if not 400 <= status < 500 or _LATER & {code, str(status)}:
                    raise
                return Unreadable(name=name, detail=f"{status} {code}")
            return Version(
                name=name,
                id=version,
                put_at=listed["LastModified"],
                is_on_top=bool(listed["IsLatest"]),
                locked_until=_lock_in(told),
                content=told["Body"].read(MOST_BYTES),
            )

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        with self._translated():
            paginator = self._s3.get_paginator("list_object_versions")
            pages: Iterator[Mapping[str, Any]] = iter(paginator.paginate(Bucket=self._bucket))
        while True:
            with self._translated():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def _locked_until(self, name: str, version: str) -> datetime | None:
        try:
            return _lock_in(self._asked(self._s3.head_object, Key=name, VersionId=version))
        except StoreAway as error:
            if error.code in {"404", "NoSuchVersion", "NoSuchKey"}:
                raise VersionGone(str(error)) from error
            raise

    def _asked(self, ask: _Ask, **more: object) -> Mapping[str, Any]:
        with self._translated():
            return ask(Bucket=self._bucket, **more)

    def _does(self, ask: _Ask, **more: object) -> bool:
        """Whether it does what it should refuse; any other answer is no proof of either."""
        try:
            self._asked(ask, **more)
        except StoreAway as error:
            if error.code == _DENIED:
                return False
            raise
        return True

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Every foreign exception becomes one of ours."""
        try:
            yield
        except ClientError as error:
            status, code = _answered(error)
            cure = f". {_LOOK}" if 400 <= status < 500 else ""
            away = self._away(f"{status} {code}{cure}")
            away.code = code
            raise away from error
        except (BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._away(error) from error
        except (KeyError, TypeError, ValueError) as error:
            raise self._away(f"what it answers isn't S3's ({error!r})") from error

    def _refused(self, told: str) -> DependencyMissing:
        return DependencyMissing(f"{self.name} can't be the locked store: it {told}", cure=_CURE)

    def _away(self, told: object) -> StoreAway:
        return StoreAway(f"the locked store {self.name} can't be asked now: {told}")


def _answered(error: ClientError) -> tuple[int, str]:
    """The status and the store's own code."""
    told = cast("Mapping[str, Any]", error.response)  # pyright: ignore[reportUnknownMemberType]
    status = int(told.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return status, str(told.get("Error", {}).get("Code", ""))


def _lock_in(told: Mapping[str, Any]) -> datetime | None:
    """Until when a version is locked, or was, if it ever was for as long as it has to be."""
    until = told.get("ObjectLockRetainUntilDate")
    put_at = told.get("LastModified")
    if (
        told.get("ObjectLockMode") != COMPLIANCE
        or not isinstance(until, datetime)
        or not isinstance(put_at, datetime)
        # Some of them cut off fractions of a second.
        or until - put_at < timedelta(days=LEAST_DAYS, seconds=-2)
    ):
        return None
    return until


def _credentials_in(file: Path) -> tuple[str, str]:
    read = configparser.ConfigParser(interpolation=None)
    try:
        read.read_string(file.read_text(encoding="utf-8"))
        section = read["default"]
        return section["aws_access_key_id"], section["aws_secret_access_key"]
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError) as error:
        # Whatever else it says may be a secret.
        message = f"{file} holds no credentials for the locked store ({type(error).__name__})"
        cure = "It has [default] with aws_access_key_id and aws_secret_access_key: docs/fleet.md."
        raise DependencyMissing(message, cure=cure) from None
