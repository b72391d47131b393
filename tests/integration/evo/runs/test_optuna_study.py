from pathlib import Path

import optuna
import pytest
from ask_tell import loss_of, write_program
from command_line import evo as command
from optuna.trial import TrialState

import evo


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which constants were mutated, and one individual crashed."""
    folder = tmp_path_factory.mktemp("study")
    out = folder / "tonight"
    with evo.Search(
        write_program(folder), {"loss": "minimize"}, pop=4, evaluations=20, operators={"constants": 1.0}, out=out
    ) as search:
        for number, candidate in enumerate(search):
            if number == 10:
                search.tell(candidate, status="crashed", reason="it raised ValueError")
            else:
                search.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
    return out


def test_each_individual_with_a_result_is_a_trial(run: Path, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    done = command("export", run, "--optuna", storage)
    assert done.returncode == 0, done.stderr
    study = optuna.load_study(study_name="tonight", storage=storage)
    individuals = evo.open_run(run).individuals
    assert [trial.user_attrs["individual"] for trial in study.trials] == list(individuals.index)
    assert study.trials[0].params == {"RATE": 0.1, "DEPTH": 4}
    for trial, measured in zip(study.trials, individuals["loss"], strict=True):
        if trial.state is TrialState.COMPLETE:
            assert trial.value == pytest.approx(measured)
    failed = [trial for trial in study.trials if trial.state is TrialState.FAIL]
    assert [trial.user_attrs["status"] for trial in failed] == ["crashed"]
    assert set(optuna.importance.get_param_importances(study)) == {"RATE", "DEPTH"}


def test_a_study_is_never_mixed_with_another(run: Path, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    assert command("export", run, "--optuna", storage, "--study", "mine").returncode == 0
    again = command("export", run, "--optuna", storage, "--study", "mine")
    assert (again.returncode, again.stderr.count("--study")) == (2, 1)


@pytest.mark.parametrize("storage", ["nonsense", "sqlite:////no/such/folder/x.db", "nosuch://me:pw@host/x"])
def test_a_storage_that_cannot_be_opened_is_one_line_without_its_password(run: Path, storage: str) -> None:
    done = command("export", run, "--optuna", storage)
    assert done.returncode == 2
    assert done.stderr.startswith("evo: --optuna expects a storage")
    assert done.stderr.count("\n") == 1
    assert "pw" not in done.stderr
