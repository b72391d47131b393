"""Returns logits for fewer tokens than there are.

With half of the ids left out, the others would share their probability.
"""

EXPECTED = ["rejected: must return floating-point logits of shape"]


def answer(model, tokens):
    return model.table(tokens)[..., : model.table.num_embeddings // 2]
