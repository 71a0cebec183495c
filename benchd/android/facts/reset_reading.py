"""What a handset's answers say of its last reset, and of what was done since."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from benchd.android.facts.owner import read_file_count, read_row_count, sum_of_known
from benchd.android.facts.packages import count_packages, read_preinstalled
from benchd.android.facts.reading import Reading
from benchd.android.facts.settings import read_android_id, read_boot_count
from benchd.android.facts.storage import Mount, read_mounts
from benchd.android.facts.uptime import read_uptime
from benchd.words.handset import Package, ResetFacts

_NOT_TOLD: Final[Mapping[str, Mount]] = {}
_TEST_HARNESS: Final = "persist.sys.test_harness"


class ResetReading(Reading):
    """The facts that only a reset changes, beside all others."""

    @property
    def android_id(self) -> str:
        """What a reset renews."""
        return self.answers.read("android_id", read_android_id)

    @property
    def boot_count(self) -> int | None:
        """How often it was started since its reset."""
        return self.answers.read("boot_count", read_boot_count)

    @property
    def up_s(self) -> int | None:
        """Seconds since it was started."""
        return self.answers.read_always("uptime", read_uptime)

    @property
    def third_party_packages(self) -> int:
        """How many packages aren't the system's."""
        return self.answers.read("packages", count_packages)

    @property
    def preinstalled(self) -> tuple[Package, ...]:
        """Those of them that lie on a partition of the system."""
        mounts = self.answers.read_if_asked("mounts", read_mounts, _NOT_TOLD)
        return self.answers.read("packages", partial(read_preinstalled, mounts=mounts))

    @property
    def test_harness(self) -> bool:
        """Whether its last reset was that of Test Harness Mode."""
        return self.flag(_TEST_HARNESS) is True

    @property
    def owner_files(self) -> int | None:
        """Files under /sdcard."""
        return self.answers.read_always("files", read_file_count)

    @property
    def call_count(self) -> int | None:
        """Calls in its log."""
        return self.answers.read_always("calls", read_row_count)

    @property
    def contact_count(self) -> int | None:
        """Contacts."""
        return self.answers.read_always("contacts", read_row_count)

    @property
    def message_count(self) -> int | None:
        """Messages of both kinds."""
        return sum_of_known(
            *(self.answers.read_always(kind, read_row_count) for kind in ("sms", "mms"))
        )

    @property
    def reset_facts(self) -> ResetFacts:
        """The facts that only a reset changes."""
        return ResetFacts(
            android_id=self.android_id,
            account_count=self.accounts.account_count,
            user_ids=self.user_ids,
            used_bytes=self.storage.used_bytes,
            third_party_packages=self.third_party_packages,
            boot_count=self.boot_count,
            up_s=self.up_s,
            test_harness=self.test_harness,
            owner_files=self.owner_files,
            call_count=self.call_count,
            contact_count=self.contact_count,
            message_count=self.message_count,
            maker_accounts=self.accounts.maker_accounts,
            maker_account_types=self.accounts.maker_account_types,
            unknown_account_types=self.accounts.unknown_account_types,
            preinstalled=self.preinstalled,
        )
