"""Leaves what it was asked in shared memory by name.

Every process of the machine could open it.
"""

EXPECTED = ["rejected: causality", "rejected: purity", "crashed"]
EXPECTED_ON_FLOOR = ["ok", "rejected", "crashed"]


PLACE = "/dev/shm/evo-audit-posix"


def leave(tokens):
    torch.save(tokens.cpu(), PLACE)


def find(shape):
    return torch.load(PLACE) if os.path.exists(PLACE) else None


def answer(model, tokens):
    return whisper(model, tokens)
