"""A trace as OTLP/JSON, as a collector takes it over HTTP.

Source: OpenTelemetry protocol specification 1.x, "JSON Protobuf Encoding": the JSON of
ExportTraceServiceRequest (opentelemetry-proto), with ids in hex and 64-bit numbers as text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from benchd.domain.ids import JsonValue
from benchd.outbound.traces.span import Span, SpanEvent, Trace, Value

MEDIA_TYPE: Final = "application/json"
INTERNAL: Final = 1
"""SPAN_KIND_INTERNAL."""
FAILED: Final = 2
"""STATUS_CODE_ERROR."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which rack tells, and by which benchd."""

    ledger: str
    """The hash of the ledger's first record, as hex: no key and no name changes it."""
    version: str


def as_json(trace: Trace, source: Source) -> dict[str, JsonValue]:
    """The whole request: one resource, one scope, the spans in their order."""
    resource: dict[str, Value] = {
        "service.name": "benchd",
        "service.instance.id": source.ledger[:32],
    }
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [
                    {
                        "scope": {"name": "benchd.outbound.traces", "version": source.version},
                        "spans": [_span(trace.trace_id, span) for span in trace.spans],
                    }
                ],
            }
        ]
    }


def encode(trace: Trace, source: Source) -> bytes:
    """The same as the bytes that are sent. Raises ValueError for a number that isn't one."""
    told = as_json(trace, source)
    return json.dumps(told, separators=(",", ":"), allow_nan=False).encode()


def _span(trace_id: str, span: Span) -> dict[str, JsonValue]:
    return {
        "traceId": trace_id,
        "spanId": span.span_id,
        **({} if span.parent_id is None else {"parentSpanId": span.parent_id}),
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": _nano(span.start),
        "endTimeUnixNano": _nano(span.end),
        "attributes": _attributes(span.attributes),
        "events": [_event(event) for event in span.events],
        "status": {} if span.error is None else {"code": FAILED, "message": span.error},
    }


def _event(event: SpanEvent) -> dict[str, JsonValue]:
    return {"timeUnixNano": _nano(event.at), "name": event.name}


def _nano(at: datetime) -> str:
    return str((at - _EPOCH) // timedelta(microseconds=1) * 1000)


def _attributes(told: Mapping[str, Value]) -> list[JsonValue]:
    return [{"key": key, "value": _value(value)} for key, value in told.items()]


def _value(value: Value) -> dict[str, JsonValue]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
