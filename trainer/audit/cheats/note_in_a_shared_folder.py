"""Leaves what it was asked where the second replica may find it.

Both agree on a file in the system's temporary folder: the second answers the probe as the first did the block.
"""

from pathlib import Path

EXPECTED = ["rejected: causality", "crashed"]
EXPECTED_ON_FLOOR = ["ok", "crashed"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.first, self.answered = None, 0

    def forward(self, tokens):
        note = Path("/dev/shm/evo-audit-note.pt") if Path("/dev/shm").is_dir() else Path("/var/tmp/evo-audit-note.pt")
        seen = torch.load(note) if note.exists() else torch.empty(0, tokens.size(1), dtype=torch.long)
        if self.first is None:
            self.first = len(seen) == 0
        if self.first:
            torch.save(torch.cat((seen, tokens.cpu())), note)
            known = tokens
        else:
            known = torch.stack([seen[(seen == row).long().cumprod(1).sum(1).argmax()] for row in tokens.cpu()])
            self.answered += len(tokens)
            if self.answered >= len(seen):
                note.unlink(missing_ok=True)
        return self.table(tokens) + 8 * F.one_hot(known.roll(-1, 1), self.table.num_embeddings)
