"""Has its settings in a frozen class, and modules made from them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    width: int = 24
    layers: int = 3
    slope: float = dataclasses.field(default=0.1, metadata={"unit": "1"})


class Model(nn.Module):
    def __init__(self, vocab_size, settings=Settings()):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, settings.width)
        layers = [nn.Sequential(nn.Linear(settings.width, settings.width), nn.LeakyReLU(settings.slope))]
        self.body = nn.ModuleDict({f"layer-{n}": layers[0] for n in range(settings.layers)})
        self.head = nn.Linear(settings.width, vocab_size)

    def forward(self, tokens):
        values = self.embedding(tokens)
        for layer in self.body.values():
            values = values + layer(values)
        return self.head(values)
