"""Reads OTLP/JSON as a collector does: by the published messages, strict about unknown fields."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

IDS = ("traceId", "spanId", "parentSpanId")


def spans_of(body: bytes) -> list[Any]:
    """The spans of a request; raises for what isn't OTLP."""
    return list(request_of(body).resource_spans[0].scope_spans[0].spans)


def request_of(body: bytes) -> Any:  # noqa: ANN401 - made by protobuf at run time
    """The whole of it. OTLP's JSON has ids in hex, where protobuf's has base64."""
    return ParseDict(_as_protobuf(json.loads(body)), ExportTraceServiceRequest())


def named(span: Span) -> dict[str, Any]:
    """A span's attributes."""
    return {
        pair.key: getattr(pair.value, str(pair.value.WhichOneof("value")))
        for pair in span.attributes
    }


def _as_protobuf(told: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(told, list):
        return [_as_protobuf(each) for each in told]
    if isinstance(told, dict):
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode()
            if key in IDS
            else _as_protobuf(value)
            for key, value in told.items()
        }
    return told
