"""Words that are nobody's: of Android, of its tools and of makers. They aren't masked as names."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import printable

_WORDS: Final = """
    0 1 true false null none unknown default yes no on off enabled disabled enforcing permissive
    user users owner guest admin system android device phone mobile tablet sim local localhost
    account accounts google samsung sony sharp huawei xiaomi oppo vivo oneplus motorola lge
    asus fcnt fujitsu kyocera docomo kddi softbank rakuten honor realme nokia zte
    name type flags state serial model build service services info package packages feature
    data media emulated private public mounted unmounted disk storage primary vendor product
    oem apex locked unlocked running trusted encrypted unencrypted file block managed
    policy battery trust nfc level scale status health present temperature technology
    headless root shell test release keys debug green yellow orange red
"""
_NAMES: Final = """
    Work profile|Managed Profile|Work|Personal|Secure Folder|Private space|Private Space|XSpace
    security space|Dual Messenger|DUAL_APP|Clone|Cloned app|Parallel user|Second space|Multi-user
    Driver|Guest user|New user|Demo user|Test user|擁有者|所有者|机主|機主|ゲスト|オーナー|소유자
    Eigentümer|Propietario|Proprietário|Propriétaire|Proprietario|Gast|仕事用プロファイル
    DCIM|Camera|Download|Downloads|Pictures|Screenshots|Music|Movies|Documents|Ringtones|Alarms
    Notifications|Podcasts|Audiobooks|Recordings|Android|obb|.thumbnails
"""
PLAIN: Final = frozenset(
    {*_WORDS.split(), *(name.strip().lower() for name in re.split(r"[|\n]", _NAMES))}
)
"""In lower case. A person may be called by one of them too, and is told apart by none."""

_OF_THE_MODEL: Final = re.compile(
    r"^\[ro\.(?:[a-z_]+\.)*(?:model|device|name|brand|manufacturer|marketname|hardware|platform)\]:"
    r" \[([^\[\]\n]{1,128})\]$",
    re.MULTILINE,
)


def words_of_model(properties: str) -> frozenset[str]:
    """What this model is called, by `getprop`: a hostname that says no more is nobody's."""
    return frozenset(printable(found).lower() for found in _OF_THE_MODEL.findall(properties))
