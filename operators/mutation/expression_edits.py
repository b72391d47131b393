"""Edits of expressions that any program has: operators, comparisons, literals, arguments, operands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import libcst as cst
from libcst.helpers import get_full_name_for_node

from operators.mutation.syntax import Change, Edit, Syntax, parenthesised
from operators.source.constants import Number, literal_text

_ARITHMETIC: dict[type, tuple[Callable[..., cst.BaseBinaryOp], ...]] = {
    cst.Add: (cst.Subtract, cst.Multiply),
    cst.Subtract: (cst.Add,),
    cst.Multiply: (cst.Divide, cst.Add),
    cst.Divide: (cst.Multiply,),
    cst.FloorDivide: (cst.Multiply,),
    cst.Modulo: (cst.FloorDivide,),
    cst.Power: (cst.Multiply,),
}
_COMPARISONS: dict[type, tuple[Callable[..., cst.BaseCompOp], ...]] = {
    cst.LessThan: (cst.LessThanEqual, cst.GreaterThan),
    cst.LessThanEqual: (cst.LessThan, cst.GreaterThanEqual),
    cst.GreaterThan: (cst.GreaterThanEqual, cst.LessThan),
    cst.GreaterThanEqual: (cst.GreaterThan, cst.LessThanEqual),
    cst.Equal: (cst.NotEqual,),
    cst.NotEqual: (cst.Equal,),
}
_ORDERED = (cst.Subtract, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power, cst.MatrixMultiply)
"""Operators for which the order of the operands matters."""

_TEXTS = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)
_SYMMETRIC = frozenset({"add", "allclose", "equal", "max", "maximum", "min", "minimum", "mul", "swapaxes", "transpose"})
"""Functions of which two arguments can change places without effect."""

_AXES = frozenset({"dim", "dims", "axis", "start_dim", "end_dim"})
_FACTORS = (0.5, 0.8, 1.25, 2.0)


def swap_arithmetic(syntax: Syntax) -> Iterator[Change]:
    """Replace an arithmetic operator by a related one."""
    for operation in syntax.of_kind(cst.BinaryOperation):
        if isinstance(operation.left, _TEXTS) or isinstance(operation.right, _TEXTS):
            continue
        old: Any = operation.operator
        for kind in _ARITHMETIC.get(type(old), ()):
            new = kind(whitespace_before=old.whitespace_before, whitespace_after=old.whitespace_after)
            yield Change(operation, operation.with_changes(operator=new))


def swap_comparison(syntax: Syntax) -> Iterator[Change]:
    """Make a comparison strict, lax, or the opposite."""
    for comparison in syntax.of_kind(cst.Comparison):
        target = comparison.comparisons[0]
        old: Any = target.operator
        if len(comparison.comparisons) > 1 or isinstance(target.comparator, _TEXTS):
            continue
        for kind in _COMPARISONS.get(type(old), ()):
            new = target.with_changes(
                operator=kind(whitespace_before=old.whitespace_before, whitespace_after=old.whitespace_after)
            )
            yield Change(comparison, comparison.with_changes(comparisons=[new]))


def scale_number(syntax: Syntax) -> Iterator[Change]:
    """Scale a number inside a function or class, but for positions: indices, axes, and what counts from the end."""
    literals: list[cst.Integer | cst.Float] = [*syntax.of_kind(cst.Integer), *syntax.of_kind(cst.Float)]
    for literal in literals:
        if _is_inside_definition(syntax, literal) and not _is_position(syntax, literal):
            for number in _scaled(literal.evaluated_value):
                text = literal_text(number, literal.value)
                new = cst.parse_expression(text).with_changes(lpar=literal.lpar, rpar=literal.rpar)
                yield Change(literal, new, "`{}` → `{}`" + _around(syntax, literal))


def flip_boolean(syntax: Syntax) -> Iterator[Change]:
    """Turn True into False and back, but for the condition of an endless loop."""
    for name in syntax.of_kind(cst.Name):
        if name.value in {"True", "False"} and _is_inside_definition(syntax, name):
            place = syntax.place(name)
            if place is None or not isinstance(place.parent, cst.While):
                new = name.with_changes(value="False" if name.value == "True" else "True")
                yield Change(name, new, "`{}` → `{}`" + _around(syntax, name))


def drop_keyword(syntax: Syntax) -> Iterator[Change]:
    """Leave a keyword argument to its default."""
    for call in syntax.of_kind(cst.Call):
        for index, argument in enumerate(call.args):
            if argument.keyword is not None:
                rest = [*call.args[:index], *call.args[index + 1 :]]
                if rest and index == len(rest):
                    rest[-1] = rest[-1].with_changes(comma=argument.comma)
                yield Change(call, call.with_changes(args=rest))


def swap_arguments(syntax: Syntax) -> Iterator[Change]:
    """Exchange two neighbouring positional arguments."""
    for call in syntax.of_kind(cst.Call):
        if (get_full_name_for_node(call.func) or "").rpartition(".")[2] in _SYMMETRIC:
            continue
        for index, (first, second) in enumerate(pairwise(call.args)):
            if not (first.keyword or second.keyword or first.star or second.star):
                swapped = (first.with_changes(value=second.value), second.with_changes(value=first.value))
                args = [*call.args[:index], *swapped, *call.args[index + 2 :]]
                yield Change(call, call.with_changes(args=args))


def swap_operands(syntax: Syntax) -> Iterator[Change]:
    """Exchange the operands of an operator that is not commutative."""
    for operation in syntax.of_kind(cst.BinaryOperation):
        if isinstance(operation.operator, _ORDERED) and not isinstance(operation.left, _TEXTS):
            left, right = parenthesised(operation.right), parenthesised(operation.left)
            yield Change(operation, operation.with_changes(left=left, right=right))


EXPRESSION_EDITS: dict[str, Edit] = {
    "drop a keyword argument": drop_keyword,
    "flip a boolean": flip_boolean,
    "scale a number": scale_number,
    "swap a comparison": swap_comparison,
    "swap an arithmetic operator": swap_arithmetic,
    "swap two arguments": swap_arguments,
    "swap two operands": swap_operands,
}


def _is_inside_definition(syntax: Syntax, node: cst.CSTNode) -> bool:
    return any(isinstance(ancestor, (cst.FunctionDef, cst.ClassDef)) for ancestor in syntax.ancestors(node))


def _is_position(syntax: Syntax, literal: cst.BaseNumber) -> bool:
    """Whether a literal says where rather than how much."""
    for node in syntax.ancestors(literal):
        match node:
            case cst.SubscriptElement() | cst.UnaryOperation() | cst.FormattedString():
                return True
            case cst.Arg(keyword=cst.Name(value=keyword)) if keyword in _AXES:
                return True
            case cst.BaseStatement() | cst.BaseSmallStatement():
                return False
    return False


def _scaled(value: Number) -> list[Number]:
    if isinstance(value, int):
        return sorted({value - 1, value + 1, value // 2, value * 2} - {value, 0}) if value > 0 else []
    if 0.8 <= value < 1:  # decays live on the scale of their distance from one
        return [round(1 - (1 - value) * factor, 6) for factor in _FACTORS]
    return [float(f"{value * factor:.2e}") for factor in _FACTORS] if 0 < value < 1e300 else []


def _around(syntax: Syntax, node: cst.CSTNode) -> str:
    """Say in which argument or assignment a literal stands, for a reader who sees only the literal otherwise."""
    for ancestor in syntax.ancestors(node):
        match ancestor:
            case cst.Arg(keyword=cst.Name(value=name)):
                return f" in `{name}=`"
            case (
                cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))])
                | cst.Param(name=cst.Name(value=name))
            ):
                return f" in `{name} =`"
            case cst.FunctionDef(name=cst.Name(value=name)) | cst.ClassDef(name=cst.Name(value=name)):
                return f" in `{name}`"
    return ""
