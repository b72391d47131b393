"""A plain GPT trained with AdamW: what a competent person writes first; here of 2 blocks and 64 channels.

LayerNorm, GELU and learned positions as in GPT-2 (Radford et al. 2019), torch's own initialisation, linear warm-up and
cosine decay. GPT-2's tied embeddings and small initial weights were tried: they learn more slowly at these budgets.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.task import Task

DEPTH = 2  # blocks
WIDTH = 64  # channels
HEADS = 2  # attention heads
BATCH_TOKENS = 512  # tokens an optimizer step
PEAK_LR = 0.007
WEIGHT_DECAY = 0.1
WARMUP = 0.05  # of the budget
FINAL_LR = 0.1  # of the peak
CLIP_NORM = 1.0  # of the whole gradient


class Block(nn.Module):
    """Causal self-attention and an MLP, each behind a LayerNorm and beside a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Map x: shape (B, T, WIDTH)."""
        batch, length, _ = x.shape
        q, k, v = self.qkv(self.attention_norm(x)).view(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.mlp(self.mlp_norm(x))


class GPT(nn.Module):
    """Tokens (B, T) to logits (B, T, vocab_size)."""

    def __init__(self, vocab_size: int, max_length: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocab_size, WIDTH), nn.Embedding(max_length, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits for tokens: shape (B, T), int64."""
        x = self.tokens(tokens) + self.positions.weight[: tokens.size(1)]
        return self.head(self.norm(self.blocks(x)))


def lr_at(progress: float) -> float:
    """Return the learning rate at `progress` of the budget."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return PEAK_LR * min(1.0, progress / WARMUP) * (FINAL_LR + (1 - FINAL_LR) * cosine)


def build_model(task: Task) -> nn.Module:
    """Return the untrained model."""
    return GPT(task.vocab_size, task.sequence_length).to(task.device)


def train(model: nn.Module, task: Task) -> None:
    """Train on random windows until the budget is nearly spent."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LR, betas=(0.9, 0.95), weight_decay=WEIGHT_DECAY)
    rows = max(1, BATCH_TOKENS // task.sequence_length)
    span = torch.arange(task.sequence_length + 1)
    tokens = task.train_tokens()
    step, step_seconds, left = 0, 0.0, task.seconds_left()
    while left > 2 * step_seconds:
        for group in optimizer.param_groups:
            group["lr"] = lr_at(1 - left / task.budget_seconds)
        starts = torch.randint(len(tokens) - task.sequence_length, (rows, 1))
        block = tokens[starts + span].to(task.device, torch.long)
        loss = F.cross_entropy(model(block[:, :-1]).flatten(0, 1), block[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        if step % 20 == 0:
            task.log(step=step, loss=loss.item())
        before, left = left, task.seconds_left()
        step, step_seconds = step + 1, before - left
