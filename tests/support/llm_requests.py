"""What an operator on a language model is given in tests: a small program, a journal on disk, a real gate."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from operators.gate import SourceGate, language_model_contract
from operators.llm import Conditions, Conversations, LanguageModel, LLMCrossover, LLMMutation, LLMSettings, SpendLimit
from operators.proposal import Context, Exchange, Known, Parent, Request
from populations.diversity import read_program
from trainer.evaluation import Budget, Clock
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

PROGRAM = '''"""A small model."""

import torch
from torch import nn

LEARNING_RATE = 0.01  # AdamW
WIDTH = 64  # channels


def build_model(task):
    return nn.Sequential(nn.Embedding(task.vocab_size, WIDTH), nn.Linear(WIDTH, task.vocab_size))


def train(model, task):
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    tokens = task.train_tokens()
    while task.seconds_left() > 0:
        optimizer.step()
'''
CHANGED = PROGRAM.replace("LEARNING_RATE = 0.01", "LEARNING_RATE = 0.02")
BLOCK = "<<<<<<< SEARCH\nLEARNING_RATE = 0.01  # AdamW\n=======\nLEARNING_RATE = 0.02  # AdamW\n>>>>>>> REPLACE\n"
GOOD = f"Hypothesis: a higher rate learns faster.\n\n{BLOCK}"

CONDITIONS = Conditions(
    objectives=(LANGUAGE_MODEL_OBJECTIVES["val_bpb"], LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"]),
    budget=Budget(30.0, Clock.CPU),
    device="one CPU thread",
    vocab_size=2048,
    sequence_length=256,
)


class FileJournal:
    """One proposal's journal in a folder, so that it outlives the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def request(self, turn: int) -> Mapping[str, Any] | None:
        path = self.folder / f"{turn}.request.json"
        return json.loads(path.read_text()) if path.exists() else None

    def exchange(self, turn: int) -> Exchange | None:
        path = self.folder / f"{turn}.exchange.json"
        return Exchange(**json.loads(path.read_text())) if path.exists() else None

    def record_request(self, turn: int, request: Mapping[str, Any]) -> None:
        assert self.request(turn) is None, "a request is journaled once"
        (self.folder / f"{turn}.request.json").write_text(json.dumps(request), encoding="utf-8")

    def record_exchange(self, turn: int, exchange: Exchange) -> None:
        assert self.request(turn) is not None, "a request is journaled before it is sent"
        assert self.exchange(turn) is None, "a reply is journaled once"
        text = json.dumps(asdict(exchange), ensure_ascii=False)
        (self.folder / f"{turn}.exchange.json").write_text(text, encoding="utf-8")

    def record_abandoned(self, turn: int, exchange: Exchange) -> None:
        (self.folder / f"{turn}.abandoned.json").write_text(json.dumps(asdict(exchange)), encoding="utf-8")

    def record_stand_in(self, turn: int, model: str, stand_in: str, reason: str) -> None:
        (self.folder / f"{turn}.stand_in.json").write_text(json.dumps([model, stand_in, reason]), encoding="utf-8")

    @property
    def exchanges(self) -> list[Exchange]:
        found = (self.exchange(turn) for turn in range(10))
        return [exchange for exchange in found if exchange is not None]


def gate(*known: str) -> SourceGate:
    """Return a gate that knows some programs."""
    forms = {read_program(source).normal_form: number for number, source in enumerate(known)}
    return SourceGate(language_model_contract, forms.get)


def parent(source: str = PROGRAM, number: int = 1) -> Parent:
    return Parent(number, source, "the start", {"val_bpb": 1.7421, "tokens_per_second": 123456.0}, 2)


def request_for(
    journal: FileJournal, number: int = 7, *, second: str | None = None, known: str = PROGRAM, instructions: str = ""
) -> Request:
    parents = (parent(),) if second is None else (parent(), parent(second, 2))
    context = Context(noise={"val_bpb": 0.0005})
    chance = random.Random(number)
    return Request(
        number, parents, Known(lambda: context), chance, journal, gate(PROGRAM, known), instructions=instructions
    )


@dataclass
class Waits:
    """A `sleep` that returns at once and remembers what it was asked for."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass
class Scene:
    """A model at some URL with its operators, and what happened to it."""

    settings: LLMSettings
    waits: Waits = field(default_factory=Waits)
    spend_limit: SpendLimit | None = None

    def propose(self, *requests: Request) -> list[Any]:
        """Return the proposals, made at the same time, or the exceptions in their place."""

        async def run() -> list[Any]:
            model = LanguageModel(self.settings, self.spend_limit, sleep=self.waits)
            conversations = Conversations(model, CONDITIONS)
            operators = {1: LLMMutation(conversations, "careful"), 2: LLMCrossover(conversations)}
            try:
                tasks = (operators[len(request.parents)].propose(request) for request in requests)
                return await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                await model.aclose()

        return asyncio.run(run())
