"""Keeps files in memory in threads that have descriptors of their own.

Those of the process do not lead to the files.
"""

EXPECTED = ["out_of_memory", "crashed"]

SHARED_BUT_FOR_DESCRIPTORS = 0x100 | 0x200 | 0x800 | 0x10000  # CLONE_VM, _FS, _SIGHAND, _THREAD


def train(model, task):
    library = ctypes.CDLL(None)
    stacks = []
    while True:
        file = os.memfd_create("hidden")
        os.write(file, bytes(2**25))
        stacks.append(ctypes.create_string_buffer(2**16))
        top = ctypes.c_void_p((ctypes.addressof(stacks[-1]) + 2**16) & ~15)
        library.clone(ctypes.cast(library.pause, ctypes.c_void_p), top, SHARED_BUT_FOR_DESCRIPTORS, None)
        os.close(file)
