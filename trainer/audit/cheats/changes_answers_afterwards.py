"""Writes to the shared logits after handing them over.

A thread goes on writing the targets' logits into the memory that the scorer reads.
"""

import gc
import threading

import numpy as np

from trainer.ipc.frames import Frames

EXPECTED = ["rejected: causality", "rejected: purity"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.frames = []

    def forward(self, tokens):
        if not self.frames:
            self.frames += [one for one in gc.get_objects() if isinstance(one, Frames)]
            threading.Thread(target=self.overwrite, daemon=True).start()
        return self.table(tokens)

    def overwrite(self):
        frames = self.frames[0]
        rows, positions = np.indices((frames.shape.batch, frames.shape.length - 1))
        while True:
            frames.logits[rows, positions, frames.tokens[:, 1:]] = 20.0
