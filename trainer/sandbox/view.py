"""What a candidate may see of this machine beside its scratch folder: programs and packages, and its device."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import trainer
from trainer.sandbox.environment import PATH_VARIABLES

SYSTEM_FOLDERS = tuple(Path(name) for name in ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin"))
"""Programs and libraries of the system; often links into /usr."""

_SYSTEM_FILES = (
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/sys/devices/system/cpu"),
    # Libraries that look whether they exist and then read them fail where that is forbidden.
    *("/etc/mime.types", "/etc/timezone", "/etc/debian_version", "/etc/fonts"),
)
NAME_FILES = tuple(Path("/etc", name) for name in ("passwd", "group", "hosts", "host.conf", "nsswitch.conf"))
"""What names users and hosts; where a sandbox has no such files of its own, candidates read the machine's."""

_NAME_SERVERS = Path("/etc/resolv.conf")
_CERTIFICATES = (
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls",
    "/etc/pki/ca-trust/extracted",
)

CANDIDATE = "candidate"
"""Name of the user and of the host inside a sandbox that has names of its own."""

# Not the whole prefix: a virtual environment can stand at the root of a project.
_PREFIX_PARTS = (
    *("bin", "include", "lib", "lib32", "lib64", "libexec", "share"),
    *("nvvm", "targets", "pyvenv.cfg"),  # the CUDA toolkit of a conda environment among them
)
# What `trainer.candidate` imports of this package; nothing else of it is visible.
_CANDIDATE_MODULES = (
    *("__init__", "candidate", "errors", "evaluation", "stack_samples", "task"),
    *("ipc/__init__", "ipc/candidate_protocol", "ipc/channel", "ipc/frames"),
)
_EMBEDDED_CORPUS = "sotu"  # `trainer.corpus.sources.EMBEDDED`, but importing that imports numpy, for every script, too
_GENOME_FOLDERS = ("seed", "audit")  # one line would import a whole program from there
_NOBODY = 65534
_SYSTEM_USERS = {
    0: "root:x:0:0:root:/root:/bin/sh",
    _NOBODY: f"nobody:x:{_NOBODY}:{_NOBODY}:nobody:/nonexistent:/bin/sh",
}
_SYSTEM_GROUPS = {0: "root:x:0:", _NOBODY: f"nogroup:x:{_NOBODY}:"}
_GPU_NODES = ("nvidia*", "nvidia-caps/*", "dxg")


def readable_paths(device: str, visible: Iterable[Path] = ()) -> list[Path]:
    """Return the files and folders that a candidate on `device` may read, `visible` included, none within another."""
    wanted = [
        *visible,
        *map(Path, _SYSTEM_FILES),
        *_python_folders(),
        *_candidate_code(),
        *_named_by_environment(),
        *([Path("/sys")] if device == "cuda" else []),
    ]
    # Not Path.exists, which raises where the way there is forbidden. What this process cannot read, no child can.
    return _outermost(path for path in wanted if os.path.exists(path))  # noqa: PTH110


def network_files() -> list[Path]:
    """Return what a program needs to be read to reach hosts: name servers and certificates."""
    return [_NAME_SERVERS, _NAME_SERVERS.resolve(), *map(Path, _CERTIFICATES)]


def name_files(home: Path, *, network: bool = False) -> dict[Path, str]:
    """Return the files that name users and hosts inside a sandbox: of users those of this process, and no others.

    Hosts are the machine's own where there is a `network`, else this host alone.
    """
    user, group = os.getuid(), os.getgid()
    users = {user: f"{CANDIDATE}:x:{user}:{group}:{CANDIDATE}:{home}:/bin/sh"}
    users |= {number: line for number, line in _SYSTEM_USERS.items() if number != user}
    groups = {group: f"{CANDIDATE}:x:{group}:"}
    groups |= {number: line for number, line in _SYSTEM_GROUPS.items() if number != group}
    texts = {
        "passwd": users.values(),
        "group": groups.values(),
        "hosts": ("127.0.0.1 localhost", "::1 localhost", f"127.0.1.1 {CANDIDATE}"),
        "host.conf": ("multi on",),
        "nsswitch.conf": ("passwd: files", "group: files", "hosts: files"),
    }
    files = {path: "".join(f"{line}\n" for line in texts[path.name]) for path in NAME_FILES}
    if network:
        hosts = Path("/etc/hosts")
        files[hosts] = hosts.read_text(encoding="utf-8", errors="replace") if hosts.exists() else files[hosts]
        nsswitch = Path("/etc/nsswitch.conf")
        files[nsswitch] = files[nsswitch].replace("hosts: files", "hosts: files dns")
    return files


def device_nodes(device: str) -> list[Path]:
    """Return the device files that a candidate may use beside those that every process has."""
    if device != "cuda":
        return []
    return sorted(path for pattern in _GPU_NODES for path in Path("/dev").glob(pattern) if not path.is_dir())


def hidden_within(paths: Iterable[Path]) -> list[Path]:
    """Return what stands in readable folders and must not be read, by every name that it has there."""
    names = [(path, path.resolve()) for path in paths]
    return [
        path / secret.relative_to(real) for secret in _secrets() for path, real in names if secret.is_relative_to(real)
    ]


def carved(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Divide folders around what is hidden in them: into what may be read, and folders that may only be listed."""
    readable, listed = list(paths), []
    for secret in _secrets():
        while around := next((path for path in readable if secret.is_relative_to(path.resolve())), None):
            readable.remove(around)
            if around.resolve() != secret:
                listed.append(around)
                readable += around.iterdir()
    return readable, listed


def _secrets() -> list[Path]:
    """Return what may stand among the packages: texts that held-out splits are cut from, and genomes to be imported."""
    spec = importlib.util.find_spec(_EMBEDDED_CORPUS)
    corpus = [Path(spec.origin).parent.resolve()] if spec and spec.origin else []
    return [*corpus, *(Path(trainer.__file__).parent.resolve() / name for name in _GENOME_FOLDERS)]


def program_folders(program: Path) -> list[Path]:
    """Return what a program needs to be read: itself, and all of its Python where it belongs to an installation."""
    folders = [program, program.resolve()]
    prefix = program.parent.parent
    settings = prefix / "pyvenv.cfg"
    if settings.is_file():
        folders += _parts_of(prefix)
        lines = settings.read_text(encoding="utf-8", errors="replace").splitlines()
        homes = [value.strip() for key, _, value in (line.partition("=") for line in lines) if key.strip() == "home"]
        folders += [part for home in homes for part in _parts_of(Path(home).parent)]
    elif program.name.startswith("python") or (prefix / "conda-meta").is_dir():
        folders += _parts_of(prefix)
    return folders


def _parts_of(prefix: Path) -> list[Path]:
    return [folder / part for folder in (prefix, prefix.resolve()) for part in _PREFIX_PARTS]


def _python_folders() -> Iterator[Path]:
    for prefix in {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}:
        yield from _parts_of(Path(prefix))
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    yield from (Path(sysconfig.get_path(name)) for name in names)
    if site.ENABLE_USER_SITE:
        yield Path(site.getusersitepackages())


def _candidate_code() -> Iterator[Path]:
    folder = Path(trainer.__file__).parent
    for name in _CANDIDATE_MODULES:
        source = folder / f"{name}.py"
        yield source
        yield Path(importlib.util.cache_from_source(str(source)))


def _named_by_environment() -> Iterator[Path]:
    for name in PATH_VARIABLES:
        for part in os.environ.get(name, "").split(os.pathsep):
            path = Path(part)
            if path.is_absolute() and path not in Path.home().parents and path != Path.home():
                yield path


def _outermost(paths: Iterable[Path]) -> list[Path]:
    outermost: list[Path] = []
    # In order of their parts a folder stands right before what is in it.
    for path in sorted(set(paths), key=lambda path: path.parts):
        if not any(path.is_relative_to(folder) for folder in (*SYSTEM_FOLDERS, *outermost[-1:])):
            outermost.append(path)
    return outermost
