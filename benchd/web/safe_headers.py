"""What every answer tells browsers: keep nothing, guess nothing, leave other sites out."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import Scope

from benchd.domain.loopback import is_loopback
from benchd.web.hosts import host_name
from benchd.web.peer import is_encrypted

CONTENT_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
NO_FEATURES = ", ".join(
    f"{name}=()"
    for name in (
        "camera",
        "display-capture",
        "geolocation",
        "hid",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    )
)
"""The pages need none of them; scanners type."""
TLS_FROM_NOW_ON = "max-age=31536000; includeSubDomains"

_ALWAYS: Mapping[str, str] = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": CONTENT_POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": NO_FEATURES,
}


def safe_headers(scope: Scope) -> Mapping[str, str]:
    """Of the answer to this request, where it doesn't say otherwise itself."""
    if not is_encrypted(scope):
        return _ALWAYS
    name = host_name(Headers(scope=scope).get("host", ""))
    if name is None or is_loopback(name):
        # A browser would ask for TLS at whatever else this machine serves, for a year.
        return _ALWAYS
    return {**_ALWAYS, "strict-transport-security": TLS_FROM_NOW_ON}
