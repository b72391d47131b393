import pytest

from evo.config.reading import parse_config
from evo.studies.scale import Scale
from trainer.errors import ConfigError
from trainer.genome import join

CONFIG = parse_config({"budget": {"train_seconds": 30.0}})


def test_keys_and_constants_are_told_apart() -> None:
    texts = ["budget.train_seconds=300", "DEPTH = 12", "task.dataset=./texts", 'MODE="slow"', "BETAS=[0.9, 0.95]"]
    scale = Scale.parse(texts)
    assert scale.keys == {"budget.train_seconds": 300, "task.dataset": "./texts"}
    assert scale.constants == {"DEPTH": 12, "MODE": "slow", "BETAS": (0.9, 0.95)}
    assert scale.digest == Scale.parse(reversed(texts)).digest
    assert scale.digest != Scale.parse(["DEPTH=13"]).digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DEPTH", "KEY=VALUE"),
        ("DEPTH=", "KEY=VALUE"),
        ("search.pop=3", "[task] or [budget]"),
        ("budget=3", "[task] or [budget]"),
        ("depth=3", "[task] or [budget]"),
        ("task.genome=x.py", "what is measured"),
        ("task.objectives.loss.unit=x", "what is measured"),
        ("DEPTH={}", "a number"),
        ("DEPTH=[]", "a number"),
    ],
)
def test_what_is_no_scale_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Scale.parse([text])
    assert words in str(refusal.value)
    assert text.partition("=")[0].strip() in str(refusal.value)


def test_a_setting_is_named_once() -> None:
    with pytest.raises(ConfigError, match="twice"):
        Scale.parse(["DEPTH=3", "DEPTH=4"])


def test_a_configuration_at_a_scale() -> None:
    larger = Scale.parse(["budget.train_seconds=300", "task.sequence_length=256"]).configured(CONFIG)
    assert larger.budget.train_seconds == 300
    assert larger.task.model_dump()["sequence_length"] == 256
    assert larger.search == CONFIG.search


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("budget.train_secnds=3", "did you mean 'train_seconds'?"),
        ("budget.train_seconds=soon", "valid number"),
        ("budget.train_seconds.x=3", "which has no parts"),
    ],
)
def test_a_wrong_setting_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Scale.parse([text]).configured(CONFIG)
    assert words in str(refusal.value)
    assert "--scale" in str(refusal.value)


def test_constants_of_a_genome_at_a_scale() -> None:
    scale = Scale.parse(["DEPTH=12", "RATE=1e-3"])
    source = "DEPTH = 4  # layers\nRATE: float = 3e-4\nprint(DEPTH, RATE)\n"
    expected = "DEPTH = 12  # layers\nRATE: float = 1e-3\nprint(DEPTH, RATE)\n"
    assert scale.genome(source, ["train.py"], "generation 0") == expected
    with pytest.raises(ConfigError, match="--scale DEPTH: individual 7 has no such constant, but DEPTHS"):
        scale.genome("DEPTHS = 4\nRATE = 1.0\n", ["train.py"], "individual 7")
    with pytest.raises(ConfigError, match="a value like 'four'"):
        scale.genome("DEPTH = 'four'\nRATE = 1.0\n", ["train.py"], "individual 7")


def test_constants_are_found_in_any_file_of_a_genome() -> None:
    names = ["train.py", "model.py"]
    source = join({"train.py": "STEPS = 3\n", "model.py": "DEPTH = 4\n"})
    assert Scale.parse(["DEPTH=8"]).genome(source, names, "generation 0") == source.replace("DEPTH = 4", "DEPTH = 8")
    moved = source.replace("STEPS = 3", "STEPS = 5")
    assert Scale.parse(["STEPS=9"]).overridden(source, moved, names) == ["STEPS 3 → 5"]
    assert Scale.parse(["DEPTH=9"]).overridden(source, moved, names) == []


def test_a_table_of_toml_is_a_scale_whose_messages_name_its_file() -> None:
    scale = Scale.of_table(
        {"DEPTH": 12, "task": {"environment": {"A": "1"}, "gpus": 2}, "budget": {}}, "evo.toml, scale x"
    )
    assert scale.constants == {"DEPTH": 12}
    assert scale.keys == {"task.environment.A": "1", "task.gpus": 2, "budget": {}}
    assert scale.values_in("DEPTH = 4\nRATE = 1.0\n", ["train.py"]) == {"DEPTH": 4}
    with pytest.raises(ConfigError, match=r"evo\.toml, scale x: `DEPTH`: generation 0 has no such constant"):
        scale.genome("RATE = 1.0\n", ["train.py"], "generation 0")
    with pytest.raises(ConfigError, match=r"evo\.toml, scale x: `DEPTH` expects a number"):
        Scale.of_table({"DEPTH": {}}, "evo.toml, scale x")
