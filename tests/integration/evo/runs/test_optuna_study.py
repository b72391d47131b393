import sqlite3
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from ask_tell import loss_of, write_program
from command_line import evo as command
from optuna.storages import RDBStorage
from optuna.trial import TrialState

import evo

LARGE = "9" * 400  # no float is as large


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which constants were mutated, and one individual crashed."""
    folder = tmp_path_factory.mktemp("study")
    out = folder / "tonight"
    program = write_program(folder)
    program.write_text(f"LARGE = {LARGE}  # one of: {LARGE}\n{program.read_text()}")
    with evo.Search(
        program, {"loss": "minimize"}, pop=4, evaluations=20, operators={"constants": 1.0}, out=out
    ) as search:
        for number, candidate in enumerate(search):
            if number == 10:
                search.tell(candidate, status="crashed", reason="it raised ValueError")
            else:
                search.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
    return out


@pytest.fixture
def studies(tmp_path: Path) -> Iterator[RDBStorage]:
    """What is in `study.db`; Optuna itself leaves its connections to the garbage collector."""
    storage = RDBStorage(f"sqlite:///{tmp_path}/study.db")
    yield storage
    storage.remove_session()
    storage.engine.dispose()


def test_each_individual_with_a_result_is_a_trial(run: Path, studies: RDBStorage) -> None:
    storage = studies.url
    done = command("export", run, "--optuna", storage)
    assert done.returncode == 0, done.stderr
    study = optuna.load_study(study_name="tonight", storage=studies)
    individuals = evo.open_run(run).individuals
    assert [trial.user_attrs["individual"] for trial in study.trials] == list(individuals.index)
    assert study.trials[0].params == {"RATE": 0.1, "DEPTH": 4, "LARGE": LARGE}
    for trial, measured in zip(study.trials, individuals["loss"], strict=True):
        if trial.state is TrialState.COMPLETE:
            assert trial.value == pytest.approx(measured)
    failed = [trial for trial in study.trials if trial.state is TrialState.FAIL]
    assert [trial.user_attrs["status"] for trial in failed] == ["crashed"]
    assert set(optuna.importance.get_param_importances(study, params=["RATE", "DEPTH"])) == {"RATE", "DEPTH"}
    back = command("import", run, "--optuna", storage, "--best", "1")
    assert (back.returncode, back.stdout) == (0, "0 trials imported, 1 refused\n"), back.stderr


def test_a_study_is_never_mixed_with_another(run: Path, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    assert command("export", run, "--optuna", storage, "--study", "mine").returncode == 0
    again = command("export", run, "--optuna", storage, "--study", "mine")
    assert (again.returncode, again.stderr.count("--study")) == (2, 1)


def test_an_export_that_is_interrupted_leaves_no_half_study(run: Path, tmp_path: Path, studies: RDBStorage) -> None:
    storage = studies.url
    optuna.create_study(storage=studies, study_name="another")
    database = sqlite3.connect(tmp_path / "study.db")
    database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON trials WHEN 5 = (SELECT count(*) FROM trials) "
        "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
    )
    database.commit()
    interrupted = command("export", run, "--optuna", storage, "--study", "mine")
    assert (interrupted.returncode, interrupted.stderr.count("\n")) == (2, 1)
    assert "mine" not in optuna.get_all_study_names(studies)
    database.execute("DROP TRIGGER full")
    database.commit()
    database.close()
    assert command("export", run, "--optuna", storage, "--study", "mine").returncode == 0
    assert optuna.get_all_study_names(studies) == ["another", "mine"]
    assert len(optuna.load_study(study_name="mine", storage=studies).trials) == len(evo.open_run(run).individuals)


@pytest.mark.parametrize("storage", ["nonsense", "sqlite:////no/such/folder/x.db", "nosuch://me:pw@host/x"])
def test_a_storage_that_cannot_be_opened_is_one_line_without_its_password(run: Path, storage: str) -> None:
    done = command("export", run, "--optuna", storage)
    assert done.returncode == 2
    assert done.stderr.startswith("evo: --optuna expects a storage")
    assert done.stderr.count("\n") == 1
    assert "pw" not in done.stderr


def test_the_best_trials_of_a_study_become_individuals(tmp_path: Path, studies: RDBStorage) -> None:
    storage, out = studies.url, tmp_path / "seeded"
    study = optuna.create_study(storage=studies, study_name="elsewhere")
    for rate, depth, value in ((0.02, 6, 0.3), (0.0317, 7, 0.2), (0.0317, 7, 0.2), (0.04, 8, None)):
        ranges: dict[str, optuna.distributions.BaseDistribution] = {
            "RATE": optuna.distributions.FloatDistribution(0.0, 1.0),
            "DEPTH": optuna.distributions.FloatDistribution(1.0, 9.0),
            "UNHEARD_OF": optuna.distributions.FloatDistribution(0.0, 1.0),
        }
        params = {"RATE": rate, "DEPTH": float(depth), "UNHEARD_OF": 0.5}
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        study.add_trial(optuna.trial.create_trial(state=state, value=value, params=params, distributions=ranges))
    program, weights = write_program(tmp_path), {"constants": 1.0}
    with evo.Search(program, {"loss": "minimize"}, pop=4, evaluations=20, operators=weights, out=out) as search:
        search.ask()  # told in no time, its result could have the whole budget proposed ahead
    done = command("import", out, "--optuna", storage, "--best", "1")
    assert done.returncode == 0, done.stderr
    assert "it is taken up first when the run is resumed" in done.stdout
    assert done.stdout.endswith("1 trial imported, 0 refused\n")
    with evo.Search.resume(out) as search:
        for candidate in search:
            search.tell(candidate, {"loss": loss_of(candidate.source, candidate.seed)})
    individuals = evo.open_run(out).individuals
    (injected,) = individuals.index[individuals["operator"] == "injected"]
    source = evo.open_run(out).individual(injected).source
    assert "RATE = 0.0317" in source
    assert "DEPTH = 7\n" in source
    again = command("import", out, "--optuna", storage, "--best", "2")
    assert again.returncode == 0
    assert "trial 0 of a study: RATE = 0.02, DEPTH = 6" in again.stdout
    assert again.stdout.endswith("1 trial imported, 1 refused\n")
    assert f"the same program as individual {injected}" in again.stderr
    assert command("check", out, "--replay").returncode == 0


def test_a_study_that_cannot_be_imported_is_one_line(run: Path, tmp_path: Path, studies: RDBStorage) -> None:
    storage = studies.url
    optuna.create_study(storage=studies, study_name="one")
    study = optuna.create_study(storage=studies, study_name="two\x1b[31m")
    infinite = {"RATE": optuna.distributions.CategoricalDistribution([float("inf")])}
    study.add_trial(optuna.trial.create_trial(value=1.0, params={"RATE": float("inf")}, distributions=infinite))
    for said, arguments in {
        f"There is no file {tmp_path}/none.db": ["--optuna", f"sqlite:///{tmp_path}/none.db"],
        r"with --study. It has: one, two\u001b[31m.": ["--optuna", storage],
        "parameter that is called as a constant": ["--optuna", storage, "--study", "one"],
        "--optuna expects a storage": ["--optuna", "nosuch://me:pw@host/x"],
        "and finite": ["--optuna", storage, "--study", "two\x1b[31m"],
        "this one cannot be used": ["--optuna", f"sqlite:///{run}/evo.db"],
    }.items():
        done = command("import", run, *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert said in done.stderr
        assert "pw" not in done.stderr
    assert not (tmp_path / "none.db").exists()
    assert not sqlite3.connect(run / "evo.db").execute("SELECT * FROM sqlite_schema WHERE name = 'studies'").fetchall()
