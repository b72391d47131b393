"""Takes memory in processes whose first thread has ended.

The system tells nothing of their memory under their own id.
"""

import threading

EXPECTED = ["out_of_memory"]


def train(model, task):
    for _ in range(4):
        if os.fork() == 0:
            threading.Thread(target=hold).start()
            ctypes.CDLL(None).pthread_exit(None)
    time.sleep(20)


def hold():
    time.sleep(0.5)
    kept = b"x" * (500 * 2**20)
    time.sleep(20)
    return kept
