"""Edits that know the idioms of training scripts in PyTorch: activations, norms, optimizers, residuals, schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import libcst as cst
from libcst.helpers import get_full_name_for_node, parse_template_expression

from operators.mutation.syntax import Change, Edit, Syntax, in_parentheses_of, parenthesised

_FUNCTIONAL = frozenset({"F", "nn.functional", "torch.nn.functional"})
_ACTIVATIONS = {
    **dict.fromkeys(_FUNCTIONAL, ("elu", "gelu", "leaky_relu", "mish", "relu", "silu", "softplus", "tanh")),
    "torch": ("relu", "selu", "sigmoid", "tanh"),
}
"""Functions of one tensor, by the module they are called from."""

_MODULES = frozenset({"nn", "torch.nn"})
_ACTIVATION_MODULES = ("ELU", "GELU", "LeakyReLU", "Mish", "ReLU", "SiLU", "Softplus", "Tanh")

_NORMS = {"LayerNorm": "RMSNorm", "RMSNorm": "LayerNorm", "layer_norm": "rms_norm", "rms_norm": "layer_norm"}
_NORM_POSITIONALS = {"LayerNorm": 3, "RMSNorm": 3, "layer_norm": 2, "rms_norm": 2}
"""How many leading positional arguments both norms understand alike."""

_OPTIMIZER_FAMILIES = (
    ({"Adam", "AdamW", "NAdam", "RAdam"}, {"params", "lr", "betas", "eps", "weight_decay"}),
    ({"SGD", "RMSprop"}, {"params", "lr", "momentum", "weight_decay"}),
)
"""Optimizers of `torch.optim`, and the arguments that mean the same to all of a family."""

_SCHEDULE_FUNCTION = re.compile(r"lr|learning_rate|sched|decay|anneal|warm|cool|multiplier|factor")
_SCHEDULE_VARIABLE = re.compile(r"progress|fraction|frac\b")
_SCHEDULES = ("(1.0 - {x} ** 2)", "((1.0 - {x}) ** 2)", "((1.0 - {x}) ** 0.5)")
_COSINE_SCHEDULE = "(0.5 * (1.0 + math.cos(math.pi * {x})))"


@dataclass(frozen=True, slots=True)
class _Activation:
    """An activation function applied to `argument`; `node` includes a square around it."""

    node: cst.BaseExpression
    module: cst.BaseExpression
    names: tuple[str, ...]
    argument: cst.Arg


def swap_activation_function(syntax: Syntax) -> Iterator[Change]:
    """Replace an activation, squared or not, by another of the same module or by the squared ReLU."""
    for call in syntax.of_kind(cst.Call):
        activation = _activation(syntax, call)
        if activation is not None:
            for new in _alternatives(activation):
                if syntax.text(new) != syntax.text(activation.node):
                    yield Change(activation.node, in_parentheses_of(activation.node, new))


def swap_activation_module(syntax: Syntax) -> Iterator[Change]:
    """Replace `nn.GELU()` and its like by another; arguments return to their defaults."""
    for call in syntax.of_kind(cst.Call):
        module, name = _module_and_name(call.func)
        if module in _MODULES and name in _ACTIVATION_MODULES:
            for other in _ACTIVATION_MODULES:
                if other != name:
                    yield Change(call, call.with_changes(func=_renamed(call.func, other), args=()))


def swap_norm(syntax: Syntax) -> Iterator[Change]:
    """Exchange layer norm and RMS norm; a bias, which only layer norm has, is left out."""
    for call in syntax.of_kind(cst.Call):
        module, name = _module_and_name(call.func)
        positionals = sum(argument.keyword is None for argument in call.args)
        if module in _MODULES | _FUNCTIONAL and name in _NORMS and positionals <= _NORM_POSITIONALS[name]:
            arguments = _without_keywords(call.args, {"bias"})
            yield Change(call, call.with_changes(func=_renamed(call.func, _NORMS[name]), args=arguments))


def swap_optimizer(syntax: Syntax) -> Iterator[Change]:
    """Replace an optimizer of `torch.optim` by one of its family, with the arguments that both understand."""
    for call in syntax.of_kind(cst.Call):
        module, name = _module_and_name(call.func)
        if module not in {"optim", "torch.optim"}:
            continue
        keywords = {argument.keyword.value for argument in call.args if argument.keyword}
        for family, shared in _OPTIMIZER_FAMILIES:
            for other in sorted(family - {name}) if name in family else ():
                arguments = _without_keywords(call.args, keywords - shared)
                yield Change(call, call.with_changes(func=_renamed(call.func, other), args=arguments))


def toggle_residual(syntax: Syntax) -> Iterator[Change]:
    """Turn `x = f(x)` into `x = x + f(x)`, and back."""
    for assign in syntax.of_kind(cst.Assign):
        match assign:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.Call(args=[first, *_])):
                if _is_name(first.value, name):
                    value = cst.BinaryOperation(cst.Name(name), cst.Add(), assign.value)
                    yield Change(assign, assign.with_changes(value=value))
            case cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name(value=name))],
                value=cst.BinaryOperation(left=left, operator=cst.Add(), right=cst.Call() as call, lpar=[]),
            ):
                if _is_name(left, name):
                    yield Change(assign, assign.with_changes(value=call))


def bend_schedule(syntax: Syntax) -> Iterator[Change]:
    """Replace a linear decay `1 - x` in a schedule by a cosine, a parabola or a square root."""
    schedules = (*_SCHEDULES, _COSINE_SCHEDULE) if "math" in syntax.imported_modules else _SCHEDULES
    for operation in syntax.of_kind(cst.BinaryOperation):
        match operation:
            case cst.BinaryOperation(left=cst.Integer() | cst.Float() as one, operator=cst.Subtract(), right=x):
                if one.evaluated_value == 1 and not _is_constant(x) and _is_schedule(syntax, operation):
                    for template in schedules:
                        new = parse_template_expression(template, syntax.module.config_for_parsing, x=parenthesised(x))
                        yield Change(operation, in_parentheses_of(operation, new))


TORCH_EDITS: dict[str, Edit] = {
    "bend a schedule": bend_schedule,
    "swap an activation function": swap_activation_function,
    "swap an activation module": swap_activation_module,
    "swap a norm": swap_norm,
    "swap an optimizer": swap_optimizer,
    "toggle a residual": toggle_residual,
}


def _activation(syntax: Syntax, call: cst.Call) -> _Activation | None:
    module, name = _module_and_name(call.func)
    names = _ACTIVATIONS.get(module, ())
    if name not in names or not isinstance(call.func, cst.Attribute) or not call.args:
        return None
    argument = call.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    if argument.keyword is not None or argument.star:
        return None
    return _Activation(_square_around(syntax, call) or call, call.func.value, names, argument)


def _alternatives(activation: _Activation) -> Iterator[cst.BaseExpression]:
    for name in activation.names:
        call = cst.Call(cst.Attribute(activation.module, cst.Name(name)), [activation.argument])
        yield call
        if name == "relu":
            yield cst.Call(cst.Attribute(call, cst.Name("square")))


def _square_around(syntax: Syntax, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the `node.square()`, `node.pow(2)` or `node ** 2` that `node` stands in."""
    around = list(syntax.ancestors(node))[:2]
    match around:
        case [cst.BinaryOperation(left=base, operator=cst.Power(), right=cst.Integer(value="2")) as power, *_]:
            return power if base is node else None
        case [cst.Attribute(attr=cst.Name(value="square")), cst.Call(args=[]) as square]:
            return square
        case [
            cst.Attribute(attr=cst.Name(value="pow")),
            cst.Call(args=[cst.Arg(value=cst.Integer(value="2"))]) as power,
        ]:
            return power
    return None


def _module_and_name(function: cst.BaseExpression) -> tuple[str, str]:
    """Split `torch.nn.ReLU` into `torch.nn` and `ReLU`; empty strings for what is no dotted name."""
    if not isinstance(function, cst.Attribute):
        return "", ""
    module, _, name = (get_full_name_for_node(function) or "").rpartition(".")
    return module, name


def _renamed(function: cst.BaseExpression, name: str) -> cst.BaseExpression:
    return function.with_changes(attr=cst.Name(name))


def _without_keywords(arguments: Sequence[cst.Arg], unwanted: Set[str]) -> list[cst.Arg]:
    kept = [argument for argument in arguments if argument.keyword is None or argument.keyword.value not in unwanted]
    if kept and kept[-1] is not arguments[-1]:
        kept[-1] = kept[-1].with_changes(comma=arguments[-1].comma)
    return kept


def _is_name(node: cst.BaseExpression, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.BaseNumber) or (isinstance(node, cst.Name) and node.value.isupper())


def _is_schedule(syntax: Syntax, operation: cst.BinaryOperation) -> bool:
    if _SCHEDULE_VARIABLE.search(syntax.text(operation.right)):
        return True
    functions = (node for node in syntax.ancestors(operation) if isinstance(node, cst.FunctionDef))
    return any(_SCHEDULE_FUNCTION.search(function.name.value) for function in functions)
