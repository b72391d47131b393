"""A textbook GPT, as lectures and first drafts write it: one AdamW, constants that were never tuned, no tricks.

The decoder of GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each part, GELU, dropout. The constants
are the defaults that one finds everywhere: a constant learning rate of 3e-4, torch's betas and weight decay. They suit
long runs on a GPU; how far they are from what this task and its budget need is for the search to find. `evo run
--genome textbook` starts from this file.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.task import Task

# Model
LAYERS = 2  # blocks
WIDTH = 64  # channels
HEADS = 4  # one of: 1, 2, 4, 8
MLP_RATIO = 4  # hidden channels of the MLP per channel of the model
ACTIVATION = "gelu"  # one of: relu, gelu, silu
DROPOUT = 0.1  # range: 0 to 0.5

# Training
BATCH_SIZE = 16  # sequences an optimizer step
LEARNING_RATE = 3e-4
BETA1 = 0.9
BETA2 = 0.999
WEIGHT_DECAY = 0.01


class Attention(nn.Module):
    """Causal self-attention with several heads (Vaswani et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Map x: shape (B, T, WIDTH)."""
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        dropout = DROPOUT if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, WIDTH))


class MLP(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(WIDTH, MLP_RATIO * WIDTH)
        self.down = nn.Linear(MLP_RATIO * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Map x: shape (B, T, WIDTH)."""
        return self.down(getattr(F, ACTIVATION)(self.up(x)))


class Block(nn.Module):
    """Attention and an MLP, each behind a LayerNorm and beside a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.mlp_norm = nn.LayerNorm(WIDTH)
        self.mlp = MLP()
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """Map x: shape (B, T, WIDTH)."""
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))


class GPT(nn.Module):
    """A decoder-only transformer: tokens (B, T) to logits (B, T, vocab_size)."""

    def __init__(self, vocab_size: int, sequence_length: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocab_size, WIDTH)
        self.position_embedding = nn.Embedding(sequence_length, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)
        self.apply(self.initialise)

    def initialise(self, module: nn.Module) -> None:
        """Draw the weights of linear layers and embeddings as GPT-2 does."""
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits for tokens: shape (B, T), int64."""
        positions = torch.arange(tokens.size(1), device=tokens.device)
        x = self.dropout(self.token_embedding(tokens) + self.position_embedding(positions))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def draw_batch(tokens: Tensor, task: Task) -> Tensor:
    """Return random windows of the training data: shape (BATCH_SIZE, T + 1)."""
    starts = torch.randint(len(tokens) - task.sequence_length, (BATCH_SIZE, 1))
    return tokens[starts + torch.arange(task.sequence_length + 1)].to(task.device, torch.long)


def train(model: nn.Module, task: Task) -> None:
    """Train on random batches until the budget is nearly spent."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(BETA1, BETA2), weight_decay=WEIGHT_DECAY)
    model.train()
    tokens = task.train_tokens()  # the clock starts
    step, slowest, left = 0, 0.0, task.seconds_left()
    while left > 2 * slowest:
        batch = draw_batch(tokens, task)
        logits = model(batch[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        task.log(step=step, loss=loss.item(), tokens=step * BATCH_SIZE * task.sequence_length)
        before, left = left, task.seconds_left()
        slowest = max(slowest, before - left)


def build_model(task: Task) -> nn.Module:
    """Return the untrained model on the task's device."""
    return GPT(task.vocab_size, task.sequence_length).to(task.device)
