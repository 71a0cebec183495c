"""The document of the API, which also tells where another system's token counts."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from benchd.web.sight import TOKEN_ROWS

TOKENS = "/api/v1/tokens"
SCHEME = "token"


class DocumentedApi(FastAPI):
    """The same with tokens in `/openapi.json`, where the rack takes any.

    The framework knows security only from dependencies; here a request is looked at before it.
    """

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        made = self.openapi_schema is None
        document = super().openapi()
        if made and TOKENS in document["paths"]:
            _add_tokens(document)
        return document


def _add_tokens(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {
        SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of another system, by `benchd tokens create`; see docs/api.md.",
        }
    }
    for (method, path), scope in TOKEN_ROWS.items():
        told = document["paths"].get(path, {}).get(method.lower())
        if told is not None:
            # A person needs none, and is shown by other means.
            told["security"] = [{}, {SCHEME: [scope.value]}]
