"""Sets up io_uring.

Its requests pass no filter.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    system(425, 1, ctypes.create_string_buffer(120))
