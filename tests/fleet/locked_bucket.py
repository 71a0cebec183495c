"""A bucket as docs/fleet.md has it made, on a real radosgw, and S3 as whoever calls it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from tests.fleet.private_radosgw import Radosgw
from tests.fleet.test_fleet_commands import benchd

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/fleet.md").read_text("utf-8")
BUCKET, CENTRE, AUDITOR = "benchd-leaves", "benchd-centre", "benchd-auditor"


@dataclass(frozen=True, kw_only=True)
class LockedBucket:
    """Where the centre puts its lists, and who may do what there."""

    store: Radosgw
    url: str
    centre: Path
    auditor: Path
    owner: Path

    def s3(self, name: str) -> Any:  # noqa: ANN401 - botocore makes its methods when asked
        return s3(self.store, name)


def s3(store: Radosgw, name: str) -> Any:  # noqa: ANN401 - botocore makes its methods when asked
    """S3 as somebody calls it."""
    return Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=store.url,
        aws_access_key_id=name,
        aws_secret_access_key=store.secrets[name],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def answer(ask: Callable[..., Any], **asked: object) -> str:
    """What the store says to it, in the page's words."""
    try:
        ask(**asked)
    except ClientError as error:
        told: Any = error.response
        return f"{told['ResponseMetadata']['HTTPStatusCode']} {told['Error']['Code']}"
    return "done"


def make_bucket(store: Radosgw) -> LockedBucket:
    """Type what the page says, as the bucket's owner."""
    centre, auditor = store.add_user(CENTRE), store.add_user(AUDITOR)
    owner = store.add_user("owner")
    [typed] = re.findall(r"^```\n(export AWS_ENDPOINT_URL.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    typed = typed.replace("https://s3.example", store.url)
    done = subprocess.run(
        ["bash", "-euc", typed.replace("configs/", f"{ROOT}/configs/")],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=store.folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": os.fspath(store.folder),
            "AWS_SHARED_CREDENTIALS_FILE": os.fspath(owner),
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )
    assert done.returncode == 0, done.stderr
    return LockedBucket(
        store=store, url=f"{store.url}/{BUCKET}", centre=centre, auditor=auditor, owner=owner
    )


def verify(database: str, url: str, credentials: Path, key: Path) -> tuple[int, str]:
    """What `benchd fleet checkpoints verify` ends with and says of a store."""
    done = benchd(
        *("fleet", "checkpoints", "verify", "--key", str(key), "--database", database),
        *("--locked-store", url, "--locked-store-credentials", str(credentials)),
    )
    return done.returncode, done.stdout + done.stderr
