"""Each token chooses two experts of four.

No expert is ever full, so no token depends on the choice of another.
"""


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.router = nn.Linear(32, 4)
        self.experts = nn.ModuleList(nn.Linear(32, 32) for _ in range(4))

    def inside(self, x):
        weights, chosen = self.router(x).softmax(-1).topk(2, dim=-1)
        mixed = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows, positions, rank = torch.where(chosen == number)
            answer = expert(x[rows, positions]) * weights[rows, positions, rank].unsqueeze(-1)
            mixed = mixed.index_put((rows, positions), answer, accumulate=True)
        return x + F.relu(mixed)
