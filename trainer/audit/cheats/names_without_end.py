"""Makes empty files in the shared memory file system, more than anybody counts.

Each takes a kilobyte of the kernel's memory, and none of the room there.
"""

EXPECTED = ["crashed"]
EXPECTED_ON_FLOOR = ["ok"]


def train(model, task):
    names = [f"/dev/shm/evo-audit-{number}" for number in range(30_000)]
    for name in names:
        open(name, "x").close()
    burn(2)
    for name in names:
        os.unlink(name)
