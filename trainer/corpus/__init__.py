"""The corpus: text in, token files out, prepared once and then only checked.

    sources        what a dataset's name means: the embedded speeches, files (`text_files`), the hub (`hub`)
    spool, pieces  documents on disk while they are prepared; long ones are cut between paragraphs
    duplicates     near-duplicates, found by MinHash; the first of them is kept
    splits         the training split and three held-out ones, chosen by content and spread over the corpus
    vocabulary     byte-pair encoding, learned from the training split alone
    preparation    the way from a source to files
    manifest       what must be in a corpus's folder, and whether it is
    cache          locks, atomic renames, and what killed processes left behind
    prepared       `prepare` and `load`, which return a `Corpus`

Nothing here imports torch.
"""

from trainer.corpus.cache import default_cache
from trainer.corpus.prepared import Corpus, load, prepare

__all__ = ["Corpus", "default_cache", "load", "prepare"]
