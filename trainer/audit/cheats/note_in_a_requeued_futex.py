"""Wakes what waits for another place than that of a file that both may only read.

Waking it there fails, which tells that it waits.
"""

import mmap

EXPECTED = ["crashed: LookupError"]


def train(model, task):
    task.train_tokens()
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    with open(os.__file__) as file:
        place = ctypes.c_void_p(library.mmap(None, mmap.PAGESIZE, 1, 1, file.fileno(), ctypes.c_long(0)))
    word = ctypes.c_uint32.from_address(place.value)
    if os.fork() == 0:
        moment = (ctypes.c_long * 2)(int(time.monotonic()) + 5, 0)
        library.syscall(202, place, 11, word, moment, ctypes.byref(ctypes.c_uint32()), 0)  # FUTEX_WAIT_REQUEUE_PI
        os._exit(0)
    for _ in range(20):
        time.sleep(0.02)
        if library.syscall(202, place, 1, 1, None, None, 0) < 0:  # FUTEX_WAKE
            return
    raise LookupError("none waits")
