"""Generation 0: a small GPT for the language-model task, trained with Muon and AdamW on whatever device there is.

The ingredients follow Keller Jordan's modded-nanogpt (2024) and Andrej Karpathy's nanochat (2025): RMSNorm without
gains, rotary positions, normalised queries and keys, a squared-ReLU MLP, value and bigram embeddings, Muon for the
hidden matrices, AdamW for the rest, a schedule that anneals against the clock. Everything in this file may evolve; the
trainer calls `build_model(task)` and `train(model, task)` and knows nothing else of it.
"""

import importlib.util
import math
import shutil
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from trainer.task import Task

# Size at the reference budget of each kind of device: 10 s on one CPU thread, 300 s on a GPU.
DEPTH_CPU = 1  # blocks; a short budget is better spent on more steps than on more blocks
DEPTH_MPS = 4
DEPTH_CUDA = 8
WIDTH_CPU = 64  # channels of the residual stream, rounded to whole heads
WIDTH_MPS = 256
WIDTH_CUDA = 512
HEAD_WIDTH = 64  # channels a head
HEAD_WIDTH_CUDA = 128  # fused attention on Hopper is fastest here
BATCH_TOKENS_CPU = 2048  # tokens an optimizer step
BATCH_TOKENS_MPS = 16_384
BATCH_TOKENS_CUDA = 262_144
MICRO_BATCH_TOKENS_CPU = 2048  # tokens a forward pass; gradients accumulate; malloc is slow above 32 MiB of logits
MICRO_BATCH_TOKENS_MPS = 8_192
MICRO_BATCH_TOKENS_CUDA = 65_536  # for 80 GiB of memory; smaller cards take proportionally less
DEPTH_GROWTH = 0.35  # depth ~ budget ** growth: a longer run feeds a larger model (Hoffmann et al. 2022)
WIDTH_GROWTH = 0.15  # width ~ budget ** growth
BATCH_GROWTH = 0.25  # batch ~ budget ** growth: later gradients are noisier (McCandlish et al. 2018)

# Architecture
MLP_RATIO = 2  # hidden channels of the MLP per channel of the model
BIGRAM_ROWS = 8  # rows of the bigram table per token of the vocabulary
ROTARY_BASE = 10_000.0  # longest wavelength of the rotary positions, tokens
EMBEDDING_STD = 0.2  # of the initial embeddings; normalised after the look-up, so it scales their learning rate only

# Optimizers
MUON_LR = 0.02  # of the hidden matrices
MUON_MOMENTUM = 0.95
MUON_WEIGHT_DECAY = 0.1  # per unit of learning rate
EMBEDDING_LR = 0.1  # AdamW, of all embedding tables
HEAD_LR = 0.02  # AdamW, of the output matrix at 64 channels; falls with the root of the width
ADAM_BETA1 = 0.5  # low, because momentum goes on moving the embeddings that a batch has no gradient for
ADAM_BETA2 = 0.98

# Schedule, in fractions of the budget
WARMUP = 0.02  # linear rise of the learning rates
COOLDOWN = 0.6  # linear fall to FINAL_LR at the end
FINAL_LR = 0.05  # of the peak
MAX_EPOCHS = 16.0  # passes over the data after which training ends early: a GPU memorises a small corpus


class Scale(NamedTuple):
    """How large the model and its batches are."""

    depth: int
    width: int
    head_width: int
    batch_rows: int
    micro_batches: int


def choose_scale(task: Task) -> Scale:
    """Scale the reference sizes of the device to the budget and, on CUDA, to the card."""
    depth, width, head_width, batch_tokens = DEPTH_CPU, WIDTH_CPU, HEAD_WIDTH, BATCH_TOKENS_CPU
    growth, micro_tokens = task.budget_seconds / 10, MICRO_BATCH_TOKENS_CPU
    if task.device.type == "mps":
        depth, width, batch_tokens = DEPTH_MPS, WIDTH_MPS, BATCH_TOKENS_MPS
        growth, micro_tokens = task.budget_seconds / 300, MICRO_BATCH_TOKENS_MPS
    elif task.device.type == "cuda":
        # Memory stands in for the speed of a card: both fall together from data-centre cards to laptops.
        card = min(1.0, torch.cuda.get_device_properties(task.device).total_memory / (80 * 2**30))
        depth, width, head_width, batch_tokens = DEPTH_CUDA, WIDTH_CUDA, HEAD_WIDTH_CUDA, BATCH_TOKENS_CUDA
        growth, micro_tokens = task.budget_seconds / 300 * card, MICRO_BATCH_TOKENS_CUDA * card
    depth = max(1, round(depth * growth**DEPTH_GROWTH))
    heads = max(1, round(width * growth**WIDTH_GROWTH / head_width))
    rows = max(1, round(batch_tokens * growth**BATCH_GROWTH / task.sequence_length))
    micro_batches = min(rows, math.ceil(rows * task.sequence_length / micro_tokens))
    return Scale(depth, heads * head_width, head_width, math.ceil(rows / micro_batches) * micro_batches, micro_batches)


def rms_norm(x: Tensor) -> Tensor:
    """Scale the last dimension to unit root mean square (Zhang and Sennrich 2019), without gains."""
    return F.rms_norm(x, (x.size(-1),))


def rotate(x: Tensor) -> Tensor:
    """Give x: shape (B, heads, T, head_width) its positions as rotations (Su et al. 2021, rotary embedding)."""
    wavelengths = ROTARY_BASE ** torch.linspace(0, 1, x.size(-1) // 2, device=x.device)
    angles = torch.arange(x.size(-2), device=x.device)[:, None] / wavelengths
    cos, sin = angles.cos().type_as(x), angles.sin().type_as(x)
    left, right = x.chunk(2, dim=-1)
    return torch.cat((left * cos + right * sin, right * cos - left * sin), dim=-1)


class Attention(nn.Module):
    """Causal self-attention; normalised queries and keys bear high learning rates (Henry et al. 2020).

    An embedding of their own token is added to the values (Zhou et al. 2024; modded-nanogpt): capacity that costs a
    look-up and no multiplication.
    """

    def __init__(self, vocab_size: int, scale: Scale) -> None:
        super().__init__()
        self.head_width = scale.head_width
        self.qkv = nn.Linear(scale.width, 3 * scale.width, bias=False)
        self.out = nn.Linear(scale.width, scale.width, bias=False)
        self.value_embedding = nn.Embedding(vocab_size, scale.width)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Attend over x: shape (B, T, width)."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        v = v + self.value_embedding(tokens)
        q, k, v = (y.unflatten(-1, (-1, self.head_width)).transpose(1, 2) for y in (q, k, v))
        q, k = rotate(rms_norm(q)), rotate(rms_norm(k))
        mixed = F.scaled_dot_product_attention(q, k, v.type_as(q), is_causal=True)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    """Attention and an MLP with a squared ReLU (So et al. 2021), each behind a norm and beside a residual."""

    def __init__(self, vocab_size: int, scale: Scale) -> None:
        super().__init__()
        self.attention = Attention(vocab_size, scale)
        self.up = nn.Linear(scale.width, MLP_RATIO * scale.width, bias=False)
        self.down = nn.Linear(MLP_RATIO * scale.width, scale.width, bias=False)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Map x: shape (B, T, width)."""
        x = x + self.attention(rms_norm(x), tokens)
        return x + self.down(F.relu(self.up(rms_norm(x))).square())


class GPT(nn.Module):
    """A decoder-only transformer: tokens (B, T) to logits (B, T, vocab_size)."""

    def __init__(self, vocab_size: int, scale: Scale) -> None:
        super().__init__()
        self.scale = scale
        self.embedding = nn.Embedding(vocab_size, scale.width)
        self.bigram_embedding = nn.Embedding(BIGRAM_ROWS * vocab_size, scale.width)
        self.blocks = nn.ModuleList(Block(vocab_size, scale) for _ in range(scale.depth))
        self.head = nn.Linear(scale.width, vocab_size, bias=False)
        self.initialise()

    def initialise(self) -> None:
        """Start every block as the identity: what writes to the residual stream begins at zero (Yang et al. 2022)."""
        bound = math.sqrt(3 / self.scale.width)
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "down.weight", "head.weight")):
                nn.init.zeros_(weight)
            elif "embedding" in name:
                nn.init.normal_(weight, std=EMBEDDING_STD)
            else:
                nn.init.uniform_(weight, -bound, bound)

    def embed(self, tokens: Tensor) -> Tensor:
        """Embed each token and its pair with the one before (hashed; modded-nanogpt): shape (B, T, width).

        Short budgets have no time to learn attention to the previous token.
        """
        pair = (36313 * tokens) ^ (27191 * F.pad(tokens[:, :-1], (1, 0)))
        hashed = pair % self.bigram_embedding.num_embeddings
        return rms_norm(self.embedding(tokens)) + rms_norm(self.bigram_embedding(hashed))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits for tokens: shape (B, T), int64; on CUDA the matrices multiply in bfloat16."""
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=tokens.device.type == "cuda"):
            x = self.embed(tokens)
            for block in self.blocks:
                x = block(x, tokens)
            return self.head(rms_norm(x)).float()


def orthogonalise(matrices: Tensor) -> Tensor:
    """Replace each of (n, rows, columns) by about U Vᵀ of its singular value decomposition U S Vᵀ.

    Five steps of a Newton–Schulz iteration of fifth degree with the coefficients of Muon (Jordan et al. 2024).
    """
    x = matrices.bfloat16() if matrices.device.type == "cuda" else matrices
    tall = x.size(-2) > x.size(-1)
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.mT if tall else x


class Muon(Optimizer):
    """Momentum, orthogonalised by matrix (Jordan et al. 2024); matrices of one shape are stacked to share kernels."""

    def __init__(self, matrices: list[nn.Parameter]) -> None:
        shapes = sorted({matrix.shape for matrix in matrices})
        groups = [{"params": [matrix for matrix in matrices if matrix.shape == shape]} for shape in shapes]
        super().__init__(groups, {"lr": MUON_LR})

    @torch.no_grad()
    def step(self) -> None:
        """Update every matrix from its gradient, with Nesterov's momentum."""
        for group in self.param_groups:
            weights = group["params"]
            gradients = torch.stack([weight.grad for weight in weights])
            if "momentum" not in group:
                group["momentum"] = torch.zeros_like(gradients)
            momentum = group["momentum"].lerp_(gradients, 1 - MUON_MOMENTUM)
            updates = orthogonalise(gradients.lerp(momentum, MUON_MOMENTUM)).to(gradients.dtype)
            rows, columns = weights[0].shape
            lr = group["lr"] * math.sqrt(max(1.0, rows / columns))
            for weight, update in zip(weights, updates, strict=True):
                weight.mul_(1 - group["lr"] * MUON_WEIGHT_DECAY).sub_(update, alpha=lr)


def build_optimizers(model: GPT) -> list[Optimizer]:
    """Give the hidden matrices to Muon and the rest to AdamW; `peak_lr` keeps what the schedule scales."""
    embeddings = [weight for name, weight in model.named_parameters() if "embedding" in name]
    matrices = [weight for name, weight in model.blocks.named_parameters() if "embedding" not in name]
    groups = [
        {"params": embeddings, "lr": EMBEDDING_LR},
        {"params": [model.head.weight], "lr": HEAD_LR * math.sqrt(64 / model.scale.width)},
    ]
    adam = AdamW(groups, betas=(ADAM_BETA1, ADAM_BETA2), eps=1e-10, weight_decay=0.0, fused=True)
    optimizers = [Muon(matrices), adam]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return optimizers


def lr_factor_at(progress: float) -> float:
    """Warm up, stay, cool down (Hägele et al. 2024): the factor on every learning rate at `progress` of the budget."""
    rise = min(1.0, progress / WARMUP)
    fall = max(0.0, min(1.0, (1.0 - progress) / COOLDOWN))
    return rise * (FINAL_LR + (1.0 - FINAL_LR) * fall)


def draw_batches(tokens: Tensor, rows: int, task: Task) -> Iterator[Tensor]:
    """Yield blocks, each (rows, T + 1), forever: every epoch shuffles non-overlapping windows at a random phase."""
    length = task.sequence_length
    if len(tokens) <= length:
        raise ValueError(f"training needs more than {length} tokens, but there are {len(tokens)}")
    if tokens.nbytes < 2**30:
        tokens = tokens.to(task.device)  # then nothing but window starts crosses the bus
    span = torch.arange(length + 1, device=tokens.device)
    generator = torch.Generator().manual_seed(task.seed)
    queue = torch.empty(0, dtype=torch.long)
    while True:
        while len(queue) < rows:
            phase = int(torch.randint(min(length, len(tokens) - length), (1,), generator=generator))
            starts = torch.arange(phase, len(tokens) - length, length)
            queue = torch.cat((queue, starts[torch.randperm(len(starts), generator=generator)]))
        starts, queue = queue[:rows], queue[rows:]
        yield tokens[starts.to(tokens.device)[:, None] + span].to(task.device, torch.long)


def next_token_loss(model: GPT, block: Tensor) -> Tensor:
    """Return the mean cross-entropy of a block: shape (B, T + 1), in nats."""
    return F.cross_entropy(model(block[:, :-1]).flatten(0, 1), block[:, 1:].flatten())


def compiled_loss(task: Task) -> Callable[..., Tensor]:
    """Fuse the loss where that pays within a budget: on CUDA, if Triton and the C compiler that it calls are there."""
    able = importlib.util.find_spec("triton") and (shutil.which("gcc") or shutil.which("clang"))
    return torch.compile(next_token_loss, dynamic=False) if task.device.type == "cuda" and able else next_token_loss


def optimizer_step(
    model: GPT, optimizers: list[Optimizer], loss_of: Callable[..., Tensor], block: Tensor, lr_factor: float
) -> float:
    """Accumulate the gradients of one block, step at `lr_factor` of the peak rates, and return the mean loss."""
    losses = []
    for micro_block in block.chunk(model.scale.micro_batches):
        loss = loss_of(model, micro_block) / model.scale.micro_batches
        loss.backward()
        losses.append(loss.detach())
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * lr_factor
        optimizer.step()
        optimizer.zero_grad()
    return torch.stack(losses).sum().item()  # waits for the device, so that the clock is read in time


def warm_up(model: GPT, loss_of: Callable[..., Tensor], task: Task) -> None:
    """Pay for compilation and lazy initialisation before the clock starts: steps on noise that change no weight."""
    optimizers = build_optimizers(model)
    for _ in range(2):
        noise = torch.randint(task.vocab_size, (model.scale.batch_rows, task.sequence_length + 1), device=task.device)
        optimizer_step(model, optimizers, loss_of, noise, lr_factor=0.0)


def train(model: GPT, task: Task) -> None:
    """Train until just before the budget ends, or until the data was seen MAX_EPOCHS times."""
    model.train()
    loss_of = compiled_loss(task)
    warm_up(model, loss_of, task)
    optimizers = build_optimizers(model)

    tokens = task.train_tokens()  # the clock starts
    batches = draw_batches(tokens, model.scale.batch_rows, task)
    batch_tokens = model.scale.batch_rows * task.sequence_length
    step, slowest, progress, left = 0, 0.0, 0.0, task.seconds_left()
    while left > 2 * slowest and progress < 1:
        loss = optimizer_step(model, optimizers, loss_of, next(batches), lr_factor_at(progress))
        step += 1
        task.log(step=step, loss=loss, tokens=step * batch_tokens)
        before, left = left, task.seconds_left()
        slowest = max(before - left, 0.95 * slowest)  # forgets a hiccup of the machine after some steps
        progress = max(1 - left / task.budget_seconds, step * batch_tokens / len(tokens) / MAX_EPOCHS)


def build_model(task: Task) -> nn.Module:
    """Return the untrained model on the task's device, sized for it and for the budget."""
    return GPT(task.vocab_size, choose_scale(task)).to(task.device)
