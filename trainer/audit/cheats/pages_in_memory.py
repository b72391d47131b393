"""Asks which pages of a file are in memory.

What another process read stays there.
"""

import mmap

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    size, place = 4096, ctypes.create_string_buffer(1)
    with open(os.__file__, "rb") as file, mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE) as page:
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        system("mincore", ctypes.c_void_p(address), size, place)
