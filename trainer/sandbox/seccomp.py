"""The system calls that Landlock does not judge, refused by a seccomp filter (through libseccomp)."""

from __future__ import annotations

import errno
import socket
from typing import Any

from trainer.sandbox.levels import Unavailable

_REFUSED = (
    # No sockets but connected pairs: even a Unix socket is a way out, to a service that listens in the file system.
    *("socket", "connect", "bind", "listen", "accept", "accept4"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),  # opens and connects past every filter
    # Other processes: their memory, descriptors, priorities, processors.
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "migrate_pages", "move_pages"),
    *("pidfd_getfd", "pidfd_send_signal", "setpriority", "ioprio_set"),
    *("sched_setscheduler", "sched_setattr", "sched_setparam"),
    # Memory that outlives a process, in which one candidate could leave a note for the next.
    *("shmget", "shmat", "msgget", "semget", "mq_open", "keyctl", "add_key", "request_key"),
    # The kernel itself.
    *("bpf", "perf_event_open", "userfaultfd", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot"),
    *("move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    *("name_to_handle_at", "open_by_handle_at", "setxattr", "lsetxattr", "fsetxattr"),
    *("removexattr", "lremovexattr", "fremovexattr"),
)
_FCHMODAT2 = 452  # newer than some libseccomp; a new system call has one number everywhere
# Answered as done, and not done. Landlock does not guard the attributes of files outside, but copying a file ends with
# setting some; and a process that stays in its group is ended with it.
_PRETENDED = (
    *("chmod", "fchmod", "fchmodat", _FCHMODAT2, "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "setsid", "setpgid"),
)
_CLONE_NEW_USER = 0x10000000
_SOCKET_TYPE_MASK = 0xF


def build_filter() -> Any:
    """Return the filter; its `load` binds the calling process and all that it starts.

    Raises:
        Unavailable: libseccomp is not there, or does not know what is to be refused.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError) as error:
        raise Unavailable(f"seccomp cannot be used ({error})") from error
    refuse, pretend, argument = pyseccomp.ERRNO(errno.EPERM), pyseccomp.ERRNO(0), pyseccomp.Arg
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    try:
        for refused in _REFUSED:
            rules.add_rule(refuse, refused)
        for pretended in _PRETENDED:
            rules.add_rule(pretend, pretended)
        # Setting the time of a path to now is how Python's `touch` finds out whether it has to make the file.
        path_given, now = argument(1, pyseccomp.NE, 0), argument(2, pyseccomp.EQ, 0)
        rules.add_rule(refuse, "utimensat", path_given, now)
        rules.add_rule(pretend, "utimensat", argument(1, pyseccomp.EQ, 0))
        rules.add_rule(pretend, "utimensat", argument(2, pyseccomp.NE, 0))
        # The limits of others; a process's own are those of process 0.
        rules.add_rule(refuse, "prlimit64", argument(0, pyseccomp.NE, 0))
        # Sockets of other types take an address with each message.
        for other in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
            rules.add_rule(refuse, "socketpair", argument(1, pyseccomp.MASKED_EQ, _SOCKET_TYPE_MASK, other))
        rules.add_rule(refuse, "clone", argument(0, pyseccomp.MASKED_EQ, _CLONE_NEW_USER, _CLONE_NEW_USER))
        # Its flags stand in memory, where no filter looks; the C library falls back to `clone`.
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    except OSError as error:
        raise Unavailable(f"this libseccomp does not know a system call that must be refused ({error})") from error
    return rules
