"""Every operator: its name, how it is made, and how often it is drawn by default.

A new operator is a class that satisfies `operators.proposal.Operator`, and an entry here. The configuration, the
search, `evo compare` and the contract test read this table. Each class is imported when it is made, so that reading the
table loads neither LibCST nor anthropic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operators.proposal import Operator
from trainer.objectives import Objective

if TYPE_CHECKING:
    from operators.agent import Agents
    from operators.llm import Conversations


@dataclass(frozen=True, slots=True)
class Setup:
    """What operators are made from.

    Attributes:
        device_kind: of the devices that the run trains on, such as `cpu`.
        objective: the first that selection looks at.
        tuning_method: how `tuning` chooses constants, a value of `operators.tuning.tuning.Method`.
        styles: the prompt styles of mutations.
        conversations: returns those with each language model; called only where an operator needs them.
        agents: returns what runs the coding agent; likewise.
        model_weights: how often each language model is drawn, in the order of the conversations.
    """

    device_kind: str
    objective: Objective
    tuning_method: str
    styles: Sequence[str]
    conversations: Callable[[], Sequence[Conversations]]
    agents: Callable[[], Agents]
    model_weights: Sequence[float] = (1.0,)


@dataclass(frozen=True, slots=True)
class Registration:
    """One operator.

    Attributes:
        make: returns the operator, or several that share its weight.
        weight: by default, without a language model; 0 where it is drawn only if named.
        weight_beside_llm: by default, with a language model.
        needs_llm: whether it calls a language model, or an agent that does.
        needs_agent: whether that is a coding agent.
        arity: parents that it needs.
        parts: returns the part of the weight that each of several operators has; equal ones by default.
    """

    make: Callable[[Setup], Sequence[Operator]]
    weight: float = 0.0
    weight_beside_llm: float = 0.0
    needs_llm: bool = False
    needs_agent: bool = False
    arity: int = 1
    parts: Callable[[Setup], Sequence[float]] | None = None

    @property
    def is_stand_in(self) -> bool:
        """Whether it can go on alone while a language model cannot be asked."""
        return not self.needs_llm and self.arity == 1


def _llm_mutation(setup: Setup) -> Sequence[Operator]:
    from operators.llm import LLMMutation

    return [LLMMutation(conversations, style) for conversations in setup.conversations() for style in setup.styles]


def _parts_of_mutations(setup: Setup) -> Sequence[float]:
    return [weight for weight in setup.model_weights for _ in setup.styles]


def _llm_crossover(setup: Setup) -> Sequence[Operator]:
    from operators.llm import LLMCrossover

    return [LLMCrossover(conversations) for conversations in setup.conversations()]


def _parts_of_crossovers(setup: Setup) -> Sequence[float]:
    return setup.model_weights


def _llm_agent(setup: Setup) -> Sequence[Operator]:
    from operators.agent import LLMAgent

    return [LLMAgent(setup.agents())]


def _random(setup: Setup) -> Sequence[Operator]:
    from operators.mutation.mixed import RandomMutation

    return [RandomMutation(setup.device_kind)]


def _constants(setup: Setup) -> Sequence[Operator]:
    from operators.mutation.constants import ConstantMutation

    return [ConstantMutation(setup.device_kind)]


def _structure(_: Setup) -> Sequence[Operator]:
    from operators.mutation.structure import StructureMutation

    return [StructureMutation()]


def _uniform(_: Setup) -> Sequence[Operator]:
    from operators.crossover.uniform import UniformCrossover

    return [UniformCrossover()]


def _merge(_: Setup) -> Sequence[Operator]:
    from operators.crossover.merge import MergeCrossover

    return [MergeCrossover()]


def _tuning(setup: Setup) -> Sequence[Operator]:
    from operators.tuning.tuning import Method, Tuning

    return [Tuning(setup.objective, Method(setup.tuning_method), setup.device_kind)]


REVISION = 5
"""Of what classical operators do with the same chance. A replay passes over the offspring of another one."""
REPLIES_REVISION = 3
"""Of what becomes of the same reply: how it is read, and what the gate lets pass of it. A replay counts what comes out
otherwise than under another one, and reports no difference."""

OPERATORS = {
    "llm_mutation": Registration(_llm_mutation, weight_beside_llm=0.5, needs_llm=True, parts=_parts_of_mutations),
    "llm_crossover": Registration(
        _llm_crossover, weight_beside_llm=0.1, needs_llm=True, arity=2, parts=_parts_of_crossovers
    ),
    "llm_agent": Registration(_llm_agent, needs_llm=True, needs_agent=True),
    "random": Registration(_random, weight=0.3, weight_beside_llm=0.1),
    "constants": Registration(_constants),
    "structure": Registration(_structure),
    "uniform": Registration(_uniform, weight=0.1, arity=2),
    "merge": Registration(_merge, weight=0.1, weight_beside_llm=0.05, arity=2),
    "tuning": Registration(_tuning, weight=0.5, weight_beside_llm=0.25),
}
"""All operators by name."""


def needs_llm(name: str) -> bool:
    """Return whether the operator of a proposal calls a language model; the name may end with a prompt style."""
    registration = OPERATORS.get(name.partition(":")[0])
    return registration is not None and registration.needs_llm


def default_weights(*, with_llm: bool) -> dict[str, float]:
    """Return the operators of a run that names none, with their weights."""
    weights = {name: one.weight_beside_llm if with_llm else one.weight for name, one in OPERATORS.items()}
    return {name: weight for name, weight in weights.items() if weight}
