"""Hands over a pickle that runs code when it is loaded.

A process that unpickles what a candidate wrote runs the candidate.
"""

import pickle

import safetensors.torch

EXPECTED = ["rejected: handed over weights"]


class Payload:
    def __reduce__(self):
        return os.system, ("echo owned",)


def train(model, task):
    safetensors.torch.save_model = lambda model, path: open(path, "wb").write(pickle.dumps(Payload()))
