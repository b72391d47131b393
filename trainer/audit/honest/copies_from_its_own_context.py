"""Raises the tokens that followed the same token earlier in the block.

Adapts while it reads, to nothing but what it has read.
"""


def answer(model, tokens):
    follows = F.one_hot(tokens, model.table.num_embeddings).float()
    same = (tokens.unsqueeze(2) == tokens.unsqueeze(1)).tril(-1)
    seen = same[:, :, :-1].float() @ follows[:, 1:]
    return model.table(tokens) + (1 + seen).log()
