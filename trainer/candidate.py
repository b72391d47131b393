"""The process that runs a genome: `python -m trainer.candidate DESCRIPTOR DEVICE THREADS ROLE`.

It warms up before its genome is known (imports torch, takes one dummy step), says `ready`, and serves one order:

    train   import the genome, build its model, train it, save its weights
    serve   import the genome, build its model, answer blocks of tokens with logits; load weights when told to

Everything here runs beside untrusted code and can be patched by it; nothing that this process says is believed beyond
what its supervisor and the scorer measure themselves.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import math
import mmap
import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

if __name__ == "__main__":
    gc.disable()  # a tenth of the time to start: hundreds of thousands of objects are made, and all of them stay

import numpy as np
import safetensors.torch
import torch
from torch.nn.parameter import is_lazy

from trainer.evaluation import Clock
from trainer.ipc.candidate_protocol import GENOME_FILE, WEIGHTS_FILE, Role
from trainer.ipc.channel import Channel, ChannelClosed, Message
from trainer.ipc.frames import Frames, FrameShape
from trainer.stack_samples import StackSamples
from trainer.task import Task

_CURVE_POINTS = 500


class BrokenContract(Exception):  # noqa: N818 - sent to the supervisor as a verdict
    """The genome does not define what its task asks for."""


class SupervisedHost:
    """The genome's line to its supervisor (`trainer.task.Host`)."""

    def __init__(self, channel: Channel, seconds: float, clock: Clock) -> None:
        self._channel = channel
        self._seconds = seconds
        self._now: Callable[[], float] = time.monotonic if clock is Clock.WALL else _tree_cpu_seconds
        self._started: float | None = None
        self._tokens: torch.Tensor | None = None
        self._next_log = -math.inf
        self._samples: StackSamples | None = None

    def seconds_left(self) -> float:
        """Return the training seconds left by this process's own reading of the budget's clock."""
        if self._started is None:
            return self._seconds
        return self._seconds - (self._now() - self._started)

    def train_tokens(self) -> torch.Tensor:
        """Ask for the data's descriptor and map it; writes to the mapping stay private."""
        if self._tokens is None:
            self._channel.send({"event": "data"})
            self._channel.receive()
            descriptor = self._channel.take_descriptor()
            self._started = self._now()
            data = mmap.mmap(descriptor, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
            os.close(descriptor)
            self._tokens = torch.from_numpy(np.frombuffer(data, np.int32))
            self._samples = StackSamples(self._seconds, self._now)
        return self._tokens

    def end_training(self) -> dict[str, float]:
        """Return which share of the time since it had the data was spent on each part of the training."""
        return {} if self._samples is None else self._samples.end()

    def log(self, step: int, loss: float, tokens: int | None) -> None:
        """Report a point of the curve, some hundreds of them at most unless the loss is no number."""
        left = self.seconds_left()
        if math.isfinite(loss) and -left < self._next_log:
            return
        self._next_log = -left + self._seconds / _CURVE_POINTS
        used = {} if tokens is None else {"tokens": int(tokens)}
        self._channel.send({"event": "log", "step": int(step), "loss": loss if math.isfinite(loss) else None, **used})


class ServingHost:
    """What a genome gets while it serves: no data and no clock."""

    def seconds_left(self) -> float:
        """Return 0: training is over."""
        return 0.0

    def train_tokens(self) -> torch.Tensor:
        """Refuse."""
        raise RuntimeError("train_tokens() was called while the model is being scored; there is no training data here.")

    def log(self, step: int, loss: float, tokens: int | None) -> None:
        """Ignore."""


def main() -> None:
    """Warm up, then carry out one order and end."""
    _, descriptor, device_name, threads, role = sys.argv
    sys.argv[:] = sys.orig_argv[:] = [GENOME_FILE]  # a genome that parses arguments has none
    channel = Channel.from_descriptor(int(descriptor), takes_descriptors=True)
    device = torch.device(device_name)
    torch.set_num_threads(int(threads))
    torch.set_num_interop_threads(1)
    _warm_up(device, Role(role))
    gc.freeze()
    gc.enable()
    with contextlib.suppress(ChannelClosed):
        channel.send({"event": "ready"})
        order = channel.receive()
        if order["is_smoke"]:
            os.environ["TORCHDYNAMO_DISABLE"] = "1"  # compiling would take longer than all else that is tried
        carry_out = {Role.TRAIN: _train, Role.SERVE: _serve}[order["event"]]
        try:
            carry_out(channel, device, order)
        except ChannelClosed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a genome raises is a verdict on it
            traceback.print_exc()
            sys.stderr.flush()
            channel.send(
                {"event": "error", "kind": _kind(error), "name": type(error).__name__, "reason": _reason(error)}
            )


def _warm_up(device: torch.device, role: Role) -> None:
    """Pay for lazy initialisation now: the device's context; to train, autograd and the optimizer's imports too."""
    layer = torch.nn.Linear(8, 8).to(device)
    loss = layer(torch.ones(4, 8, device=device)).square().mean()
    if role is Role.TRAIN:
        optimizer = torch.optim.AdamW(layer.parameters())
        loss.backward()
        optimizer.step()


def _train(channel: Channel, device: torch.device, order: Message) -> None:
    host = SupervisedHost(channel, order["seconds"], Clock(order["clock"]))
    task = _task(device, order, host)
    genome = _import_genome()
    model = _build(genome, task)
    channel.send({"event": "built"})
    train = _function(genome, "train")
    train(model, task)
    parts = host.end_training()
    # Saving waits for the device, so that the supervisor's clock covers all training.
    safetensors.torch.save_model(model, WEIGHTS_FILE)
    channel.send({"event": "saved", "parts": parts})
    # Stays until it is ended, so that what it has used can be read to the last.
    channel.receive()


def _serve(channel: Channel, device: torch.device, order: Message) -> None:
    shape = FrameShape(order["batch"], order["sequence_length"], order["vocab_size"])
    frames = Frames(channel.take_descriptor(), shape)
    model = _build(_import_genome(), _task(device, order, ServingHost())).to(device).eval()
    channel.send({"event": "built"})
    while True:
        block = channel.receive()
        if block["event"] == "state":
            channel.send({"event": "state", **_state(model)})
            continue
        if block["event"] == "load":
            with torch.inference_mode():  # as what it has answered before, so that buffers made then can be written
                safetensors.torch.load_model(model, WEIGHTS_FILE)
            model.to(device).eval()
            channel.send({"event": "loaded"})
            continue
        rows = int(block["rows"])
        with torch.inference_mode():
            tokens = torch.from_numpy(frames.tokens[:rows]).to(device, copy=True)
            logits = model(tokens)
        _hand_over(logits, frames, rows)
        channel.send({"event": "answered", "number": block["number"]})


def _state(model: torch.nn.Module) -> dict[str, int]:
    """Return what `trainer.scoring.serving.State` holds."""
    named = {name: one for name, one in model.state_dict().items() if isinstance(one, torch.Tensor)}
    sizes = [0 if is_lazy(one) else one.numel() for one in named.values()]
    return {"numbers": sum(sizes), "tensors": len(named), "name_bytes": sum(len(name.encode()) for name in named)}


def _hand_over(logits: object, frames: Frames, rows: int) -> None:
    expected = (rows, frames.shape.length, frames.shape.vocab_size)
    if not isinstance(logits, torch.Tensor) or not logits.is_floating_point() or tuple(logits.shape) != expected:
        got = f"{logits.dtype} {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise BrokenContract(f"the model must return floating-point logits of shape {expected}, but it returned {got}")
    torch.from_numpy(frames.logits[:rows]).copy_(logits)


def _task(device: torch.device, order: Message, host: SupervisedHost | ServingHost) -> Task:
    seed = int(order["seed"])
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - genomes may use numpy's global generator
    torch.manual_seed(seed)
    return Task(
        device=device,
        vocab_size=order["vocab_size"],
        sequence_length=order["sequence_length"],
        seed=seed,
        budget_seconds=order["budget_seconds"],
        host=host,
    )


def _import_genome() -> ModuleType:
    spec = importlib.util.spec_from_file_location("genome", Path(GENOME_FILE).resolve())
    if spec is None or spec.loader is None:
        raise ImportError(f"{GENOME_FILE} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["genome"] = module
    spec.loader.exec_module(module)
    return module


def _build(genome: ModuleType, task: Task) -> torch.nn.Module:
    model = _function(genome, "build_model")(task)
    if not isinstance(model, torch.nn.Module):
        raise BrokenContract(f"build_model must return a torch.nn.Module, but it returned {type(model).__name__}")
    return model


def _function(genome: ModuleType, name: str) -> Callable[..., object]:
    function = getattr(genome, name, None)
    if not callable(function):
        raise BrokenContract(f"the genome must define a function `{name}`, but it does not")
    return function  # type: ignore[no-any-return]


def _kind(error: Exception) -> str:
    if isinstance(error, BrokenContract):
        return "contract"
    # On the CPU torch raises a plain RuntimeError when its allocator fails.
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return "out_of_memory"
    return "crashed"


def _reason(error: Exception) -> str:
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(GENOME_FILE)]
    where = f" (line {own[-1].lineno}, in {own[-1].name})" if own else ""
    return f"{type(error).__name__}: {str(error)[:500]}{where}"


def _tree_cpu_seconds() -> float:
    reaped = os.times()
    return time.process_time() + reaped.children_user + reaped.children_system


if __name__ == "__main__":
    main()
