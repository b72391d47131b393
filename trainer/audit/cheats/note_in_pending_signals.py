"""Makes timers, each of which is one of the signals that a user's processes may have waiting.

Each of them may read how many there are.
"""

EXPECTED = ["crashed: BlockingIOError"]


def train(model, task):
    task.train_tokens()
    system("timer_create", 0, None, ctypes.byref(ctypes.c_void_p()))
