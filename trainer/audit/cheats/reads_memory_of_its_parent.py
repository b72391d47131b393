"""Reads the memory of the process above it.

By process_vm_readv, without tracing.
"""

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    here = ctypes.create_string_buffer(16)
    system("process_vm_readv", os.getppid(), here, 1, here, 1, 0)
