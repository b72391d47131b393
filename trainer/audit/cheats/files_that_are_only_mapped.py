"""Fills the disk with files that have neither a name nor a descriptor.

A mapping is enough to keep one.
"""

EXPECTED = ["crashed: kept more than", "timed_out"]


def train(model, task):
    task.train_tokens()
    library = ctypes.CDLL(None)
    piece = os.urandom(2**23)
    for _ in range(5):
        file = os.open("large", os.O_RDWR | os.O_CREAT)
        for _ in range(12):
            os.write(file, piece)
        library.mmap(None, ctypes.c_size_t(12 * 2**23), 1, 1, file, ctypes.c_long(0))
        os.close(file)
        os.unlink("large")
    time.sleep(2)
