"""By what a sentence is known that says what to do."""

from __future__ import annotations

import re

_ENDS = r"(します|す|ます)?([。:]|$)"
_DO = (
    *("指定", "直", "入れ", "書き", "読み取り", "付け", "しま", "始め", "待ち", "使い", "戻し"),
    *("替え", "挿し", "受け取り", "取り込み"),
)
CURE = re.compile(rf"「|管理者|確かめ|実行|[てで]ください|({'|'.join(_DO)}){_ENDS}", re.MULTILINE)
CURE_IN_ENGLISH = re.compile(
    r"`|--|systemctl"
    r"|(^|[.:;,] )((or|and|then|so|else) )?(try|see|scan|let|begin|give|say|look|wait|name|write"
    r"|get|take|put|plug|run|stop|add|correct|show|tell|have|somebody|nothing was put back)\b"
    r"|(has|takes|have) (to|your)\b",
    re.IGNORECASE | re.MULTILINE,
)
