"""Keeps memory in files of the shared memory file system, with names, and maps none of them.

Together with what its process has that is more than is allowed.
"""

EXPECTED = ["out_of_memory", "crashed"]
EXPECTED_ON_FLOOR = ["ok"]


def train(model, task):
    resident = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
    kept = bytearray(b"x") * ((1400 - resident) * 2**20)
    names = ["/dev/shm/evo-audit-1", "/dev/shm/evo-audit-2"]
    for name in names:
        with open(name, "wb") as file:
            file.writelines(b"x" * 2**20 for _ in range(120))
    burn(0.5)
    for name in names:
        os.unlink(name)
    assert kept
