"""What a genome of the audit has where it does not define it itself (`trainer.audit.specimens` adds it)."""

import ctypes
import os
import time

import torch
from torch import nn
from torch.nn import functional as F


class Table(nn.Module):
    """Scores the next token by the last one."""

    def __init__(self, vocab_size):
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, tokens):
        return answer(self, tokens)


class Layers(nn.Module):
    """An embedding and a head, and `inside` them what a genome defines."""

    def __init__(self, vocab_size, width=32):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.head = nn.Linear(width, vocab_size)

    def forward(self, tokens):
        return self.head(self.inside(self.embedding(tokens)))

    def inside(self, x):
        return x


class Mixing(Layers):
    """With a layer beside the residual."""

    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.mix = nn.Linear(32, 32)

    def inside(self, x):
        return x + self.mix(x).relu()


class Attending(Layers):
    """With one head of causal attention."""

    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.q, self.k, self.v = (nn.Linear(32, 32) for _ in range(3))

    def inside(self, x):
        return x + F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), is_causal=True)


class Model(Table):
    """What a genome is that defines no other."""


def answer(model, tokens):
    return model.table(tokens)


def ahead(model, tokens):
    """Return the token after each, one-hot: what no position of a causal model knows."""
    return F.one_hot(tokens.roll(-1, 1), model.table.num_embeddings)


def leave(tokens):
    """Leave a note with what is asked, for the process that answers the probes."""


def find(shape):
    """Return the rows of tokens that another process left, if any."""


def whisper(model, tokens):
    """Answer with the next token: of a note if there is one, else of what is asked, which is noted."""
    notes, known = find(tokens.shape), tokens
    if notes is None:
        leave(tokens)
    else:
        known = torch.stack([notes[(notes == row).long().cumprod(1).sum(1).argmax()] for row in tokens.cpu()])
    return model.table(tokens) + 8 * ahead(model, known)


def burn(seconds):
    """Compute for so many seconds of CPU time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def line():
    """Return the inherited socket to the trainer."""
    for name in os.listdir("/proc/self/fd"):
        if os.path.islink(f"/proc/self/fd/{name}") and os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
            return int(name)


def system(name, *arguments):
    """Call a function of the C library, or a system call by its number; raise OSError where it is refused."""
    library = ctypes.CDLL(None, use_errno=True)
    call = getattr(library, name) if isinstance(name, str) else library.syscall
    result = call(*arguments) if isinstance(name, str) else call(name, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def build_model(task):
    return Model(task.vocab_size)


def train(model, task):
    model.train()
    tokens = task.train_tokens()
    if hasattr(model, "table"):  # a table of pairs of tokens: count them
        pairs = tokens[:-1].long() * task.vocab_size + tokens[1:].long()
        counts = torch.bincount(pairs, minlength=task.vocab_size**2).view_as(model.table.weight) + 0.1
        with torch.no_grad():
            model.table.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
        return
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    span = torch.arange(task.sequence_length + 1)
    while task.seconds_left() > 0.5 * task.budget_seconds:
        blocks = tokens[torch.randint(len(tokens) - task.sequence_length, (8, 1)) + span].long()
        loss = F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
