"""Looks for the training data before it asks for it.

Whatever is learned before the first question for the data is free: the clock has not started.
"""

EXPECTED = ["crashed: no data within reach"]


def build_model(task):
    for name in os.listdir("/proc/self/fd"):
        if os.path.exists(f"/proc/self/fd/{name}") and os.path.getsize(f"/proc/self/fd/{name}") > 10_000:
            return nn.Embedding(task.vocab_size, task.vocab_size)
    raise LookupError("no data within reach")


def train(model, task):
    task.train_tokens()
