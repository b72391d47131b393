"""Known places, names and shapes of secrets: what no candidate is given, even where a configuration names it.

Candidates are untrusted, and the texts of frozen modules are shown to language models. The lists hold what common
tools write (their documentation names the places and the forms of their tokens); a secret of an unknown shape in a
file of an ordinary name is not found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import urlsplit

_PLACES: dict[str, str] = {
    ".aws": "the credentials of AWS",
    ".azure": "the credentials of Azure",
    ".cache/gcloud": "the credentials of Google Cloud",
    ".cache/huggingface/stored_tokens": "tokens of Hugging Face",
    ".cache/huggingface/token": "a token of Hugging Face",
    ".cache/mozilla": "a browser's data",
    ".claude": "the settings of a coding agent",
    ".codex": "the settings of a coding agent",
    ".config/chromium": "a browser's data",
    ".config/gcloud": "the credentials of Google Cloud",
    ".config/gh": "the credentials of GitHub",
    ".config/google-chrome": "a browser's data",
    ".config/hub": "the credentials of GitHub",
    ".config/rclone": "the credentials of rclone",
    ".docker": "the credentials of container registries",
    ".gemini": "the settings of a coding agent",
    ".gnupg": "private keys",
    ".huggingface": "a token of Hugging Face",
    ".kaggle": "the credentials of Kaggle",
    ".kube": "the credentials of Kubernetes",
    ".local/share/keyrings": "a keyring",
    ".m2/settings.xml": "the credentials of Maven",
    ".mozilla": "a browser's data",
    ".oci": "the credentials of Oracle Cloud",
    ".password-store": "passwords",
    ".ssh": "private keys",
    ".terraform.d": "the credentials of Terraform",
    "etc/shadow": "passwords",
    "run/secrets": "secrets of a container",
}
"""Folders and files by where they lie, in the home folder or anywhere else."""

_NAMES: tuple[tuple[str, str], ...] = (
    (r"\.env(?:rc)?|\.env\.(?!example|sample|template|dist|default)\S+|[\w-]+\.env", "environment variables"),
    (r"[._]netrc|\.pgpass|\.my\.cnf|\.htpasswd|\.dockercfg|\.s3cfg|\.boto|\.databrickscfg", "passwords"),
    (r"\.git-credentials|\.pypirc|\.vault-token|\.modal\.toml|\.comet\.config|\.claude\.json", "credentials"),
    (r"kaggle\.json", "the credentials of Kaggle"),
    (
        r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_\w+)?(?:\.(?!pub$)\w+)?|.*\.(?:key|ppk|agekey)|.*_rsa|deploy_?key",
        "a private key",
    ),
    (r"(?!ca|cert|chain|fullchain|pub).*\.pem|.*\.(?:p12|pfx|jks|keystore|kdbx)", "a private key"),
    (r"(?:.*[._-])?credentials?(?:\.(?!py$|pyc$|md$)\w+)?", "credentials"),
    (r"(?:.*[._-])?(?:client[_-]?secret|service[_-]?account)[^/]*\.json", "credentials"),
    (r"\.?secrets?(?:\.(?!py$|pyc$|md$)\w+)?|(?:.*[._-])?passwords?(?:\.(?!py$|pyc$|md$)\w+)?", "secrets"),
    (r"(?:.*[._-])?api[_-]?keys?(?:\.(?!py$|pyc$|md$)\w+)?", "a key"),
    (
        r"token|token\.json|(?:auth|access|api|hf|gh|github|gitlab|oauth|refresh|bearer)[_-]?tokens?(?:\.\w+)?",
        "a token",
    ),
    (r"\.\w+_history|.*\.tfstate|.*\.tfvars", "secrets"),
)
_KNOWN_NAMES = tuple((re.compile(pattern, re.IGNORECASE), what) for pattern, what in _NAMES)
_SETTINGS = re.compile(r".*(?:key|token|credential|secret|password|cookie|session|auth).*", re.IGNORECASE)
"""What programs keep below `~/.config` and is no mere setting."""

_SHAPES: tuple[tuple[str, str], ...] = (
    (r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-", "a private key"),
    (r"\"private_key\"\s*:\s*\"[^\"]{20,}", "a private key"),
    (r"\b(?:gh[opsu]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,}|glpat-[\w-]{20,})", "a token of GitHub or GitLab"),
    (r"\bsk-(?:ant-|proj-|or-)?[\w-]{32,}", "a key of a language model's provider"),
    (r"\bhf_[A-Za-z0-9]{30,}", "a token of Hugging Face"),
    (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|aws_secret_access_key\s*[=:]\s*['\"]?[\w/+]{30,}", "a key of AWS"),
    (r"\bAIza[\w-]{35}|\bya29\.[\w-]{20,}", "a key of Google"),
    (r"\bxox[abeprs]-[\w-]{10,}|\bnpm_[A-Za-z0-9]{36}|\bpypi-AgE[\w-]{20,}|_authToken\s*=\s*[\w-]{10,}", "a token"),
    (r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}|\"auth\"\s*:\s*\"[A-Za-z0-9+/]{8,}={0,2}\"", "a token"),
    (r"https://hooks\.slack\.com/services/[\w/]{20,}|\b(?:AccountKey|SharedAccessKey)=[\w+/]{40,}", "a token"),
    (r"\br8_[A-Za-z0-9]{30,}|\b(?:sk|rk)_live_[A-Za-z0-9]{16,}|\bSG\.[\w-]{16,}\.[\w-]{16,}", "a token"),
    (
        (
            r"(?i:\b\w*(?:api_?key|secret_?key|access_?key|auth_?token|api_?token|access_?token|passw(?:or)?d)\b[\"']?"
            r"\s*[:=]\s*[\"'])(?=[^\"'\s]*\d)(?=[^\"'\s]*[A-Za-z])[\w+/=.-]{20,}[\"']"
        ),
        "a key or a password",
    ),
    (  # settings files quote nothing
        (
            r"(?im:^[ \t]*[\w-]*(?:api_?key|secret_?key|access_?key|token|passw(?:or)?d)\s*[:=]\s*)"
            r"(?=\S*\d)(?=\S*[A-Za-z])[A-Za-z0-9+/-]{20,}={0,2}(?m:\s*$)"
        ),
        "a key or a password",
    ),
)
_KNOWN_SHAPES = tuple((re.compile(pattern), what) for pattern, what in _SHAPES)
_PLACEHOLDER = re.compile(r"example|placeholder|your|xxxx|\.\.\.|<", re.IGNORECASE)
_FEWEST_CHARACTERS = 6
"""Different ones in a token; `hf_aaaa…` stands for one."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
_URL_FILES = frozenset({"pip.conf", ".npmrc", ".yarnrc", ".yarnrc.yml", ".condarc", ".gitmodules"})
_TEXTS = re.compile(r"\.(?:py|ipynb|json|toml|ya?ml|cfg|ini|conf|config|sh|bash|zsh|properties|xml|pub|crt|js|ts)|")
_LARGEST_TEXT_BYTES, _LARGEST_OTHER_BYTES = 256 * 2**10, 8 * 2**10
_GIT = ".git"

_VARIABLE = re.compile(
    r"ANTHROPIC_.*"
    # As words of a name: TOKENIZERS_PARALLELISM and MAX_TOKENS are no secrets.
    r"|(?:.*_)?(?:KEY|APIKEY|SECRETS?|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PWD|PASS|PAT|AUTH|CREDENTIALS?|COOKIE|DSN)(?:_.*)?"
    r"|PG(?:PASSWORD|PASSFILE)|MYSQL_PWD|SSH_AUTH_SOCK|KUBECONFIG|NETRC|.*DATABASE_URL|.*CONNECTION_STRING"
)
_HARMLESS_VARIABLES = frozenset({"PWD", "OLDPWD"})


@dataclass(frozen=True, slots=True)
class Secret:
    """A file that looks like a secret.

    Attributes:
        path: of the file, or of the folder that holds it.
        what: it holds, such as `a private key`.
    """

    path: Path
    what: str


def secret_by_name(path: PurePath) -> str:
    """Return what a file of this name, or at this place, holds; empty if nothing is known of it."""
    parts = path.parts
    lowered = "/".join(("", *parts, "")).lower().replace("//", "/")
    for place, what in _PLACES.items():
        if f"/{place}/" in lowered:
            return what
    if ".config" in parts[:-1] and any(map(_SETTINGS.fullmatch, parts[parts.index(".config") + 1 :])):
        return "credentials"
    return next((what for pattern, what in _KNOWN_NAMES if parts and pattern.fullmatch(parts[-1])), "")


def secret_by_value(text: str) -> str:
    """Return what kind of secret a text contains: a key or a token of known shape; empty if none."""
    for pattern, what in _KNOWN_SHAPES:
        for match in pattern.finditer(text):
            found = match[0]
            if "PRIVATE KEY" in found or "PuTTY" in found:
                return what
            if len(set(found)) > _FEWEST_CHARACTERS + 3 and not _PLACEHOLDER.search(found):
                return what
    return ""


def password_in_url(text: str) -> str:
    """Return what kind of secret a URL in a text holds; empty if none has a password in it."""
    for match in _URL.finditer(text):
        try:
            parts = urlsplit(match[0])
            is_secret = bool(parts.password) or (parts.username or "").startswith(("ghp_", "x-access-token", "oauth2"))
        except ValueError:
            continue
        if is_secret and not _PLACEHOLDER.search(parts.password or ""):
            return "a password in a URL"
    return ""


def secrets_in(path: Path, base: Path) -> Iterator[Secret]:
    """Yield what looks like a secret, by name or by content: a file itself, or files in a folder.

    Args:
        path: of a file or a folder below `base`; a link counts as what it leads to.
        base: the folder of the project, or the home folder: where *that* lies tells nothing.

    Raises:
        OSError: a folder cannot be listed.
    """
    for file in _files(path):
        if what := _secret_file(file, base):
            yield Secret(file, what)


def is_secret_variable(name: str) -> bool:
    """Return whether an environment variable of this name holds a secret."""
    name = name.upper()
    return name not in _HARMLESS_VARIABLES and _VARIABLE.fullmatch(name) is not None


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_fail):
        here = Path(folder)
        if _GIT in folders:
            folders.remove(_GIT)  # objects are packed; only the settings are readable text
            yield from (one for one in (here / _GIT / "config", here / _GIT / "credentials") if one.is_file())
        links = [name for name in folders if (here / name).is_symlink()]
        yield from (here / name for name in sorted([*names, *links]))
    if path.name == _GIT:
        yield path / "config"


def _fail(error: OSError) -> None:
    raise error


def _secret_file(file: Path, base: Path) -> str:
    what = secret_by_name(_below(file, base))
    target = file.resolve()
    if not what and target != file:
        what = secret_by_name(_below(target, base.resolve()))
    return what or _secret_content(target)


def _below(file: Path, base: Path) -> PurePath:
    return file.relative_to(base) if file.is_relative_to(base) else file


def _secret_content(file: Path) -> str:
    """Return what a readable small file holds; what cannot be read here is no candidate's to read either."""
    most = _LARGEST_TEXT_BYTES if _TEXTS.fullmatch(file.suffix.lower()) else _LARGEST_OTHER_BYTES
    try:
        if not file.is_file() or file.stat().st_size > most:
            return ""
        text = file.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
    if file.name in _URL_FILES or (file.name == "config" and file.parent.name == _GIT):
        return secret_by_value(text) or password_in_url(text)
    return secret_by_value(text)
