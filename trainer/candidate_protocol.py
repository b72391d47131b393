"""What both sides of a candidate's line agree on; free of torch, for the supervisor imports it."""

from trainer.channel import Message
from trainer.evaluation import Status

GENOME_FILE = "train.py"
WEIGHTS_FILE = "weights.safetensors"


def failure_status(message: Message) -> Status:
    """Return the status that a candidate's own `error` message stands for."""
    kinds = {"out_of_memory": Status.OUT_OF_MEMORY, "contract": Status.REJECTED}
    return kinds.get(str(message.get("kind")), Status.CRASHED)
