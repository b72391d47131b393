"""What both sides of a candidate's line agree on; free of torch, for the supervisor imports it."""

from enum import StrEnum

from trainer.evaluation import Status
from trainer.ipc.channel import Message

GENOME_FILE = "train.py"
WEIGHTS_FILE = "weights.safetensors"


class Role(StrEnum):
    """What a candidate process is warmed up for, and the one order that it takes."""

    TRAIN = "train"
    SERVE = "serve"


def failure_status(message: Message) -> Status:
    """Return the status that a candidate's own `error` message stands for."""
    kinds = {"out_of_memory": Status.OUT_OF_MEMORY, "contract": Status.REJECTED}
    return kinds.get(str(message.get("kind")), Status.CRASHED)
