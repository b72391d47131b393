"""Keeps memory in mappings that it does not look at.

Pages that were written through a descriptor are in no process before they are read.
"""

EXPECTED = ["out_of_memory", "timed_out"]


def train(model, task):
    task.train_tokens()
    library = ctypes.CDLL(None)
    piece = bytes(2**27)
    for _ in range(10):
        file = os.memfd_create("")
        os.write(file, piece)
        library.mmap(None, ctypes.c_size_t(2**27), 1, 1, file, ctypes.c_long(0))
        os.close(file)
    time.sleep(2)
