"""The configuration of a run on the disk: in its store, which has it first, and in `config.toml`."""

from __future__ import annotations

import tomllib

from evo.config.resolved import StoredConfig
from evo.errors import DamagedConfig, StoreError
from evo.files import read_text
from evo.runs.folder import RunFolder
from evo.search.observer import Observer
from evo.store import Store, StoreView
from evo.text import sha256
from trainer.errors import MachineError

CONFIG_SHA256 = "config_sha256"
"""Of the newest configuration in the store."""
_CONFIGURED = "configured"  # the event that holds a configuration
_SEALED_SHA256 = "sealed_config_sha256"


def sealed_config(folder: RunFolder) -> str | None:
    """Return the text of the configuration in a run's store; None where an old version has made the store."""
    event = Store.newest_event(folder.store, _CONFIGURED)
    if event is None:
        return None
    text = event.payload.get("config")
    if not isinstance(text, str):
        raise StoreError(f"The store {folder.store} is damaged: it holds no configuration. Restore it from a copy.")
    return text


def config_file(folder: RunFolder, sealed: str | None) -> str:
    """Return the text of `config.toml`.

    Raises:
        DamagedConfig: it is missing, no TOML, or the beginning of what the store has (`sealed`).
    """
    try:
        text = read_text(folder.config)
        tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise DamagedConfig(f"{folder.config} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if sealed is not None and text != sealed and sealed.startswith(text):
        raise DamagedConfig(f"{folder.config} is {'cut off' if text else 'empty'}")
    return text


def seal(folder: RunFolder, store: Store, config: StoredConfig) -> None:
    """Store the resolved configuration with the run; an event remembers each one that it was driven with.

    The store has it first, so that a kill in between does not look like an edit (see `_finish_sealing`).
    """
    if store.meta(CONFIG_SHA256) == sha256(config.to_toml()):
        return
    with store.transaction():
        record_config(store, config)
    write_config(folder, store, config.to_toml())


def record_config(store: Store, config: StoredConfig) -> None:
    """Store a configuration in the transaction under way; proposals after the newest are the first made under it."""
    text = config.to_toml()
    store.record_event(_CONFIGURED, {"config": text, "newest_proposal": store.last_proposal_number()})
    store.set_meta(CONFIG_SHA256, sha256(text))


def is_sealed(store: StoreView) -> bool:
    """Return whether the newest configuration in the store was written to `config.toml` too."""
    return store.meta(_SEALED_SHA256) == store.meta(CONFIG_SHA256)


def finish_sealing(folder: RunFolder, store: Store) -> None:
    """Write the configuration that a killed driver had stored, but not yet written or not noted as written."""
    if not is_sealed(store):
        *_, newest = store.events(_CONFIGURED)
        write_config(folder, store, newest.payload["config"])


def config_to_go_on_with(folder: RunFolder, store: Store, observer: Observer) -> str:
    """Return the text of `config.toml`, which is written again from the store where it is damaged."""
    sealed = sealed_config(folder)
    try:
        return config_file(folder, sealed)
    except DamagedConfig as damage:
        if sealed is None:
            raise
        write_config(folder, store, sealed)
        observer.note(f"{damage}; it was written again from the store.")
        return sealed


def write_config(folder: RunFolder, store: Store, text: str) -> None:
    """Write `config.toml`, once the store has it; raise MachineError where that is not possible."""
    try:
        folder.seal(text)
    except OSError as error:
        raise MachineError(
            f"The configuration could not be written to {folder.config}: {error}. Make room or make the folder "
            "writable, then continue with `evo resume`."
        ) from error
    store.set_meta(_SEALED_SHA256, sha256(text))
