"""Secrets by their names, their places and their shapes; and what only looks like one."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from trainer.errors import ConfigError
from trainer.script import freeze
from trainer.script.secrets import (
    is_secret_variable,
    password_in_url,
    secret_by_name,
    secret_by_value,
    secrets_in,
)

BODY = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4"


@pytest.mark.parametrize(
    "name",
    [
        *(".env", "config/.env", ".env.local", ".envrc", "prod.env", ".netrc", "_netrc", ".pypirc", ".git-credentials"),
        *(
            ".ssh/config",
            ".ssh/known_hosts",
            "id_rsa",
            "keys/id_ed25519",
            "id_ed25519_work",
            "deploy_key",
            "server.key",
        ),
        *("tls/private.pem", "bundle.p12", "release.keystore", "passwords.kdbx", "putty.ppk", ".gnupg/trustdb.gpg"),
        *(".aws/credentials", ".aws/config", ".kaggle/kaggle.json", "kaggle.json", ".azure/accessTokens.json"),
        *(".config/gcloud/application_default_credentials.json", ".config/gh/hosts.yml", ".config/myproject/api_key"),
        *(".config/tool/nested/auth.json", ".docker/config.json", ".kube/config", ".cache/huggingface/token"),
        *(".huggingface/token", "credentials.json", "credentials", "gcp-credentials.json", "client_secret_12.json"),
        *("my-service-account.json", "secrets.yaml", "secrets.toml", "api_key.txt", "API_KEYS", "token", "hf_token"),
        *("access_token.txt", ".pgpass", ".my.cnf", ".htpasswd", ".dockercfg", ".bash_history", "prod.tfvars"),
        *("terraform.tfstate", ".vault-token", ".modal.toml", ".local/share/keyrings/login", ".password-store/a.gpg"),
        *(".claude/settings.json", ".mozilla/firefox/x/logins.json", "run/secrets/db"),
    ],
)
def test_secrets_by_name_or_place(name: str) -> None:
    assert secret_by_name(PurePosixPath(name))
    assert secret_by_name(PurePosixPath("/home/someone") / name)


@pytest.mark.parametrize(
    "name",
    [
        *("train.py", "data/train.csv", "tokens.bin", "tokenizer.json", "special_tokens_map.json", "added_tokens.json"),
        *(".env.example", ".env.template", "id_rsa.pub", "cacert.pem", "secrets.py", "credentials.py", "keyboard.json"),
        *("monkey.json", "environment.yml", "config/train.yaml", ".cache/autoresearch", "key_value.npz", "password.py"),
        *(".cache/huggingface/hub/models--gpt2", ".config/matplotlib/matplotlibrc", "tokenization/token.py", "env.py"),
        *("environment", "turkey.csv", "author.json", "sessions.csv", "tokens.txt"),
    ],
)
def test_ordinary_names(name: str) -> None:
    assert not secret_by_name(PurePosixPath(name))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "PuTTY-User-Key-File-3: ssh-ed25519",
        f'{{"type": "service_account", "private_key": "{BODY}"}}',
        f"token = 'ghp_{BODY[:36]}'",
        f"github_pat_{BODY[:40]}",
        f"glpat-{BODY[:20]}",
        f"sk-ant-api03-{BODY}",
        f"OPENAI = 'sk-proj-{BODY}'",
        f"hf_{BODY[:34]}",
        "AKIA" + "Q3EGRT5VZX7KLM2N",
        f"aws_secret_access_key = {BODY[:40]}",
        f"AIza{BODY[:35]}",
        f"xoxb-{BODY[:24]}",
        f"//registry.npmjs.org/:_authToken={BODY[:36]}",
        f"pypi-AgEIcHlwaS5vcmc{BODY}",
        f"API_KEY = '{BODY[:32]}'",
        f'wandb_api_key: "{BODY[:40]}"',
        f'"password": "{BODY[:24]}"',
        f"eyJ{BODY[:17]}.eyJ{BODY[:20]}.{BODY[:27]}",
        f'{{"auths": {{"ghcr.io": {{"auth": "{BODY[:20]}=="}}}}}}',
        f"DefaultEndpointsProtocol=https;AccountKey={BODY[:44]}==",
        f"hook: https://hooks.slack.com/services/T0{BODY[:9]}/B0{BODY[:9]}/{BODY[:12]}",
        f"api_key: {BODY[:32]}",
    ],
)
def test_secrets_by_shape(text: str) -> None:
    assert secret_by_value(f"x = 1\n{text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "pad_token = '<|finetune_right_pad_id|>'",
        "API_KEY = os.environ['API_KEY']",
        "api_key = 'your-api-key-goes-here-1234'",
        "HF_TOKEN = 'hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "sk-learn is a library with a long-name-that-goes on",
        "token_ids = [1, 2, 3]",
        "password: str = ''",
        "token = tokenizer_of_version_2_with_a_long_name",
        "token: embeddings-without-digits-at-all",
        "\n" * 200_000,
    ],
    ids=lambda text: text[:40],
)
def test_what_only_looks_like_a_secret(text: str) -> None:
    assert not secret_by_value(text)


@pytest.mark.parametrize(
    "text",
    ["url = https://me:hunter2@github.com/me/x.git", "https://x-access-token@github.com/a/b", "postgres://u:p4ss@db/x"],
)
def test_a_password_in_a_url(text: str) -> None:
    assert password_in_url(text)


def test_a_url_without_a_password() -> None:
    assert not password_in_url("url = https://github.com/me/x.git, git@github.com:me/x.git, http://localhost:8080/a:b")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "HF_TOKEN",
            "WANDB_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PASSWORD",
            "PGPASSWORD",
            "SSH_AUTH_SOCK",
            "GITHUB_PAT",
        ),
        *(
            "GOOGLE_APPLICATION_CREDENTIALS",
            "DATABASE_URL",
            "SENTRY_DSN",
            "KUBECONFIG",
            "aws_access_key_id",
            "MYSQL_PWD",
        ),
        "SESSION_COOKIE",
    ],
)
def test_variables_that_hold_secrets(name: str) -> None:
    assert is_secret_variable(name)


@pytest.mark.parametrize(
    "name",
    ["WANDB_MODE", "TOKENIZERS_PARALLELISM", "MAX_TOKENS", "HF_HOME", "PATH", "PWD", "KEYBOARD", "DATA_DIR", "COMPASS"],
)
def test_ordinary_variables(name: str) -> None:
    assert not is_secret_variable(name)


def test_where_the_project_lies_tells_nothing(tmp_path: Path) -> None:
    project = tmp_path / ".claude" / "worktrees" / "secrets"
    (project / "data").mkdir(parents=True)
    (project / "data" / "train.csv").write_text("x\n")
    assert list(secrets_in(project / "data", project)) == []
    assert freeze(["data"], project)[0].name == "data"


@pytest.mark.parametrize("name", [".env", "deep/er/id_rsa", ".git/config", "notes.json"])
def test_a_folder_with_a_secret_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "data" / name
    file.parent.mkdir(parents=True)
    file.write_text(f"[remote]\n url = https://me:{BODY[:12]}@example.org/x\napi_key = '{BODY[:30]}'\n")
    (tmp_path / "data" / "train.csv").write_text("x\n")
    with pytest.raises(ConfigError, match="must not hand a secret") as refused:
        freeze(["data"], tmp_path)
    assert name in str(refused.value)
    assert BODY[:12] not in str(refused.value)
    assert freeze(["data/train.csv"], tmp_path)


def test_a_link_to_a_secret_is_one(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("x\n")
    (project / "data" / "train.csv").symlink_to(tmp_path / ".aws" / "credentials")
    (project / "settings").symlink_to(tmp_path / ".aws")
    for name in ("data", "data/train.csv", "settings"):
        with pytest.raises(ConfigError, match="must not hand a secret"):
            freeze([name], project)


def test_a_public_remote_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "lib" / ".git").mkdir(parents=True)
    (tmp_path / "lib" / ".git" / "config").write_text('[remote "origin"]\n url = https://github.com/me/x.git\n')
    (tmp_path / "lib" / "a.py").write_text("X = 1\n")
    assert freeze(["lib"], tmp_path)
