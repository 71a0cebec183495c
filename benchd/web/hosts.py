"""Names under which a request reaches the rack."""

from __future__ import annotations

from urllib.parse import urlsplit


def host_name(host: str) -> str | None:
    """The name in a Host header, without port and brackets; None where it has no such form."""
    try:
        parts = urlsplit(f"//{host}")
        valid = parts.port is None or parts.port > 0
    except ValueError:
        return None
    if not valid or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname
