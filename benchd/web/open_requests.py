"""How many requests of one token are served at once: what is slow takes no place from people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from starlette.responses import Response

from benchd.web.refusals import refusal
from benchd.words.token import Token, TokenName

MOST_OPEN: Final = 4


class OpenRequests:
    """Counts them by the token's name, which outlives its secrets."""

    def __init__(self) -> None:
        self._open = Counter[TokenName]()

    @contextmanager
    def one_of(self, token: Token | None) -> Generator[Response | None]:
        """Serve one more inside of this block, unless it gives an answer; without a token, all."""
        if token is None:
            yield None
        elif self._open[token.name] >= MOST_OPEN:
            answer = refusal(
                429,
                "asked_too_often",
                f"token {token.name} has {MOST_OPEN} requests open: wait for one of their answers",
            )
            answer.headers["retry-after"] = "1"
            yield answer
        else:
            self._open[token.name] += 1
            try:
                yield None
            finally:
                self._open[token.name] -= 1
