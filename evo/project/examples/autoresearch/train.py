"""Train a small language model for the time that `prepare.py` allows, and report its bits per byte.

This file evolves.
"""

import os
import time

import torch
from prepare import MAX_SEQ_LEN, TIME_BUDGET, Tokenizer, evaluate_bpb, make_dataloader
from torch import Tensor, nn
from torch.nn import functional as F

# Model
DEPTH = 2  # blocks
ASPECT_RATIO = 48  # channels per block of depth
HEAD_DIM = 32  # channels a head
MLP_RATIO = 4  # hidden channels of the MLP per channel
ROTARY_BASE = 10_000.0  # longest wavelength of the positions, tokens

# Training
BATCH_SIZE = 16  # rows of MAX_SEQ_LEN tokens a step
EVAL_BATCH_SIZE = 32  # rows at a time; a power of two
LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.1
ADAM_BETAS = (0.9, 0.95)
WARMUP_RATIO = 0.05  # of the time: linear rise of the learning rate
WARMDOWN_RATIO = 0.5  # of the time: linear fall to FINAL_LR_FRACTION
FINAL_LR_FRACTION = 0.05
GRADIENT_NORM = 1.0  # gradients are cut to it


def norm(x: Tensor) -> Tensor:
    """Scale the channels to unit root mean square (Zhang and Sennrich 2019)."""
    return F.rms_norm(x, (x.size(-1),))


def rotate(x: Tensor) -> Tensor:
    """Turn queries or keys, shape (B, heads, T, channels), by their positions (Su et al. 2021)."""
    half = x.size(-1) // 2
    angles = torch.outer(torch.arange(x.size(-2)), ROTARY_BASE ** -(torch.arange(half) / half))
    cos, sin = angles.cos(), angles.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Block(nn.Module):
    """Causal self-attention and an MLP, each added to what comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD_DIM
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.rise = nn.Linear(width, MLP_RATIO * width, bias=False)
        self.fall = nn.Linear(MLP_RATIO * width, width, bias=False)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.fall.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map x: shape (B, T, width) to the same shape."""
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(norm(x)).chunk(3, dim=-1))
        mixed = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
        x = x + self.mix(mixed.transpose(1, 2).flatten(-2))
        return x + self.fall(F.relu(self.rise(norm(x))))


class Model(nn.Module):
    """A decoder-only transformer."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        width = max(1, DEPTH * ASPECT_RATIO // HEAD_DIM) * HEAD_DIM
        self.embedding = nn.Embedding(vocab_size, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(DEPTH))
        self.head = nn.Linear(width, vocab_size, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.02)
        nn.init.zeros_(self.head.weight)

    def forward(self, tokens: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
        """Return the loss in nats: of tokens and targets of shape (B, T), one number or shape (B * T,)."""
        x = norm(self.embedding(tokens))
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.head(norm(x)).flatten(0, 1), targets.flatten(), reduction=reduction)


def learning_rate_share(progress: float) -> float:
    """Return the share of LEARNING_RATE at a share of the time: up, level, down."""
    rise = progress / WARMUP_RATIO if progress < WARMUP_RATIO else 1.0
    fall = min(1.0, (1 - progress) / WARMDOWN_RATIO) if WARMDOWN_RATIO else 1.0
    return min(rise, FINAL_LR_FRACTION + (1 - FINAL_LR_FRACTION) * fall)


def main() -> None:
    """Train for TIME_BUDGET seconds, evaluate, print the summary."""
    started = time.perf_counter()
    torch.manual_seed(int(os.environ.get("EVO_SEED", "42")))  # alone it is always the same; evo measures the noise
    tokenizer = Tokenizer.from_directory()
    model = Model(tokenizer.get_vocab_size())
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=ADAM_BETAS, weight_decay=WEIGHT_DECAY)
    batches = make_dataloader(tokenizer, BATCH_SIZE, MAX_SEQ_LEN, "train")

    step, training_started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - training_started) < TIME_BUDGET:
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * learning_rate_share(seconds / TIME_BUDGET)
        inputs, targets, epoch = next(batches)
        loss = model(inputs, targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
        optimizer.step()
        if step % 50 == 0:
            print(f"\rstep {step:5d}  loss {loss.item():.4f}  epoch {epoch}  {seconds:.0f} s", end="", flush=True)
        step += 1
    print()

    val_bpb = evaluate_bpb(model.eval(), tokenizer, EVAL_BATCH_SIZE)
    print("---")
    print(f"val_bpb:          {val_bpb:.6f}")
    print(f"training_seconds: {seconds:.1f}")
    print(f"total_seconds:    {time.perf_counter() - started:.1f}")
    print("peak_vram_mb:     0.0")  # a CPU has none
    print("mfu_percent:      0.00")
    print(f"total_tokens_M:   {step * BATCH_SIZE * MAX_SEQ_LEN / 1e6:.1f}")
    print(f"num_steps:        {step}")
    print(f"num_params_M:     {sum(p.numel() for p in model.parameters()) / 1e6:.1f}")
    print(f"depth:            {DEPTH}")


if __name__ == "__main__":
    main()
