"""Does blind mutation game the score of a user's script? With protected code as `evo init` finds it, and without.

Six small scripts evolve by random mutation and crossover alone. The best of each run is then judged by an untouched
evaluator: it runs the program, takes what that made (weights, predictions, a tour, a strategy) and measures it with the
code and the data of generation 0. A gain that evo reports as beyond noise is confirmed where the untouched evaluator
sees one, too, within the processor time of generation 0.

Run `python -m experiments.script_gaming` (an hour on two cores); `--evaluations`, `--scripts` and `--seeds` make it
shorter.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import math
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import types
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import evo
from evo.project.examine import examine
from evo.project.writing import CONFIG, config_text
from experiments.recording import write_record

Namespace = dict[str, Any]
_POP = 8
_MOST_TIME = 1.5  # of generation 0's processor seconds
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Judge:
    """An untouched evaluator.

    Attributes:
        function: of the program, at whose beginning or end its variables are taken; empty for the top level.
        event: `call` or `return`.
        measure: returns the metric, from those variables and from the names of generation 0.
        sign: +1 where lower is better.
    """

    function: str
    event: str
    measure: Callable[[Namespace, Namespace], float]
    sign: int = 1


def _classifier(made: Namespace, zero: Namespace) -> float:
    logits = made["model"].forward(zero["x_val"])
    return float(zero["cross_entropy"](logits, zero["y_val"]))


def _characters(made: Namespace, zero: Namespace) -> float:
    data, model = zero["val_data"], made["model"]
    return fmean(zero["surprise"](model.weights(a), b) for a, b in pairwise(data))


def _regression(made: Namespace, zero: Namespace) -> float:
    return float(zero["rmse"](made["predictions"], zero["y_valid"]))


def _tour(made: Namespace, zero: Namespace) -> float:
    return float(zero["tour_length"](made["best"]))


def _trading(made: Namespace, zero: Namespace) -> float:
    prices = zero["make_prices"](900, 11)
    pristine = types.FunctionType(zero["backtest"].__code__, {**zero, "signal": made["signal"]})
    return float(zero["sharpe_ratio"](pristine(prices, len(prices) - zero["HOLDOUT_DAYS"])))


def _forecaster(made: Namespace, zero: Namespace) -> float:
    evaluator = zero["Evaluator"](zero["make_series"](3), 180)
    return float(evaluator.mean_absolute_error(made["forecaster"]))


JUDGES = {
    "classifier": Judge("main", "return", _classifier),
    "characters": Judge("", "return", _characters),
    "regression": Judge("", "return", _regression),
    "tour": Judge("", "return", _tour),
    "trading": Judge("", "return", _trading, sign=-1),
    "forecaster": Judge("mean_absolute_error", "call", _forecaster),
}


def judged(script: str, source: str, zero: str) -> tuple[float, float]:
    """Return the untouched metric of a program, and the processor seconds that it took; nan where it fails."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_judged, (script, source, zero))


def _judged(script: str, source: str, zero: str) -> tuple[float, float]:
    judge = JUDGES[script]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        sys.argv = ["train.py"]
        pristine, _ = _executed(zero, judge)
        started = time.process_time()
        _, made = _executed(source, judge)
        seconds = time.process_time() - started
        os.chdir("/")
        return judge.measure(made, pristine), seconds


def _executed(source: str, judge: Judge) -> tuple[Namespace, Namespace]:
    """Return the names of the top level, and those of the judge's function, after running a program."""
    names: Namespace = {"__name__": "__main__"}
    taken: Namespace = {}

    def watch(frame: types.FrameType, event: str, _: Any) -> None:
        if frame.f_code.co_name == judge.function and event == judge.event and not taken:
            taken.update({name: copy.deepcopy(value) for name, value in frame.f_locals.items() if name != "self"})

    sys.setprofile(watch if judge.function else None)
    try:
        exec(compile(source, "train.py", "exec"), names)  # the program under judgement, in a process of its own
    finally:
        sys.setprofile(None)
    return names, taken or names


def measure(job: tuple[str, int, int, bool]) -> str:
    """Return a row of the table: one run, and what the untouched evaluator says of its best.

    Args:
        job: script, evaluations, seed, and whether code is protected.
    """
    script, evaluations, seed, protected = job
    zero = resources.files("evo.project.audit").joinpath("scripts", f"{script}.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "train.py").write_text(zero, encoding="utf-8")
        found = examine(folder)
        text = config_text(found, folder, "")
        text = text if protected else _without(text)
        (folder / CONFIG).write_text(text.replace('program = ""', ""), encoding="utf-8")
        run = evo.run(
            config=folder / CONFIG, out=folder / "run", pop=_POP, gens=math.ceil(evaluations / _POP), seed=seed,
            operators={"random": 3.0, "uniform": 1.0}, devices=["cpu"], workers=1,
        )  # fmt: skip
        best, gain = run.best, run.gain
        judge = JUDGES[script]
        before = [judged(script, zero, zero) for _ in range(_REPEATS)]
        after = [judged(script, best.source, zero) for _ in range(_REPEATS)] if best else []
        shutil.rmtree(folder / "run")
    seen = judge.sign * (fmean(one for one, _ in before) - fmean(one for one, _ in after))
    slower = fmean(seconds for _, seconds in after) / fmean(seconds for _, seconds in before)
    is_claimed = gain is not None and gain.is_real and gain.value > 0
    verdict = "—" if not is_claimed else "yes" if seen > 0 and slower < _MOST_TIME else "**no**"
    cells = (
        script,
        "yes" if protected else "no",
        str(seed),
        f"{gain.value:+.4g}" if gain else "none",
        "yes" if is_claimed else "no",
        f"{seen:+.4g}",
        f"{slower:.2f}",
        verdict,
    )
    return f"| {' | '.join(cells)} |"


def _without(text: str) -> str:
    """Return the text of an evo.toml without what it protects."""
    before, _, rest = text.partition("\nprotect = [\n")
    return before + rest.partition("\n]\n")[2].join(("\n", ""))


_COLUMNS = (
    *("script", "protected", "seed", "reported gain", "beyond noise", "untouched evaluator"),
    *("time, of generation 0's", "confirmed"),
)
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def main() -> None:
    """Run all searches and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--scripts", nargs="+", default=sorted(JUDGES), choices=sorted(JUDGES))
    parser.add_argument("--protected-only", action="store_true")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    options = parser.parse_args()
    arms = (True,) if options.protected_only else (False, True)
    jobs = [
        (script, options.evaluations, seed, protected)
        for script in options.scripts
        for seed in range(options.seeds)
        for protected in arms
    ]
    rows = []
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        for row in pool.map(measure, jobs):
            print(row, flush=True)
            rows.append(row)
    print(write_record("script-gaming", "\n".join([HEAD, *rows])))


if __name__ == "__main__":
    main()
