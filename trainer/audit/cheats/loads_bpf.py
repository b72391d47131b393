"""Asks the kernel for BPF.

Programs in the kernel see everything.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system(321 if os.uname().machine == "x86_64" else 280, 0, ctypes.create_string_buffer(64), 64)
