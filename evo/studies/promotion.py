"""Whether gains transfer: individuals beside generation 0 at larger settings, all with the same seeds."""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from evo.config.config import Config, parse_config
from evo.runs.lifecycle import Viewed
from evo.standings.paired_noise import PairedNoise
from evo.store import IndividualRecord, Outcome
from evo.studies.batch import Trial
from evo.studies.comparison import PairedGain, Sample, gain_over, noise_between, noise_of_replicates
from evo.studies.measurement_cache import Measurement, MeasurementCache
from evo.text import sha256
from operators.source.constants import Constant, Value, find_constants, replace_constants
from trainer import genome
from trainer.errors import ConfigError
from trainer.objectives import Constraint, Objective

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_SECTIONS = ("task", "budget")
_FIXED = ("task.kind", "task.root", "task.genome", "task.objectives")
"""What decides which genomes can run and what is measured of them."""

_SHARE_LEFT = 0.5


@dataclass(frozen=True, slots=True)
class Scale:
    """The settings of a promotion.

    Attributes:
        keys: values by dotted key of the configuration.
        constants: values by name of a constant of the genomes.
    """

    keys: Mapping[str, Any]
    constants: Mapping[str, Value]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Scale:
        """Return the scale that arguments like `budget.train_seconds=300` and `DEPTH=12` name.

        Raises:
            ConfigError: one of them is none.
        """
        keys: dict[str, Any] = {}
        constants: dict[str, Value] = {}
        for text in texts:
            name, equals, written = (part.strip() for part in text.partition("="))
            if not equals or not written:
                raise ConfigError(f"--scale expects KEY=VALUE, as in budget.train_seconds=300, but got {text!r}.")
            if name in keys or name in constants:
                raise ConfigError(f"--scale names {name} twice.")
            if _CONSTANT.fullmatch(name):
                constants[name] = _constant_value(name, _toml_value(written))
            else:
                keys[_scalable(name)] = _toml_value(written)
        return cls(keys, constants)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits, the same for the same settings."""
        return sha256(json.dumps(self.to_json(), sort_keys=True))[:8]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {**self.keys, **self.constants}

    def configured(self, config: Config) -> Config:
        """Return a resolved configuration at this scale, to be resolved again.

        Raises:
            ConfigError: a key does not exist, or its value is wrong.
        """
        data = config.model_dump(mode="json", exclude_none=True)
        for name, value in self.keys.items():
            *sections, key = name.split(".")
            table = data
            for section in sections:
                table = table.setdefault(section, {})
                if not isinstance(table, dict):
                    raise ConfigError(f"--scale {name} names a part of {section}, which has no parts.")
            table[key] = value
        return parse_config(data, "--scale")

    def genome(self, source: str, names: Sequence[str], owner: str) -> str:
        """Return a genome with the scale's constants; messages call it the genome of `owner`.

        Raises:
            ConfigError: it lacks a constant, or has one of another type.
        """
        files = genome.split(source, names)
        constants = {name: _constants_of(name, text) for name, text in files.items()}
        for name, value in self.constants.items():
            holders = [file for file, found in constants.items() if name in found]
            if not holders:
                known = list(dict.fromkeys(one for found in constants.values() for one in found))
                similar = difflib.get_close_matches(name, known) or known
                raise ConfigError(f"--scale {name}: {owner} has no such constant, but {', '.join(similar) or 'none'}.")
            for file in holders:
                _require_type(name, value, constants[file][name], owner)
                changed = replace_constants(genome.join({file: files[file]}), {name: value})
                files[file] = genome.split(changed, (file,))[file]
        return genome.join(files)

    def overridden(self, zero: str, source: str, names: Sequence[str]) -> list[str]:
        """Return the constants of the scale in which an individual differs from generation 0: it loses them here."""
        old, new = genome.split(zero, names), genome.split(source, names)
        found = [(_constants_of(file, old[file]), _constants_of(file, new[file])) for file in names]
        return [
            f"{name} {before[name].text} → {after[name].text}"
            for name in self.constants
            for before, after in found
            if name in before and name in after and before[name].text != after[name].text
        ]


class Transfer(StrEnum):
    """What became of a gain at larger settings."""

    TRANSFERS = "transfers"
    DOES_NOT = "does not transfer"
    """It is worse there, or at most half of the gain is left."""
    OPEN = "cannot be told with these seeds"
    FAILS = "fails at these settings"
    BREAKS = "breaks a constraint at these settings"
    SAME = "is generation 0 at these settings"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Contender:
    """An individual with its genome at the scale, and its gain in the run.

    Attributes:
        in_run: over the seeds that it and generation 0 ran with there; None where nothing can be compared.
        share_in_run: that gain as a share of generation 0's value; None likewise.
        confirmed: whether the gain was measured again on data and seeds that the search never saw.
    """

    individual: int
    idea: str
    program: str
    in_run: PairedGain | None
    share_in_run: float | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Promoted:
    """What became of one individual.

    Attributes:
        value: its mean at the scale, None where no seed ended OK.
        gain: over generation 0 at the scale.
        remark: how its seeds ended that did not end OK, else the constraints that it breaks.
        reason: why the first of the failures failed.
    """

    contender: Contender
    value: float | None
    gain: PairedGain
    remark: str
    reason: str
    verdict: Transfer


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was found out at a scale.

    Attributes:
        base: mean of generation 0 at the scale, None where no seed ended OK.
        base_remark: how its other seeds ended, else the constraints that it breaks.
        paired_noise: of one paired difference at the scale.
    """

    objective: Objective
    scale: Scale
    base: float | None
    base_remark: str
    base_reason: str
    promoted: tuple[Promoted, ...]
    paired_noise: PairedNoise
    seeds: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "objective": self.objective.name,
            "unit": self.objective.unit,
            "self_reported": self.objective.self_reported,
            "scale": self.scale.to_json(),
            "generation_zero": self.base,
            "remark_generation_zero": self.base_remark,
            "seeds": list(self.seeds),
            "individuals": [
                {
                    "id": one.contender.individual,
                    "idea": one.contender.idea,
                    "value": one.value,
                    "gain": asdict(one.gain),
                    "gain_in_run": asdict(one.contender.in_run) if one.contender.in_run else None,
                    "confirmed_in_run": one.contender.confirmed,
                    "remark": one.remark,
                    "reason": one.reason,
                    "verdict": one.verdict.value,
                }
                for one in self.promoted
            ],
        }


def trials(zero: str, contenders: Sequence[Contender], seeds: Sequence[int]) -> list[Trial]:
    """Return the evaluations that a promotion needs; one seed after the other, so that pairs are measured together."""
    labels = {zero: "generation 0"} | {one.program: f"#{one.individual}" for one in contenders if one.program != zero}
    return [Trial(label, program, seed) for seed, (program, label) in product(seeds, labels.items())]


def promotion(
    zero: str,
    contenders: Sequence[Contender],
    scale: Scale,
    cache: MeasurementCache,
    seeds: Sequence[int],
    objective: Objective,
    bounds: Sequence[Constraint] = (),
    *,
    is_deterministic: bool = False,
) -> Promotion:
    """Return what the measurements so far say; `bounds` are the task's constraints."""
    base = Sample.of(cache, zero, seeds)
    samples = [Sample.of(cache, one.program, seeds) for one in contenders]
    distinct = {one.program: sample for one, sample in zip(contenders, samples, strict=True) if one.program != zero}
    paired_noise = PairedNoise.none() if is_deterministic else noise_between(base, distinct.values(), objective)
    mean = base.mean(objective)

    def promoted(one: Contender, sample: Sample) -> Promoted:
        gain, broken = gain_over(sample, base, objective, paired_noise), sample.broken(bounds)
        verdict = Transfer.BREAKS if broken else _verdict(one, sample, gain, mean)
        if one.program == zero:
            verdict = Transfer.SAME
        return Promoted(one, sample.mean(objective), gain, sample.failures or broken, sample.reason, verdict)

    return Promotion(
        objective=objective,
        scale=scale,
        base=mean,
        base_remark=base.failures or base.broken(bounds),
        base_reason=base.reason,
        promoted=tuple(map(promoted, contenders, samples)),
        paired_noise=paired_noise,
        seeds=tuple(seeds),
    )


def contender(record: IndividualRecord, program: str, viewed: Viewed, objective: Objective) -> Contender:
    """Return an individual as it enters a promotion, with its gain in the run: the confirmed one if there is one."""
    if objective.name == viewed.config.search.objectives[0]:
        for one in viewed.standings.confirmations.gains():
            if one.individual == record.id:
                gain = PairedGain(one.value, one.noise, one.margin, one.seeds)
                share = one.value / abs(one.generation_zero) if one.generation_zero else None
                return Contender(record.id, record.idea, program, gain, share, confirmed=True)
    own, zero = (_sample_in_run(viewed.store.outcomes_of(one)) for one in (record.id, 0))
    base = zero.mean(objective)
    is_deterministic = viewed.config.task.is_deterministic
    noise = PairedNoise.none() if is_deterministic else noise_of_replicates(zero, objective)
    found = gain_over(own, zero, objective, noise)
    share = found.mean / abs(base) if found.mean is not None and base else None
    in_run = found if found.mean is not None else None
    return Contender(record.id, record.idea, program, in_run, share, confirmed=False)


def _sample_in_run(outcomes: Sequence[Outcome]) -> Sample:
    return Sample({one.seed: Measurement(one.status, one.objectives) for one in outcomes})


def _verdict(one: Contender, sample: Sample, gain: PairedGain, base: float | None) -> Transfer:
    if sample.has_failed:
        return Transfer.FAILS
    if gain.mean is None or base is None:
        return Transfer.UNKNOWN
    if gain.is_real:
        return Transfer.TRANSFERS
    if gain.is_loss or _little_is_left(one, gain, base):
        return Transfer.DOES_NOT
    return Transfer.OPEN


def _little_is_left(one: Contender, gain: PairedGain, base: float) -> bool:
    """Return whether even the most that noise allows is less than half of the gain in the run, in shares of the base.

    Values at another scale are other values: a share of them says more than a difference.
    """
    if gain.mean is None or gain.margin is None or one.share_in_run is None or not base:
        return False
    return one.share_in_run > 0 and (gain.mean + gain.margin) / abs(base) < _SHARE_LEFT * one.share_in_run


def _toml_value(text: str) -> Any:
    """Return a value as TOML writes it; any other text is itself."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text


def _constant_value(name: str, value: Any) -> Value:
    match value:
        case bool() | int() | float() | str():
            return value
        case list() if value and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
            return tuple(value)
    raise ConfigError(
        f"--scale {name} expects a number, true or false, a text, or numbers in brackets, but got {value!r}."
    )


def _constants_of(file: str, text: str) -> dict[str, Constant]:
    return find_constants(genome.join({file: text}))


def _require_type(name: str, value: Value, constant: Constant, owner: str) -> None:
    if _kind(value) != _kind(constant.value) or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigError(f"--scale {name} expects a value like {constant.text}, as {owner} has it, but got {value!r}.")


def _kind(value: Value) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _scalable(name: str) -> str:
    """Return a configuration key that an evaluation depends on; raise ConfigError for any other."""
    section, dot, key = name.partition(".")
    if section not in _SECTIONS or not dot or not key:
        raise ConfigError(
            f"--scale expects a key of [task] or [budget], as budget.train_seconds, or a constant in capitals, "
            f"but got {name!r}."
        )
    if any(name == fixed or name.startswith(f"{fixed}.") for fixed in _FIXED):
        raise ConfigError(f"--scale cannot change {name}: it decides what is measured. Begin a new run for that.")
    return name
