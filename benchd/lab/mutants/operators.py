"""Which changes are made of a line: mutmut's, without what only alters words, and some of ours.

Each takes a node of libcst's tree and gives what may stand in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import mutators

Operator = Callable[[Any], Iterable[cst.CSTNode]]

_OTHER_FUNCTION: Final = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "reversed": "list",
}
_SYMMETRIC: Final = m.Name("isinstance") | m.Name("min") | m.Name("max")
"""Of which the order is nothing, or for which any other type is refused by the first call."""
_NEXT_COMPARISON: Final[dict[type[cst.BaseCompOp], tuple[type[cst.BaseCompOp], ...]]] = {
    cst.LessThan: (cst.GreaterThanEqual,),
    cst.LessThanEqual: (cst.GreaterThan,),
    cst.GreaterThan: (cst.LessThanEqual,),
    cst.GreaterThanEqual: (cst.LessThan,),
}
"""Besides the limit itself, which mutmut moves by one: the other side of it."""


def statement_left_out(node: cst.SimpleStatementLine) -> Iterator[cst.CSTNode]:
    """A call, an assignment or a refusal that isn't made: what isn't restored, told or closed."""
    if len(node.body) != 1:
        return
    statement = node.body[0]
    is_call = isinstance(statement, cst.Expr) and not isinstance(statement.value, cst.BaseString)
    if is_call or isinstance(statement, cst.Assign | cst.AugAssign | cst.Raise):
        yield node.with_changes(body=[cst.Pass()])


def number_below(node: cst.Integer | cst.Float) -> Iterator[cst.CSTNode]:
    """One less, of a share half of it; mutmut has one more."""
    value = node.evaluated_value
    if value > 0:
        yield node.with_changes(value=repr(value - 1 if value >= 1 else value / 2))


def other_end(node: cst.Index) -> Iterator[cst.CSTNode]:
    """The first instead of the last, the last instead of the first."""
    if m.matches(node.value, m.UnaryOperation(m.Minus(), m.Integer("1"))):
        yield node.with_changes(value=cst.Integer("0"))
    elif m.matches(node.value, m.Integer("0")):
        yield node.with_changes(value=cst.UnaryOperation(cst.Minus(), cst.Integer("1")))


def other_function(node: cst.Call) -> Iterator[cst.CSTNode]:
    """The smallest instead of the largest, one instead of all, as it comes instead of sorted."""
    if isinstance(node.func, cst.Name) and node.func.value in _OTHER_FUNCTION:
        yield node.with_changes(func=cst.Name(_OTHER_FUNCTION[node.func.value]))


def one_condition(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    """One side of `and` or `or` alone."""
    yield node.left
    yield node.right


def other_side(node: cst.ComparisonTarget) -> Iterator[cst.CSTNode]:
    """What is above a limit instead of what is below it."""
    for other in _NEXT_COMPARISON.get(type(node.operator), ()):
        yield node.with_changes(operator=other())


def condition_negated(node: cst.If | cst.While | cst.CompIf) -> Iterator[cst.CSTNode]:
    """The other branch, where no other operator leads to it."""
    is_one_comparison = m.matches(node.test, m.Comparison(comparisons=[m.DoNotCare()]))
    if is_one_comparison or m.matches(node.test, m.UnaryOperation(m.Not())):
        return
    grouped = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield node.with_changes(test=cst.UnaryOperation(cst.Not(), grouped))


def condition_dropped(node: cst.CompFor) -> Iterator[cst.CSTNode]:
    """A comprehension that takes everything."""
    for at in range(len(node.ifs)):
        yield node.with_changes(ifs=[*node.ifs[:at], *node.ifs[at + 1 :]])


def fields_swapped(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Two arguments of a call, given by place, that have changed places."""
    for at, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if one.keyword or other.keyword or one.star or other.star:
            continue
        if m.matches(node.func, _SYMMETRIC) or one.value.deep_equals(other.value):
            continue
        swapped = (one.with_changes(value=other.value), other.with_changes(value=one.value))
        yield node.with_changes(args=[*node.args[:at], *swapped, *node.args[at + 2 :]])


OPERATORS: Final[tuple[tuple[Any, Operator], ...]] = (
    (cst.SimpleStatementLine, statement_left_out),
    (cst.Integer | cst.Float, mutators.operator_number),
    (cst.Integer | cst.Float, number_below),
    (cst.Index, other_end),
    (cst.Call, other_function),
    (cst.BooleanOperation, one_condition),
    (cst.ComparisonTarget, other_side),
    (cst.If | cst.While | cst.CompIf, condition_negated),
    (cst.CompFor, condition_dropped),
    (cst.Call, fields_swapped),
    (cst.Name, mutators.operator_name),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.BaseCompOp | cst.Continue, mutators.operator_keywords),
    (cst.CSTNode, mutators.operator_swap_op),
    (cst.Match, mutators.operator_match),
    (cst.IfExp, mutators.operator_if_exp),
)
"""In the order in which they are asked: of two that make the same text the first has the name."""
