from trainer.corpus.sources import EMBEDDED
from trainer.sandbox import view


def test_what_is_hidden_are_the_texts_of_the_built_in_corpus_and_the_genomes() -> None:
    assert view._EMBEDDED_CORPUS == EMBEDDED
    assert [folder.name for folder in view._secrets()] == [EMBEDDED, "seed", "audit"]
