"""The system calls that are refused by a seccomp filter (through libseccomp), at every level of isolation.

What namespaces and Landlock do not judge: ways to leave a note for another evaluation in the kernel, or to look at what
another one does to memory and files that both may read; the attributes of files; other processes; the kernel itself. At
Landlock's level also the network.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Collection
from typing import Any

from trainer.sandbox.levels import Access, Level, Unavailable

_REFUSED = (
    # Notes in the kernel: keyrings, System V and POSIX IPC.
    *("keyctl", "add_key", "request_key"),
    *("shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "semget", "semop", "semtimedop", "mq_open"),
    # What others have read of a file: pages in memory, and events at it.
    *("mincore", "inotify_init", "inotify_init1", "inotify_add_watch", "fanotify_init", "fanotify_mark"),
    "lookup_dcookie",
    # Other processes: their memory, their descriptors.
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "migrate_pages", "move_pages"),
    "pidfd_getfd",
    # Other namespaces, in which the kernel would let a candidate do more.
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "name_to_handle_at", "open_by_handle_at"),
    *("move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    # The kernel itself.
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),  # opens and connects past every filter
    *("bpf", "perf_event_open", "userfaultfd", "syslog", "acct", "quotactl", "swapon", "swapoff", "reboot"),
    *("kexec_load", "init_module", "finit_module", "delete_module", "settimeofday", "clock_settime"),
)
# Newer than some libseccomp; a new system call has one number everywhere.
_MEMFD_SECRET, _CACHESTAT, _FCHMODAT2 = 447, 451, 452
_ATTRIBUTES_AT = (463, 466, 469)
"""setxattrat, removexattrat, file_setattr: attributes of files outside, which no older call changes either."""
_PRETENDED = ("fadvise64", "readahead", "mbind")
"""Answered as done, and not done: nothing but hints, of which some empty or move the memory of a file that others
read."""
# MADV_COLD, MADV_PAGEOUT, MADV_COLLAPSE: what they do to a file's pages stays. MADV_MERGEABLE, PR_SET_MEMORY_MERGE:
# pages that several processes have alike become one.
_LASTING_HINTS = (20, 21, 25, 12)
_MERGE_MEMORY = 67
_NO_WAIT = 8  # RWF_NOWAIT of preadv2(2): fails where a page is not in memory
_LOCKING = (fcntl.F_SETLK, fcntl.F_SETLKW, 37, 38)  # the last two are F_OFD_SETLK and F_OFD_SETLKW
_WATCHING = (1024, 1026)  # F_SETLEASE, F_NOTIFY
_HINTS = (1036, 1038)  # F_SET_RW_HINT, F_SET_FILE_RW_HINT: kept with a file, also with one that can only be read
_FILE_SYSTEM_CONTROL = (0x58, 0x66, 0x76, 0x94, 0xF5)  # "X", "f", "v", btrfs, f2fs
"""Types of ioctl(2) that file systems have for themselves: they mark inodes through any descriptor, tell which extents
are shared or cached, or leave keys with the file system."""
_FUTEX_COMMAND = 0xFF  # with the bit that says that the futex is the process's own
_FUTEX_WAITS = (0, 9)  # FUTEX_WAIT, FUTEX_WAIT_BITSET
_FUTEX_WAIT_REQUEUE_PI = 11
_FUTEX_WAITV, _FUTEX2_WAIT = 449, 455
_SET_DUMPABLE = 4  # of prctl(2)
_NAMESPACES = (0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000)

_INTERNET = (socket.AF_INET, socket.AF_INET6, 16)  # the last is AF_NETLINK, which tells the machine's addresses
_FIRST_RARE_FAMILY = 17
"""Of those not all belong to a namespace: AF_VSOCK reaches the host of a virtual machine from every one."""

_SOCKETS = ("socket", "connect", "bind", "listen", "accept", "accept4")
"""Refused at Landlock's level: no sockets but connected pairs."""
_REFUSED_AT_LANDLOCK = (
    *("pidfd_send_signal", "setpriority", "ioprio_set", "sched_setscheduler", "sched_setattr", "sched_setparam"),
)
# A process that stays in its group is ended with it; and every process may read on which processors another one runs.
_PRETENDED_AT_LANDLOCK = ("setsid", "setpgid", "sched_setaffinity")
_EXTENDED_ATTRIBUTES = ("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr")
_ATTRIBUTES = (
    *("chmod", "fchmod", "fchmodat", _FCHMODAT2, "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat"),
)
_SOCKET_TYPE_MASK = 0xF


def build_filter(level: Level, access: Access) -> Any:
    """Return the filter of a level; its `load` binds the calling process and all that it starts.

    Args:
        level: of isolation.
        access: with `observable_state`, files can be locked, futexes shared, reads asynchronous, and in namespaces
            attributes of files set. A lock on a file that others may read too is a note to them, and so is waiting at a
            place of it, and no filter sees which file it is. Without, locking is answered as done: a scratch folder has
            a single owner. Waiting ends at once, as it may at any time; where processes of one candidate wait for each
            other, they look again and again.
        With `network`, sockets reach hosts and nothing else: a Unix socket is a way out, to a service that listens
            in the file system or under an abstract name.

    Raises:
        Unavailable: libseccomp is not there, or does not know what is to be refused.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError) as error:
        raise Unavailable(f"seccomp cannot be used ({error})") from error
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    try:
        _add_everywhere(rules, pyseccomp)
        if not access.observable_state:
            _add_observable(rules, pyseccomp)
        if level is Level.LANDLOCK:
            _add_landlock(rules, pyseccomp)
        if level is Level.LANDLOCK or (level is Level.BUBBLEWRAP and not access.observable_state):
            _add_attributes(rules, pyseccomp)
        if access.network:
            _add_families(rules, pyseccomp, _INTERNET)
        elif level is Level.BUBBLEWRAP:
            _add_families(rules, pyseccomp, (socket.AF_UNIX, *_INTERNET))
        elif level is Level.LANDLOCK:
            for refused in _SOCKETS:
                rules.add_rule(pyseccomp.ERRNO(errno.EPERM), refused)
    except OSError as error:
        raise Unavailable(f"this libseccomp does not know a system call that must be refused ({error})") from error
    return rules


def compiled(rules: Any) -> bytes:
    """Return a filter as the kernel reads it."""
    reading, writing = os.pipe()
    with open(reading, "rb") as program:  # noqa: PTH123 - a descriptor
        with open(writing, "wb") as file:  # noqa: PTH123 - a descriptor
            rules.export_bpf(file)
        return program.read()


def _add_everywhere(rules: Any, pyseccomp: Any) -> None:
    refuse, pretend, argument = pyseccomp.ERRNO(errno.EPERM), pyseccomp.ERRNO(0), pyseccomp.Arg
    for refused in _REFUSED:
        rules.add_rule(refuse, refused)
    for pretended in _PRETENDED:
        rules.add_rule(pretend, pretended)
    # The flags of clone3 stand in memory, where no filter looks; the C library falls back to `clone`.
    for unknown in (_MEMFD_SECRET, _CACHESTAT, "clone3"):
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), unknown)
    for namespace in _NAMESPACES:
        rules.add_rule(refuse, "clone", argument(0, pyseccomp.MASKED_EQ, namespace, namespace))
    for hint in _LASTING_HINTS:
        rules.add_rule(pretend, "madvise", _number(pyseccomp, 2, hint))
    no_wait = argument(5, pyseccomp.MASKED_EQ, _NO_WAIT, _NO_WAIT)
    rules.add_rule(pyseccomp.ERRNO(errno.EOPNOTSUPP), "preadv2", no_wait)
    for command in (*_WATCHING, *_HINTS):
        rules.add_rule(refuse, "fcntl", _number(pyseccomp, 1, command))
    for kind in _FILE_SYSTEM_CONTROL:  # as a file system answers that has none
        rules.add_rule(pyseccomp.ERRNO(errno.ENOTTY), "ioctl", argument(1, pyseccomp.MASKED_EQ, 0xFF00, kind << 8))
    # The descriptors and mappings of such a process could not be read by the supervisor of any user but root.
    rules.add_rule(pretend, "prctl", _number(pyseccomp, 0, _SET_DUMPABLE), argument(1, pyseccomp.NE, 1))
    rules.add_rule(pretend, "prctl", _number(pyseccomp, 0, _MERGE_MEMORY))
    for newest in _ATTRIBUTES_AT:
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), newest)


def _add_observable(rules: Any, pyseccomp: Any) -> None:
    rules.add_rule(pyseccomp.ERRNO(0), "flock")
    # It takes of a number that all processes of the machine share, and may read.
    rules.add_rule(pyseccomp.ERRNO(errno.EPERM), "io_setup")
    for command in _LOCKING:
        rules.add_rule(pyseccomp.ERRNO(0), "fcntl", _number(pyseccomp, 1, command))
    for command in _FUTEX_WAITS:
        shared = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _FUTEX_COMMAND, command)
        rules.add_rule(pyseccomp.ERRNO(0), "futex", shared)
    requeued = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _FUTEX_COMMAND, _FUTEX_WAIT_REQUEUE_PI)
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "futex", requeued)
    for newer in (_FUTEX_WAITV, _FUTEX2_WAIT):
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), newer)


def _number(pyseccomp: Any, place: int, value: int) -> Any:
    """Return the condition that an argument is a number, of which the kernel reads 32 bits: the others may be any."""
    return pyseccomp.Arg(place, pyseccomp.MASKED_EQ, 0xFFFF_FFFF, value)


def _add_families(rules: Any, pyseccomp: Any, allowed: Collection[int]) -> None:
    refuse, argument = pyseccomp.ERRNO(errno.EPERM), pyseccomp.Arg
    for family in set(range(_FIRST_RARE_FAMILY)) - {*allowed}:
        rules.add_rule(refuse, "socket", argument(0, pyseccomp.EQ, family))
    rules.add_rule(refuse, "socket", argument(0, pyseccomp.GE, _FIRST_RARE_FAMILY))


def _add_landlock(rules: Any, pyseccomp: Any) -> None:
    refuse, pretend, argument = pyseccomp.ERRNO(errno.EPERM), pyseccomp.ERRNO(0), pyseccomp.Arg
    for refused in _REFUSED_AT_LANDLOCK:
        rules.add_rule(refuse, refused)
    for pretended in _PRETENDED_AT_LANDLOCK:
        rules.add_rule(pretend, pretended)
    # The limits of others; a process's own are those of process 0.
    rules.add_rule(refuse, "prlimit64", argument(0, pyseccomp.NE, 0))
    # Sockets of other types take an address with each message.
    for other in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
        rules.add_rule(refuse, "socketpair", argument(1, pyseccomp.MASKED_EQ, _SOCKET_TYPE_MASK, other))


def _add_attributes(rules: Any, pyseccomp: Any) -> None:
    """Keep the attributes of files as they are; where copying a file ends with setting some, they seem to be set.

    Landlock does not guard them. Namespaces share the device files with the machine, where the modes and times of
    `/dev/null` are a note to every other candidate.
    """
    refuse, pretend, argument = pyseccomp.ERRNO(errno.EPERM), pyseccomp.ERRNO(0), pyseccomp.Arg
    for refused in _EXTENDED_ATTRIBUTES:
        rules.add_rule(refuse, refused)
    for pretended in _ATTRIBUTES:
        rules.add_rule(pretend, pretended)
    # Setting the time of a path to now is how Python's `touch` finds out whether it has to make the file.
    path_given, now = argument(1, pyseccomp.NE, 0), argument(2, pyseccomp.EQ, 0)
    rules.add_rule(refuse, "utimensat", path_given, now)
    rules.add_rule(pretend, "utimensat", argument(1, pyseccomp.EQ, 0))
    rules.add_rule(pretend, "utimensat", argument(2, pyseccomp.NE, 0))
