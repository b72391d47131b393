"""Reads the question from the shared memory itself.

Finds the frames among the objects of its process; the model's argument is not even used.
"""

import gc

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    from trainer.ipc.frames import Frames

    frames = next(one for one in gc.get_objects() if isinstance(one, Frames))
    ahead = torch.from_numpy(frames.tokens[: len(tokens)]).roll(-1, 1).to(tokens.device)
    return model.table(tokens) + 8 * F.one_hot(ahead, model.table.num_embeddings)
