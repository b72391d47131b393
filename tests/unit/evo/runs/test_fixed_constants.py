import pytest

from evo.config.config import Config
from evo.config.reading import parse_config
from evo.runs.generation_zero import check_generation_zero, gate_of
from operators.proposal import Refused
from trainer.errors import ConfigError
from trainer.genome import built_in, join


def config(*names: str, **task: object) -> Config:
    return parse_config({"task": task, "search": {"fixed_constants": [*names]}}, "evo.toml")


def script(*genome: str) -> dict[str, object]:
    objectives = {"loss": {"direction": "minimize", "pattern": "^loss: (.*)"}}
    return {
        "kind": "script",
        "root": "/project",
        "genome": [*genome],
        "command": ["python", genome[0]],
        "objectives": objectives,
    }


def test_no_individual_of_the_language_model_task_changes_a_fixed_constant() -> None:
    zero = built_in("textbook")
    gate = gate_of(config("LAYERS", genome="textbook"), lambda: zero, lambda _: None)
    gate.check(zero.replace("WIDTH = 64", "WIDTH = 32"))
    with pytest.raises(Refused, match="LAYERS"):
        gate.check(zero.replace("LAYERS = 2", "LAYERS = 3"))
    gate_of(config(genome="textbook"), lambda: zero, lambda _: None).check(zero.replace("LAYERS = 2", "LAYERS = 3"))


def test_a_fixed_constant_is_found_in_every_file_and_language_of_a_script() -> None:
    names = ("run.py", "net/model.py", "sizes.yaml", "kernel.c")
    files = {
        names[0]: "from net.model import DEPTH\nRATE = 0.1\nprint('loss:', RATE * DEPTH)\n",
        names[1]: "DEPTH = 4\n",
        names[2]: "WIDTH: 8\nheads: 2\n",
        names[3]: "static const int TILE = 16;\n",
    }
    zero = join(files)
    gate = gate_of(config("DEPTH", "WIDTH", "TILE", **script(*names)), lambda: zero, lambda _: None)
    gate.check(zero.replace("RATE = 0.1", "RATE = 0.2").replace("heads: 2", "heads: 4"))
    for old, new in (("DEPTH = 4", "DEPTH = 5"), ("WIDTH: 8", "WIDTH: 9"), ("TILE = 16", "TILE = 32")):
        with pytest.raises(Refused, match="protected"):
            gate.check(zero.replace(old, new))


def test_a_constant_that_generation_zero_lacks_cannot_be_fixed() -> None:
    with pytest.raises(ConfigError, match=r"`search\.fixed_constants` names 'DEPTH'"):
        check_generation_zero(config("DEPTH", genome="textbook"), built_in("textbook"), "textbook")
