"""Takes more memory than is allowed, and gives it back before anybody looks.

The highest memory of a process is known when it has ended.
"""

import mmap

EXPECTED = ["out_of_memory"]


def take(mib):
    taken = mmap.mmap(-1, mib * 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    taken.madvise(23)  # MADV_POPULATE_WRITE: at once
    return taken


def train(model, task):
    resident = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
    below = take(1472 - resident)
    time.sleep(1)  # until the looks are a tenth of a second apart
    take(110).close()
    below.close()
    task.train_tokens()
