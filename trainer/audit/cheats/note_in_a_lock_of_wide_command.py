"""Takes a lock on a shared file by a command of more bits than the kernel reads.

A filter that compares all of them lets it pass.
"""

import fcntl
import struct

EXPECTED = ["crashed"]


def train(model, task):
    task.train_tokens()
    place = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
    with open(os.__file__) as file:
        number, command = 72 if os.uname().machine == "x86_64" else 25, 2**32 + fcntl.F_SETLK
        note = ctypes.create_string_buffer(struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 18, 0))
        system(number, file.fileno(), ctypes.c_long(command), note)
        child = os.fork()
        if child == 0:
            os._exit(struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, place))[3])
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 18:
            raise OSError("there is no lock")
