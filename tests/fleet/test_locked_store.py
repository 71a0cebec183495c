"""A real store with Object Lock, Debian's radosgw: what it enforces, and what is refused of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from benchd.domain.errors import DependencyMissing
from benchd.fleet.locked_store import LockedStore, StoreAway, StoreTarget, Unreadable, Version
from tests.fleet.high_availability import until
from tests.fleet.locked_bucket import BUCKET, CENTRE, PAGE, LockedBucket, answer, make_bucket, s3
from tests.fleet.private_radosgw import Radosgw, radosgw

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
GOVERNANCE = {"ObjectLockEnabled": "Enabled"} | {
    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 90}}
}
AT = f"--bucket={BUCKET}"
ALL_OF_IT = {"Bucket": BUCKET, "Key": "leaves/1"}


@pytest.fixture(scope="module")
def store() -> Iterator[Radosgw]:
    with radosgw() as running:
        running.add_user("root", "--admin", "--system")
        yield running


@pytest.fixture(scope="module")
def bucket(store: Radosgw) -> LockedBucket:
    return make_bucket(store)


def opened(bucket: LockedBucket, name: str = CENTRE, at: str = BUCKET) -> LockedStore:
    file = bucket.store.credentials(name)
    return LockedStore(StoreTarget(url=f"{bucket.store.url}/{at}", credentials=file))


def read(bucket: LockedBucket) -> list[Version]:
    found = list(opened(bucket, "benchd-auditor").versions())
    assert not [each for each in found if isinstance(each, Unreadable)]
    return [each for each in found if isinstance(each, Version)]


def test_a_bucket_as_the_page_has_it_takes_lists_and_gives_them_back(bucket: LockedBucket) -> None:
    centre = opened(bucket)
    assert centre.check() == 365
    version = centre.put("leaves/0", b"all of it")
    centre.try_to_undo("leaves/0", version)
    [found] = [each for each in read(bucket) if each.id == version]
    assert (found.content, found.is_on_top) == (b"all of it", True)
    assert found.locked_until is not None
    assert found.locked_until - found.put_at >= timedelta(days=364)


@pytest.mark.parametrize(
    ("at", "rule", "why"),
    [
        ("no-lock", None, "tells of no Object Lock"),
        ("no-rule", {}, "locks by no rule"),
        ("governance", {"Mode": "GOVERNANCE", "Days": 365}, "locks by GOVERNANCE"),
        ("too-short", {"Mode": "COMPLIANCE", "Days": 29}, "for 29 days"),
    ],
)
def test_a_bucket_that_locks_less_is_refused(
    bucket: LockedBucket, at: str, rule: dict[str, object] | None, why: str
) -> None:
    owner = bucket.s3("owner")
    owner.create_bucket(Bucket=at, ObjectLockEnabledForBucket=rule is not None)
    if rule:
        owner.put_object_lock_configuration(
            Bucket=at,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": rule},
            },
        )
    with pytest.raises(DependencyMissing, match=why):
        opened(bucket, "owner", at).check()


def test_credentials_that_may_change_the_lock_are_refused_and_what_lets_nobody_in_is_away(
    bucket: LockedBucket,
) -> None:
    with pytest.raises(DependencyMissing, match="change its lock"):
        opened(bucket, "owner").check()
    with pytest.raises(StoreAway, match="403 AccessDenied"):
        opened(bucket, "benchd-auditor").put("leaves/x", b"")
    with pytest.raises(StoreAway, match="404 NoSuchBucket"):
        opened(bucket, "owner", "no-such-bucket").check()
    bucket.store.secrets["stranger"] = "0"
    with pytest.raises(StoreAway, match="403 InvalidAccessKeyId"):
        opened(bucket, "stranger").check()


@pytest.mark.asyncio
async def test_what_the_store_enforces_is_what_the_page_says(bucket: LockedBucket) -> None:
    centre, admin = opened(bucket), bucket.store.admin
    first = centre.put("leaves/1", b"the first")
    grant_everything(bucket)
    before = {each.id: each for each in read(bucket)}
    callers = {name: s3(bucket.store, name) for name in (CENTRE, "owner", "root")}
    version = {**ALL_OF_IT, "VersionId": first}
    soon = datetime.now(UTC) + timedelta(hours=1)
    sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": soon}
    weaker = {"Mode": "GOVERNANCE", "RetainUntilDate": soon}
    bypass = {"BypassGovernanceRetention": True}
    in_a_day = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}} | {
        "Expiration": {"Days": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    tried: dict[str, tuple[str, Mapping[str, object]]] = {
        "delete a locked version": ("delete_object", version),
        "… with leave to bypass GOVERNANCE": ("delete_object", version | bypass),
        "let its lock end sooner": ("put_object_retention", {**version, "Retention": sooner}),
        "make its lock GOVERNANCE, with that leave": (
            "put_object_retention",
            {**version, "Retention": weaker} | bypass,
        ),
        "put another version over it": ("put_object", {**ALL_OF_IT, "Body": b"another"}),
        "hide it behind a delete marker": ("delete_object", ALL_OF_IT),
        "let all run out after a day (lifecycle)": (
            "put_bucket_lifecycle_configuration",
            {"Bucket": BUCKET, "LifecycleConfiguration": {"Rules": [in_a_day]}},
        ),
        "stop keeping versions": (
            "put_bucket_versioning",
            {"Bucket": BUCKET, "VersioningConfiguration": {"Status": "Suspended"}},
        ),
        "give new lists a lock by GOVERNANCE": (
            "put_object_lock_configuration",
            {"Bucket": BUCKET, "ObjectLockConfiguration": GOVERNANCE},
        ),
        "delete the bucket": ("delete_bucket", {"Bucket": BUCKET}),
    }
    rows = [
        "| "
        + " | ".join([what, *(answer(getattr(s3_, call), **asked) for s3_ in callers.values())])
        for what, (call, asked) in tried.items()
    ]
    # The lifecycle rule is at work: it has put a marker over what nobody had hidden.
    lifecycle = admin("lc", "process")
    assert lifecycle.returncode == 0, lifecycle.stderr
    await until("it hides what it may not delete", lambda: not on_top(bucket, before))
    after = {each.id: each for each in read(bucket)}
    for each in before.values():
        assert after[each.id].content == each.content
        assert after[each.id].locked_until == each.locked_until
    # What is put from now on has another lock, and says so.
    second = centre.put("leaves/2", b"the second")
    with pytest.raises(DependencyMissing, match="has taken leaves/2 without a lock"):
        centre.require_lock("leaves/2", second)
    # Beside S3 nothing is locked.
    [name] = [each.name for each in before.values() if each.id == first]
    gone = admin("object", "rm", f"--object={name}", f"--object-version={first}", AT)
    assert gone.returncode == 0, gone.stderr
    assert first not in {each.id for each in read(bucket)}
    gone = admin("bucket", "rm", "--purge-objects", AT)
    assert gone.returncode == 0, gone.stderr
    with pytest.raises(StoreAway, match="404 NoSuchBucket"):
        read(bucket)
    beside = {0: "**done**", len(rows) - 1: "**done**"}
    table = "\n".join(f"{row} | {beside.get(at, '')} |" for at, row in enumerate(rows))
    assert table in PAGE, f"docs/fleet.md says otherwise than the store:\n{table}"


def grant_everything(bucket: LockedBucket) -> None:
    """A bucket's owner may give themselves whatever they like."""
    owner = bucket.s3("owner")
    policy = json.loads(owner.get_bucket_policy(Bucket=BUCKET)["Policy"])
    policy["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam:::user/owner"]},
            "Action": ["s3:*"],
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        }
    )
    owner.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


def on_top(bucket: LockedBucket, known: dict[str, Version]) -> list[str]:
    return [each.name for each in read(bucket) if each.id in known and each.is_on_top]
