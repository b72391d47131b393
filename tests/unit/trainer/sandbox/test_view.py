from trainer.corpus.sources import EMBEDDED
from trainer.sandbox import view


def test_the_texts_that_are_hidden_are_those_of_the_built_in_corpus() -> None:
    assert view._EMBEDDED_CORPUS == EMBEDDED
    assert [folder.name for folder in view._secrets()] == [EMBEDDED]
