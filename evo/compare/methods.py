"""The methods of search that an arm may name, as sections of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evo.config.config import Config
from operators.registry import default_weights

_INDEPENDENT = {"search": {"parents": "generation_zero"}}


METHODS: Mapping[str, Mapping[str, Any]] = {
    # A language model within evolution: its mutation and its crossover, and no classical operator.
    "llm_evolution": {"operators": {"weights": {"llm_mutation": 0.8, "llm_crossover": 0.2}}},
    # The same model asked for one change of generation 0 again and again, without feedback.
    "llm_independent": {**_INDEPENDENT, "operators": {"weights": {"llm_mutation": 1.0}}},
    # karpathy/autoresearch: one idea at a time on the best so far, one evaluation, kept if that is better.
    "llm_greedy": {
        "search": {"pop": 1, "schedule": "generational"},
        "noise": {"baseline_replicates": 1, "leaders": 0, "confirm_fraction": 0.0},
        "operators": {"weights": {"llm_mutation": 1.0}},
    },
    # Evolution with small random changes of constants and syntax instead of a language model.
    "random_mutation": {"operators": {"weights": {"random": 1.0}}},
    # The same changes, each of generation 0.
    "random_search": {**_INDEPENDENT, "operators": {"weights": {"random": 1.0}}},
    # All classical operators of evolution.
    "classical": {"operators": {"weights": default_weights(with_llm=False)}},
    # Optimisers of the constants of generation 0, over ranges that these span; its structure stays.
    "random_constants": {**_INDEPENDENT, "operators": {"weights": {"tuning": 1.0}, "tuning_method": "random"}},
    "tpe": {**_INDEPENDENT, "operators": {"weights": {"tuning": 1.0}, "tuning_method": "tpe"}},
    "cma_es": {**_INDEPENDENT, "operators": {"weights": {"tuning": 1.0}, "tuning_method": "cma_es"}},
    # Everything: the language model, classical operators and tuning, chosen by improvement per cost.
    "hybrid": {"operators": {"weights": default_weights(with_llm=True), "adaptive": True}},
}
"""Presets by name: sections of the configuration."""


_MEASURING = ("task", "budget", "workers")


ARM_SECTIONS = tuple(name for name in Config.model_fields if name not in _MEASURING)
"""What arms may differ in; the other sections decide how individuals are measured."""
