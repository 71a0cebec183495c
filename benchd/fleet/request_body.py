"""What a rack has sent, bounded."""

from __future__ import annotations

from fastapi import Request

from benchd.domain.errors import BenchdError


class TooLarge(BenchdError):
    """Raised where more came than may."""


async def body_of(request: Request, most: int) -> bytes:
    """What was sent; no more of it is kept than may come. Raises TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise TooLarge
    return bytes(body)
