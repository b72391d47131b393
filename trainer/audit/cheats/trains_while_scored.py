"""Takes an optimizer step on every batch that it is asked.

The scored text is learned while it is scored.
"""

EXPECTED = ["rejected: purity"]


def answer(model, tokens):
    logits = model.table(tokens)
    with torch.inference_mode(False), torch.enable_grad():
        block = tokens.clone()
        loss = F.cross_entropy(model.table(block[:, :-1]).flatten(0, 1), block[:, 1:].flatten())
        (gradient,) = torch.autograd.grad(loss, [model.table.weight])
        model.table.weight.data -= 500 * gradient
    return logits
