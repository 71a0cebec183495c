"""The least that a proof takes: each number stands here once.

The proof compares records with it, the stages do no less, and the limits of their parameters
begin at it, so that `benchd check-config` refuses a recipe which no proof could come of.
"""

from __future__ import annotations

from typing import Final

LOWEST_MINIMUM_COVERAGE: Final = 0.8
"""A recipe may ask for more. What isn't proven is then no more than a fresh system may occupy, so
that whoever leaves an owner's files in place falls short. Handsets of 64 GB reach 0.83 and more."""

MOST_FRESH_USED_SHARE: Final = 0.2
"""What a system occupies after a reset: 9 GiB of the 52 GiB that 64 GB leave for users."""
MOST_FRESH_USED_BYTES: Final = 16 << 30
"""No system needs more, however large the storage is."""
MOST_OVER_PICTURE_PERCENT: Final = 10
"""How much more may be in use than on the handsets whose picture was taken: caches of the first
start differ. No picture reaches above the two numbers before."""
MOST_BOOTS_SINCE_RESET: Final = 5
"""The start after the reset, and one each where it was bought, sorted, charged and plugged in."""

STARTS_OF_A_SHOWN_RESET: Final = 1
MOST_S_SINCE_SHOWN_RESET: Final = 24 * 3600
"""A handset that is still in its first start since its reset, which began within a day, shows that
it was reset. That an owner's things are absent shows nothing: nobody counts all one can use."""

LOWEST_SHARE_OF_NOMINAL: Final = 0.6
"""Of the size that a model is sold with, its system and the file system leave this much for users,
also of 16 GB; a size twice as large would leave half of that at most."""

HIGHEST_SHARE_OF_NOMINAL: Final = 1.1
"""No storage gives users more than it is sold with; a GB counted in powers of two is 7 % more."""

MINIMUM_ABSENCE_S: Final = 20.0
"""A reset makes the user storage anew and the system set itself up: no handset is faster. A mere
restart of USB takes two seconds."""

MOST_S_BEFORE_RESET: Final = 900.0
"""How long a handset may have been in its port, nobody reading its facts, when its last reset
begins. They are read every five minutes at least, and a reading may fail once."""
MOST_S_BETWEEN_READINGS: Final = 300.0
MOST_S_FROM_LOOK_TO_CONFIRM: Final = 8 * 3600
"""A shift: whoever confirms vouches for what somebody saw, and overnight nobody has."""

CAPACITY_TOLERANCE: Final = 0.02
"""By which share `df` may have told of less at inspection than the fill found: a reset makes the
file system anew, and its tables may take another size."""

MOST_FREE_DRIFT: Final = 0.01
"""By which share of the capacity `df` and `stat -f`, asked one right after the other, may differ in
what is free: a handset that is at rest writes less."""
LEAST_FREE_DRIFT_BYTES: Final = 16 << 20
"""They may always differ by this: logs and databases of a small storage."""

MOST_FREE_AFTER_FILL: Final = 0.01
"""The share of the capacity that may be free to others than root when a fill has ended: a fill ends
once not one block fits, and only what the system gives back afterwards is free again."""
LEAST_FREE_AFTER_FILL_BYTES: Final = 4 << 20
"""So much may always be. The fill program goes on while more is (`gapBytes` of its layout.go)."""
MOST_FREE_AFTER_FILL_BYTES: Final = 256 << 20
"""However large the storage is: what Android gives back at a time doesn't grow with it."""

MOST_TAKEN_BY_FILL: Final = 0.1
"""The share of the capacity that may have come into use since the reset beside what was written:
the tables of what was, small files and directories, and what the system itself wrote meanwhile."""

LEAST_FREED: Final = 0.9
"""The share of what was written that has to be free again once it's said to be deleted; Android
fills some of the room again at once."""

MINIMUM_HOST_SAMPLES: Final = 8
"""Blocks that the host itself has drawn, fetched and compared."""

MINIMUM_SUBSECTIONS: Final = 1000
PLACES_IN_SUBSECTION: Final = 2
PLACES_FILL_SUBSECTION: Final = 20
"""A place is one part of its subsection in so many: 5 %."""
MINIMUM_SAMPLE: Final = PLACES_IN_SUBSECTION / PLACES_FILL_SUBSECTION
"""What SP 800-88 Rev. 1, by now withdrawn, asked of a sample; first and last place come on top."""
MINIMUM_SEED_DIGITS: Final = 32
"""Hex digits of the seed that the places are drawn from: 16 bytes."""

LEAST_PASSES: Final = 2
"""How often the re-check scans a chip, with the same result."""

LEAST_DRAWN_STEPS: Final = 6
"""At how many steps of a tie it is drawn whether NFC is on: 57 patterns have two steps off."""
LEAST_STEPS_OFF: Final = 2
"""Each with one pass of the reader at least: silence is never seen only once."""

LEAST_LOOKS_AWAY: Final = 2
"""A chip that has answered each of so many looks while its handset was away isn't its own."""
MOST_DAYS_TO_RECHECK: Final = 30
"""How long after its draw a handset may be rechecked: what lay about for longer is erased again."""

MOST_DAYS_OF_CONSENT: Final = 730
"""How long ago an owner may have agreed, or the certificate may have been found to be revoked."""
MOST_DAYS_OF_JPKI: Final = 365
MOST_DAYS_OF_NETWORK: Final = 30
"""A carrier may restrict a handset whose instalments aren't paid at any later time."""
