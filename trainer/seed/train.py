"""Generation 0: a small GPT for the language-model task, trained with Muon and AdamW on whatever device there is.

The ingredients follow Keller Jordan's modded-nanogpt (2024) and Andrej Karpathy's nanochat (2025): RMSNorm without
gains, rotary positions, normalised queries and keys, a squared-ReLU MLP, value embeddings, Muon for the hidden
matrices, AdamW for the rest, a schedule that anneals against the clock. Everything in this file may evolve; what the
trainer calls is `build_model(task)` and `train(model, task)`.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.task import Task

# Size. Depth and width follow the budget, because a longer run feeds a larger model (Hoffmann et al. 2022).
WIDTH_CPU = 96  # channels at a budget of 10 s on one CPU thread
WIDTH_GPU = 512  # channels at a budget of 300 s on an H100
WIDTH_EXPONENT = 0.3  # width ~ budget ** exponent
DEPTH_CPU = 2  # blocks
DEPTH_GPU = 8  # blocks
HEAD_WIDTH_CPU = 32  # channels a head
HEAD_WIDTH_GPU = 128  # channels a head; fused attention is fastest at 64 or 128
MLP_RATIO = 4  # hidden channels of the MLP per channel of the model
ROTARY_BASE = 10_000.0  # longest wavelength of the rotary positions, tokens

# Batches
BATCH_TOKENS_CPU = 1024  # tokens an optimizer step: small, since the budget holds few tokens
BATCH_TOKENS_GPU = 262_144  # tokens an optimizer step
MICRO_BATCH_TOKENS_GPU = 65_536  # tokens a forward pass on an 80 GiB card; smaller cards take proportionally less
MAX_EPOCHS = 16.0  # passes over the data after which training ends early: past that a small corpus is memorised

# Optimizers
MUON_LR = 0.02  # of the hidden matrices
EMBEDDING_LR = 0.02  # AdamW, of the token and value embeddings
HEAD_LR = 0.005  # AdamW, of the output matrix
SCALAR_LR = 0.02  # AdamW, of the scalars
ADAM_BETA1 = 0.9
ADAM_BETA2 = 0.95
MUON_MOMENTUM = 0.95
MUON_WEIGHT_DECAY = 0.0  # per unit of learning rate

# Schedule, in fractions of the budget
WARMUP = 0.02  # linear rise of the learning rates
COOLDOWN = 0.5  # linear fall to FINAL_LR at the end
FINAL_LR = 0.05  # of the peak
LOGGED_POINTS = 50  # points of the training curve


def rms_norm(x: Tensor) -> Tensor:
    """Scale the last dimension to unit root mean square (Zhang and Sennrich 2019); gains proved useless here."""
    return F.rms_norm(x, (x.size(-1),))


class Rotary(nn.Module):
    """Rotary position embedding (Su et al. 2021) for heads of `width` channels."""

    def __init__(self, width: int, max_length: int) -> None:
        super().__init__()
        wavelengths = ROTARY_BASE ** torch.linspace(0, 1, width // 2)
        angles = torch.arange(max_length)[:, None] / wavelengths
        self.cos: Tensor
        self.sin: Tensor
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Rotate x: shape (B, heads, T, width)."""
        length = x.size(-2)
        cos, sin = self.cos[:length].to(x.dtype), self.sin[:length].to(x.dtype)
        left, right = x.chunk(2, dim=-1)
        return torch.cat((left * cos + right * sin, right * cos - left * sin), dim=-1)


class Attention(nn.Module):
    """Causal self-attention with normalised queries and keys (Henry et al. 2020; Dehghani et al. 2023)."""

    def __init__(self, width: int, head_width: int, max_length: int) -> None:
        super().__init__()
        self.head_width = head_width
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.rotary = Rotary(head_width, max_length)
        self.value_mix = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor, value_embedding: Tensor) -> Tensor:
        """Attend over x: shape (B, T, width); the values are mixed with an embedding of their token."""
        batch, length, width = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        v = v + self.value_mix * value_embedding
        q, k, v = (y.view(batch, length, -1, self.head_width).transpose(1, 2) for y in (q, k, v))
        q, k = self.rotary(rms_norm(q)), self.rotary(rms_norm(k))
        y = F.scaled_dot_product_attention(q, k, v.to(q.dtype), is_causal=True)
        mixed: Tensor = self.out(y.transpose(1, 2).reshape(batch, length, width))
        return mixed


class MLP(nn.Module):
    """Two matrices around a squared ReLU (So et al. 2021, Primer)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, MLP_RATIO * width, bias=False)
        self.down = nn.Linear(MLP_RATIO * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map x: shape (B, T, width)."""
        y: Tensor = self.down(F.relu(self.up(x)).square())
        return y


class Block(nn.Module):
    """Attention and MLP, each behind a norm and around a residual."""

    def __init__(self, width: int, head_width: int, max_length: int) -> None:
        super().__init__()
        self.attention = Attention(width, head_width, max_length)
        self.mlp = MLP(width)

    def forward(self, x: Tensor, value_embedding: Tensor) -> Tensor:
        """Map x: shape (B, T, width)."""
        x = x + self.attention(rms_norm(x), value_embedding)
        y: Tensor = x + self.mlp(rms_norm(x))
        return y


class GPT(nn.Module):
    """A decoder-only transformer: tokens (B, T) to logits (B, T, vocab_size)."""

    def __init__(self, vocab_size: int, depth: int, width: int, head_width: int, max_length: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.value_embeddings = nn.ModuleList(nn.Embedding(vocab_size, width) for _ in range(depth))
        self.smear = nn.Parameter(torch.tensor(0.3))
        self.blocks = nn.ModuleList(Block(width, head_width, max_length) for _ in range(depth))
        self.head = nn.Linear(width, vocab_size, bias=False)
        self.initialise(width)

    def initialise(self, width: int) -> None:
        """Start every block as the identity: what writes to the residual stream begins at zero."""
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "down.weight", "head.weight")):
                nn.init.zeros_(weight)
            elif "embedding" in name:
                nn.init.normal_(weight)
            elif weight.ndim == 2:
                nn.init.uniform_(weight, -math.sqrt(3 / width), math.sqrt(3 / width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits for tokens: shape (B, T), integers; on CUDA the matrices multiply in bfloat16."""
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=tokens.is_cuda):
            x = self.embedding(tokens)
            x = rms_norm(x)
            x = torch.cat((x[:, :1], x[:, 1:] + self.smear * x[:, :-1]), dim=1)
            for block, value_embedding in zip(self.blocks, self.value_embeddings, strict=True):
                x = block(x, value_embedding(tokens))
            logits: Tensor = self.head(rms_norm(x)).float()
        return logits


def orthogonalise(matrices: Tensor) -> Tensor:
    """Replace each of (n, rows, columns) by about U Vᵀ of its singular value decomposition U S Vᵀ.

    Five steps of a quintic Newton–Schulz iteration, with Keller Jordan's coefficients (Muon, 2024).
    """
    x = matrices.bfloat16() if matrices.is_cuda else matrices
    tall = x.size(-2) > x.size(-1)
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.mT if tall else x


class Muon:
    """Momentum whose update is orthogonalised (Jordan et al. 2024); matrices of one shape are stacked."""

    def __init__(self, matrices: list[nn.Parameter]) -> None:
        shapes = sorted({matrix.shape for matrix in matrices})
        self.param_groups: list[dict[str, Any]] = [
            {"params": [matrix for matrix in matrices if matrix.shape == shape], "lr": MUON_LR} for shape in shapes
        ]
        self.momenta = [
            torch.zeros(len(group["params"]), *shape, device=matrices[0].device)
            for group, shape in zip(self.param_groups, shapes, strict=True)
        ]

    @torch.no_grad()
    def step(self) -> None:
        """Update every matrix from its gradient."""
        for group, momentum in zip(self.param_groups, self.momenta, strict=True):
            weights = group["params"]
            gradients = torch.stack([weight.grad for weight in weights])
            momentum.lerp_(gradients, 1 - MUON_MOMENTUM)
            update = orthogonalise(gradients.lerp(momentum, MUON_MOMENTUM))  # Nesterov
            rows, columns = weights[0].shape
            step_size = group["lr"] * max(1.0, rows / columns) ** 0.5
            torch._foreach_mul_(weights, 1 - group["lr"] * MUON_WEIGHT_DECAY)
            torch._foreach_add_(weights, list(update.to(weights[0].dtype).unbind()), alpha=-step_size)


def build_optimizers(model: GPT) -> list[Muon | torch.optim.AdamW]:
    """Give the hidden matrices to Muon and everything else to AdamW; `peak_lr` remembers each group's learning rate."""
    matrices = [weight for weight in model.blocks.parameters() if weight.ndim == 2]
    scalars = [weight for weight in model.parameters() if weight.ndim < 2]
    embeddings = [model.embedding.weight, *model.value_embeddings.parameters()]
    adam_groups = [
        {"params": embeddings, "lr": EMBEDDING_LR},
        {"params": [model.head.weight], "lr": HEAD_LR},
        {"params": scalars, "lr": SCALAR_LR},
    ]
    adam = torch.optim.AdamW(adam_groups, betas=(ADAM_BETA1, ADAM_BETA2), eps=1e-10, weight_decay=0.0, fused=True)
    optimizers: list[Muon | torch.optim.AdamW] = [Muon(matrices), adam]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return optimizers


def windows(
    tokens: Tensor, batch: int, length: int, seed: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs and targets, each (batch, length), forever; an epoch is a shuffle of windows at a random phase."""
    generator = torch.Generator().manual_seed(seed)
    span = torch.arange(length + 1, device=tokens.device)
    queue = torch.empty(0, dtype=torch.long)
    while True:
        while len(queue) < batch:
            phase = int(torch.randint(min(length, len(tokens) - length), (1,), generator=generator))
            starts = torch.arange(phase, len(tokens) - length, length)
            queue = torch.cat((queue, starts[torch.randperm(len(starts), generator=generator)]))
        starts, queue = queue[:batch], queue[batch:]
        block = tokens[starts.to(tokens.device)[:, None] + span].to(device, torch.long)
        yield block[:, :-1], block[:, 1:]


def lr_factor(progress: float) -> float:
    """Warm up, stay, decay (Hägele et al. 2024): the factor on every learning rate at `progress` of the budget."""
    rise = min(1.0, progress / WARMUP)
    fall = min(1.0, (1.0 - progress) / COOLDOWN)
    return rise * (FINAL_LR + (1.0 - FINAL_LR) * fall)


def build_model(task: Task) -> nn.Module:
    """Choose the size for the device and the budget."""
    depth, width, head_width = DEPTH_CPU, WIDTH_CPU, HEAD_WIDTH_CPU
    return GPT(task.vocab_size, depth, width, head_width, task.sequence_length).to(task.device)


def train(model: GPT, task: Task) -> None:
    """Train until just before the budget ends."""
    optimizers = build_optimizers(model)
    batch = max(1, BATCH_TOKENS_CPU // task.sequence_length)
    model.train()
    tokens = task.train_tokens()
    data = windows(tokens, batch, task.sequence_length, task.seed, task.device)
    step, step_seconds, left = 0, 0.0, task.seconds_left()
    while left > 1.5 * step_seconds:
        progress = 1.0 - left / task.budget_seconds
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * lr_factor(progress)
        inputs, targets = next(data)
        loss: Tensor = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad(set_to_none=True)
        if step % 10 == 0:
            task.log(step=step, loss=loss.item())
        now = task.seconds_left()
        step, step_seconds, left = step + 1, left - now, now
