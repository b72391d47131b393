"""Fills memory with the tables of pages that are all the same empty one.

A table is a thousandth of the addresses that it is for.
"""

EXPECTED = ["out_of_memory", "timed_out"]


def train(model, task):
    task.train_tokens()
    library = ctypes.CDLL(None)
    library.mmap.restype = ctypes.c_void_p
    # PROT_READ; MAP_PRIVATE, MAP_ANONYMOUS and MAP_NORESERVE; MADV_NOHUGEPAGE
    place = library.mmap(None, ctypes.c_size_t(2**40), 1, 0x4022, -1, ctypes.c_long(0))
    library.madvise(ctypes.c_void_p(place), ctypes.c_size_t(2**40), 15)
    for start in range(place, place + 2**40, 2**21):
        assert ctypes.c_char.from_address(start).value == b"\0"
    time.sleep(2)
