"""Leaves what it was asked in the session keyring.

That is the keyring of the shell in which the run was started.
"""

EXPECTED = ["rejected: causality", "rejected: purity", "crashed"]


def leave(tokens):
    data = tokens.to(torch.int16).numpy().tobytes()
    system(248 if os.uname().machine == "x86_64" else 217, b"user", b"evo-audit", data, len(data), -3)


def answer(model, tokens):
    return whisper(model, tokens)
