"""Tells the kernel not to keep children that have ended.

SA_NOCLDWAIT does what ignoring their signal does, unseen.
"""

import signal

EXPECTED = ["timed_out: trained on beyond"]


class Action(ctypes.Structure):
    _fields_ = [
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_byte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    ]


def train(model, task):
    action = Action(None, (ctypes.c_byte * 128)(), 2, None)
    system("sigaction", signal.SIGCHLD, ctypes.byref(action), None)
    task.train_tokens()
    for _ in range(20):
        read, write = os.pipe()
        if os.fork() == 0:
            burn(0.2)
            os._exit(0)
        os.close(write)
        os.read(read, 1)
        os.close(read)
