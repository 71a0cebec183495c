"""Who may read what: one row for each route. A request that has no row isn't served."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from benchd.words.token import Scope


class Sight(IntEnum):
    """How much of the rack a request may see; each holds all that is before it."""

    NONE = 0
    """What is the same on every rack, and that this one lives."""
    WALL = 1
    """What each slot does: no serial, IMEI, job, note or name of a person."""
    READ = 2
    """Everything."""
    SOCKET = 3
    """What only the machine's own people may ask for, over the Unix socket."""


ROWS: Mapping[tuple[str, str], Sight] = MappingProxyType(
    {
        ("GET", "/"): Sight.NONE,
        ("GET", "/board"): Sight.NONE,
        ("GET", "/lots"): Sight.NONE,
        ("GET", "/disposal"): Sight.NONE,
        ("GET", "/report"): Sight.NONE,
        ("GET", "/handsets"): Sight.NONE,
        ("GET", "/static/{path:path}"): Sight.NONE,
        # The page's own words, from the very package: without them nobody could sign in.
        ("GET", "/api/v1/texts"): Sight.NONE,
        ("GET", "/healthz"): Sight.NONE,
        # Has a switch of its own, and names no handset.
        ("GET", "/metrics"): Sight.NONE,
        # Who hasn't signed in has to be able to; beside that it tells only who sits at this screen.
        ("GET", "/api/v1/session"): Sight.NONE,
        ("POST", "/api/v1/session"): Sight.NONE,
        ("PUT", "/api/v1/session"): Sight.NONE,
        ("DELETE", "/api/v1/session"): Sight.NONE,
        ("GET", "/api/v1"): Sight.WALL,
        # Names the slots, as the wall does.
        ("GET", "/cards"): Sight.WALL,
        ("GET", "/cards.pdf"): Sight.WALL,
        ("GET", "/api/v1/slots"): Sight.WALL,
        ("GET", "/api/v1/slots/{slot}"): Sight.WALL,
        ("GET", "/api/v1/slots/{slot}/proof"): Sight.WALL,
        ("GET", "/api/v1/queue"): Sight.WALL,
        ("GET", "/api/v1/events"): Sight.WALL,
        ("GET", "/openapi.json"): Sight.READ,
        ("GET", "/api/v1/jobs"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}/trace.json"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}/certificate.json"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}/certificate.pdf"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}/certificate.html"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}/label.png"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}/label.svg"): Sight.READ,
        ("GET", "/api/v1/jobs/{job}/label.zpl"): Sight.READ,
        ("GET", "/api/v1/printers"): Sight.READ,
        ("GET", "/api/v1/handsets"): Sight.READ,
        ("GET", "/api/v1/handsets/{key}"): Sight.READ,
        ("GET", "/api/v1/certificates"): Sight.READ,
        ("GET", "/api/v1/report"): Sight.READ,
        ("GET", "/api/v1/report.csv"): Sight.READ,
        # Who may have all of it at once, the route says.
        ("GET", "/api/v1/papers.zip"): Sight.READ,
        ("GET", "/api/v1/shift"): Sight.READ,
        ("GET", "/api/v1/records"): Sight.READ,
        ("GET", "/api/v1/records/jobs"): Sight.READ,
        ("GET", "/api/v1/disposal"): Sight.READ,
        ("GET", "/api/v1/dossiers"): Sight.READ,
        ("GET", "/api/v1/drain"): Sight.READ,
        ("GET", "/api/v1/lots"): Sight.READ,
        ("GET", "/api/v1/lots/{lot}"): Sight.READ,
        ("GET", "/api/v1/assets"): Sight.READ,
        ("GET", "/api/v1/assets/{tag}"): Sight.READ,
        # Nobody answers a question that they may not read; who may answer is the desk's to say.
        ("POST", "/api/v1/jobs/{job}/decisions"): Sight.READ,
        ("POST", "/api/v1/jobs/{job}/label"): Sight.READ,
        ("POST", "/api/v1/lots"): Sight.READ,
        ("POST", "/api/v1/lots/{lot}/assets"): Sight.READ,
        ("POST", "/api/v1/lots/{lot}/assets.csv"): Sight.READ,
        ("POST", "/api/v1/lots/{lot}/attestations"): Sight.READ,
        ("POST", "/api/v1/lots/{lot}/withdrawals"): Sight.READ,
        ("POST", "/api/v1/network.csv"): Sight.READ,
        ("GET", "/api/v1/time"): Sight.READ,
        ("POST", "/api/v1/assets/{tag}/unerasable"): Sight.READ,
        ("POST", "/api/v1/slots/{slot}/asset"): Sight.READ,
        ("POST", "/api/v1/disposal/{job}"): Sight.READ,
        ("POST", "/api/v1/time"): Sight.SOCKET,
        ("POST", "/api/v1/slots/{slot}/dossier"): Sight.SOCKET,
        ("POST", "/api/v1/records/rebuild"): Sight.SOCKET,
        ("POST", "/api/v1/drain"): Sight.SOCKET,
        ("PUT", "/api/v1/drain/pause"): Sight.SOCKET,
        ("GET", "/api/v1/log-level"): Sight.SOCKET,
        ("PUT", "/api/v1/log-level"): Sight.SOCKET,
        ("GET", "/api/v1/people"): Sight.SOCKET,
        ("POST", "/api/v1/people"): Sight.SOCKET,
        ("PUT", "/api/v1/people/{person}/roles"): Sight.SOCKET,
        ("PUT", "/api/v1/people/{person}/badge"): Sight.SOCKET,
        ("PUT", "/api/v1/people/{person}/pin"): Sight.SOCKET,
        ("PUT", "/api/v1/people/{person}/disabled"): Sight.SOCKET,
        ("GET", "/api/v1/tokens"): Sight.SOCKET,
        ("POST", "/api/v1/tokens"): Sight.SOCKET,
        ("PUT", "/api/v1/tokens/{token}/secret"): Sight.SOCKET,
        ("DELETE", "/api/v1/tokens/{token}"): Sight.SOCKET,
    }
)
"""Method and path: the least that a request may see for it to be served. HEAD counts as GET."""

TOKEN_ROWS: Mapping[tuple[str, str], Scope] = MappingProxyType(
    {
        ("POST", "/api/v1/lots"): Scope.INTAKE_WRITE,
        ("POST", "/api/v1/lots/{lot}/assets"): Scope.INTAKE_WRITE,
        ("POST", "/api/v1/lots/{lot}/assets.csv"): Scope.INTAKE_WRITE,
        ("GET", "/api/v1/lots"): Scope.INTAKE_READ,
        ("GET", "/api/v1/lots/{lot}"): Scope.INTAKE_READ,
        ("GET", "/api/v1/assets"): Scope.INTAKE_READ,
        ("GET", "/api/v1/assets/{tag}"): Scope.INTAKE_READ,
        ("GET", "/api/v1/certificates"): Scope.CERTIFICATES_READ,
        ("GET", "/api/v1/jobs/{job}/certificate.json"): Scope.CERTIFICATES_READ,
        ("GET", "/api/v1/jobs/{job}/certificate.pdf"): Scope.CERTIFICATES_READ,
    }
)
"""All that another system may ask for by its token, and the scope that it takes."""
