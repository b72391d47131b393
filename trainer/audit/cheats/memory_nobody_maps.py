"""Keeps memory in anonymous files that it does not map.

No process has them resident.
"""

EXPECTED = ["out_of_memory", "crashed"]


def train(model, task):
    files = []
    while True:
        files.append(os.memfd_create("hidden"))
        os.write(files[-1], bytes(2**25))
