"""What both sides of a candidate's line agree on; free of torch, for the supervisor imports it."""

from enum import StrEnum

from trainer.evaluation import Clock, Status
from trainer.ipc.channel import Message

GENOME_FILE = "train.py"
WEIGHTS_FILE = "weights.safetensors"


class Role(StrEnum):
    """What a candidate process is warmed up for, and the one order that it takes."""

    TRAIN = "train"
    SERVE = "serve"


class Part(StrEnum):
    """What a program does while it trains, as it is sampled."""

    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"
    ELSEWHERE = "elsewhere"
    """Data, its own arithmetic, and waiting for a device that works on its own."""


def failure_status(message: Message) -> Status:
    """Return the status that a candidate's own `error` message stands for."""
    kinds = {"out_of_memory": Status.OUT_OF_MEMORY, "contract": Status.REJECTED}
    return kinds.get(str(message.get("kind")), Status.CRASHED)


def slow_reason(seconds: float, clock: Clock, stage: str) -> str:
    """Return why a serving process is ended that took more than so many seconds for a stage."""
    return f"took more than {seconds:.3g} s ({clock} clock) for {stage}, which is far more than forward passes take"
