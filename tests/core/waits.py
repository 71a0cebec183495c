"""Finds in a source what could wait for ever: awaits without a deadline, and what hides an end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

WAITS: Final = frozenset(
    {
        *("wait", "acquire", "join", "aclose", "receive", "read", "send", "communicate", "get"),
        *("run_sync", "run_process", "sleep_forever", "wait_readable", "wait_writable", "drain"),
    }
)
"""Methods that wait for a thread, a process, a socket, a lock, a queue or an event."""
DEADLINES: Final = frozenset({"fail_after", "fail_at", "move_on_after", "move_on_at"})
QUEUES: Final = frozenset({"Queue", "SimpleQueue", "LifoQueue", "PriorityQueue"})
CANCELLATION: Final = ("BaseException", "get_cancelled_exc_class", "CancelledError")


@dataclass(slots=True)
class Found(ast.NodeVisitor):
    """What one file has of each, by the function around it."""

    waits: set[str] = field(default_factory=set[str])
    shields: set[str] = field(default_factory=set[str])
    swallows: set[str] = field(default_factory=set[str])
    queues: set[str] = field(default_factory=set[str])
    _around: tuple[str, ...] = ()
    _bounded: bool = False

    @classmethod
    def in_source(cls, source: str) -> Found:
        """All of a file."""
        found = cls()
        found.visit(ast.parse(source))
        return found

    @property
    def _name(self) -> str:
        return ".".join(self._around)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside(node)

    def visit_With(self, node: ast.With) -> None:
        calls = [call for item in node.items for call in _calls(item.context_expr)]
        bounded = any(map(_has_deadline, calls))
        if any(_is_shield(call) and not bounded for call in calls):
            self.shields.add(self._name)
        before, self._bounded = self._bounded, self._bounded or bounded
        self.generic_visit(node)
        self._bounded = before

    def visit_Await(self, node: ast.Await) -> None:
        call = node.value
        if isinstance(call, ast.Call) and _name_of(call) in WAITS and not self._bounded:
            self.waits.add(self._name)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        caught = "BaseException" if node.type is None else ast.unparse(node.type)
        ends_as_it_was = any(isinstance(each, ast.Raise) for each in ast.walk(node))
        if any(name in caught for name in CANCELLATION) and not ends_as_it_was:
            self.swallows.add(self._name)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        unbounded = _name_of(node) in QUEUES and not (node.args or node.keywords)
        endless = _name_of(node) == "create_memory_object_stream" and "inf" in ast.unparse(node)
        if unbounded or endless:
            self.queues.add(self._name)
        self.generic_visit(node)

    def _inside(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before = self._around, self._bounded
        self._around, self._bounded = (*self._around, node.name), False
        self.generic_visit(node)
        self._around, self._bounded = before


def _calls(expression: ast.expr) -> Iterator[ast.Call]:
    return (each for each in ast.walk(expression) if isinstance(each, ast.Call))


def _name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _has_deadline(call: ast.Call) -> bool:
    return _name_of(call) in DEADLINES or "deadline" in {word.arg for word in call.keywords}


def _is_shield(call: ast.Call) -> bool:
    return any(
        word.arg == "shield" and isinstance(word.value, ast.Constant) and word.value.value is True
        for word in call.keywords
    )
