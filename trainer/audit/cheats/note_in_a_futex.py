"""Wakes what waits at a place of a file that both may only read.

How many were woken is told.
"""

import mmap

EXPECTED = ["crashed: LookupError"]


def train(model, task):
    task.train_tokens()
    library = ctypes.CDLL(None)
    library.mmap.restype = ctypes.c_void_p
    with open(os.__file__) as file:
        place = ctypes.c_void_p(library.mmap(None, mmap.PAGESIZE, 1, 1, file.fileno(), ctypes.c_long(0)))
    word = ctypes.c_uint32.from_address(place.value)
    if os.fork() == 0:
        library.syscall(202, place, 0, word, (ctypes.c_long * 2)(5, 0), None, 0)  # FUTEX_WAIT
        os._exit(0)
    for _ in range(20):
        time.sleep(0.02)
        if library.syscall(202, place, 1, 1, None, None, 0) > 0:  # FUTEX_WAKE
            return
    raise LookupError("none waits")
