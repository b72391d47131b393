"""Several programs to start from: all are compared with the first; the others are individuals like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from ask_tell import TRAIN, loss_of, write_program

import evo
from evo.runs.integrity import check_run
from evo.runs.replay import replay_run
from evo.store import Purpose, Store
from trainer.errors import GenomeError

OTHERS = {"wide.py": TRAIN.replace("DEPTH = 4", "DEPTH = 6"), "slow.py": TRAIN.replace("RATE = 0.1", "RATE = 0.05")}


def search(folder: Path, *others: str, config: str = "[search]\n", evaluations: int = 32) -> evo.Search:
    for name, source in OTHERS.items():
        (folder / name).write_text(source)
    file = folder / "c.toml"
    file.write_text(config)
    return evo.Search(
        write_program(folder),
        {"loss": "minimize"},
        evaluations=evaluations,
        out=folder / "run",
        config=file,
        pop=4,
        operators={"constants": 1.0},
        schedule="generational",  # else all of the budget may be proposed before results that are told in no time
        **({"seed_genomes": [str(folder / one) for one in others]} if others else {}),
    )


def test_seed_genomes_are_evaluated_first_and_become_parents(tmp_path: Path) -> None:
    with search(tmp_path, *OTHERS) as searching:
        asked = []
        for candidate in searching:
            asked.append(candidate)
            searching.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
    first = [(one.individual, one.purpose) for one in asked[:5]]
    assert first == [(0, Purpose.BASELINE)] * 3 + [(1, Purpose.SEARCH), (2, Purpose.SEARCH)]
    assert [one.source for one in asked[3:5]] == [*OTHERS.values()]
    run = searching.run
    assert check_run(run.path) == []
    with Store.read(run.path / "evo.db") as store:
        individuals = list(store.individuals())
        assert [one.operator for one in individuals[:4]] == ["seed", "seed", "seed", "constants"]
        assert {1, 2} & {parent for one in individuals[3:] for parent in one.parents}
    replay = replay_run(run.path)
    assert (replay.difference, replay.individuals) == (None, len(individuals) - 3)
    assert run.gain is not None
    assert run.gain.generation_zero == pytest.approx(loss_of(TRAIN, 0), abs=0.01)


def test_a_file_may_name_them_beside_itself(tmp_path: Path) -> None:
    with search(tmp_path, config='[search]\nseed_genomes = ["wide.py"]\n') as searching:
        searching.ask()
    with Store.read(tmp_path / "run" / "evo.db") as store:
        assert [one.idea for one in store.individuals()][:2] == ["Generation 0", "Seed genome 2"]
        assert store.source(1) == OTHERS["wide.py"]


def test_a_seed_genome_passes_the_gate_or_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("RATE = \n")
    with pytest.raises(GenomeError, match=r"broken\.py' cannot be a seed genome: .*line 1"):
        search(tmp_path, "broken.py")
    with pytest.raises(GenomeError, match="the same program as individual 1"):
        search(tmp_path, "wide.py", "wide.py")
    assert not (tmp_path / "run").exists()
