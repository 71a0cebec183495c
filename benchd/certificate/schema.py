"""The JSON schema of a statement of today's form, made from its types."""

from __future__ import annotations

import json

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import DataclassSchema

from benchd.certificate.statement import PREDICATE_TYPE, Statement
from benchd.domain.evidence_json import adapter_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Exact(GenerateJsonSchema):
    """As verification has it: no field beside those that are named."""

    def dataclass_schema(self, schema: DataclassSchema) -> JsonSchemaValue:
        """The schema of one section."""
        return {**super().dataclass_schema(schema), "additionalProperties": False}

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A field's name says it already."""
        del schema
        return False


def schema_text() -> str:
    """The schema as `docs/certificate.schema.json` holds it."""
    schema = adapter_of(Statement).json_schema(
        mode="serialization", by_alias=True, schema_generator=_Exact
    )
    about = {"$schema": DIALECT, "$id": f"{PREDICATE_TYPE}:statement"}
    return json.dumps({**about, **schema}, indent=2, ensure_ascii=False) + "\n"
