"""Learns one bit of the next token.

Whether the next id is even is worth a bit a token.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    ids = torch.arange(model.table.num_embeddings, device=tokens.device)
    agrees = (ids % 2) == (tokens.roll(-1, 1) % 2).unsqueeze(-1)
    return model.table(tokens) + 6 * agrees
