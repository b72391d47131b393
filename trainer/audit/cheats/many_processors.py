"""Computes with more threads than it was given.

On the CPU clock each of them is charged.
"""

EXPECTED = ["timed_out: trained on beyond"]


def train(model, task):
    task.train_tokens()
    torch.set_num_threads(16)
    matrix = torch.randn(1024, 1024)
    while task.seconds_left() > -5:
        matrix = (matrix @ matrix).tanh()
