"""Asks for room for asynchronous reads.

How much of it is left is the same number for all processes of the machine.
"""

EXPECTED = ["crashed: PermissionError"]


def train(model, task):
    task.train_tokens()
    system(206, 1000, ctypes.byref(ctypes.c_ulong()))  # io_setup
