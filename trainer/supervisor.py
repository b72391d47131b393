"""One device's supervisor: `python -m trainer.supervisor DESCRIPTOR`.

It holds the clock, the limits and the lines. For each job it lets one fresh candidate process train and hand over its
weights, ends that whole tree, and has the scorer question another fresh process that was given the same genome and
those weights. It trusts nothing that a candidate says about time, memory or loss. When the driver's line closes,
it ends everything and itself.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from trainer.candidate_protocol import WEIGHTS_FILE, failure_status
from trainer.channel import Channel, ChannelClosed, Message
from trainer.clocks import TrainingClock
from trainer.corpus import Corpus, load
from trainer.crew import Candidate, Spares
from trainer.errors import EvoError, MachineError
from trainer.evaluation import CurvePoint, Evaluation, Job, Split, Status, Timings
from trainer.measurements import code_lines, read_parameters
from trainer.processes import become_subreaper, die_with_parent, reap_strays
from trainer.sandbox import choose_sandbox, python_command, trusted_environment
from trainer.settings import Settings
from trainer.watch import DriverGone, Ended, TimeLimit, Watch

_CURVE_LIMIT = 2000


@dataclass(slots=True)
class _Recording:
    """What the supervisor has measured of one evaluation so far."""

    started: float = field(default_factory=time.monotonic)
    timings: Timings = field(default_factory=Timings)
    curve: list[CurvePoint] = field(default_factory=list)
    objectives: dict[str, float] = field(default_factory=dict)
    split_bpb: dict[str, float] = field(default_factory=dict)
    log_tail: str = ""


class Supervisor:
    """Evaluates jobs one after the other on one device."""

    def __init__(self, settings: Settings, driver: Channel) -> None:
        self._settings = settings
        self._driver = driver
        self._corpus: Corpus = load(settings.corpus)
        self._sandbox = choose_sandbox(settings.limits)
        self._scorer, self._scorer_process = _start_scorer(settings)
        self._spares = Spares(settings, self._sandbox)
        self._await_scorer()

    @property
    def sandbox_level(self) -> str:
        """Name of the isolation that candidates run under."""
        return self._sandbox.level

    def close(self) -> None:
        """End every child."""
        self._spares.close()
        self._scorer.close()
        self._scorer_process.kill()
        self._scorer_process.wait()
        reap_strays(())

    def _await_scorer(self) -> None:
        try:
            _expect(self._scorer.receive(), "ready")
        except ChannelClosed as error:
            raise MachineError("The scorer ended while it started; its message stands above.") from error

    def evaluate(self, job: Job) -> Evaluation:
        """Train and score one genome; every ending of a candidate is a status, never an exception."""
        recording = _Recording()
        trainee = self._spares.take()
        server: Candidate | None = None
        status, reason = Status.OK, ""
        try:
            self._train(trainee, job, recording)
            server = self._spares.take()
            weights = self._take_weights(trainee, server, recording)
            recording.objectives["code_lines"] = float(code_lines(job.genome))
            recording.objectives["parameters"] = float(read_parameters(weights))
            self._score(server, job, recording)
        except Ended as end:
            status, reason = end.status, str(end)
        finally:
            for candidate in filter(None, (trainee, server)):
                candidate.close()
            reap_strays([self._scorer_process.pid, *self._spares.pids()])
        recording.log_tail = trainee.log_tail() + (server.log_tail() if server else "")
        return self._verdict(job, recording, status, reason)

    def _train(self, trainee: Candidate, job: Job, recording: _Recording) -> None:
        watch = Watch(trainee, self._settings.limits, self._driver)
        limit = TimeLimit(
            time.monotonic() + self._settings.budget.setup_seconds,
            f"did not ask for its data within the {self._settings.budget.setup_seconds:g} s that set-up may take",
        )
        _expect(watch.next_message(limit), "ready")
        trainee.give_genome(job.genome)
        trainee.channel.send(self._training_order(job))
        clock = TrainingClock(self._settings.budget, trainee)
        try:
            self._follow_training(watch, limit, clock, trainee, recording)
        finally:
            recording.timings = clock.measure(recording.timings)
            trainee.resident_mib()
            trainee.kill()
        clock.check(recording.timings)

    def _follow_training(
        self, watch: Watch, limit: TimeLimit, clock: TrainingClock, trainee: Candidate, recording: _Recording
    ) -> None:
        while (message := watch.next_message(limit))["event"] != "saved":
            if message["event"] == "data" and not clock.running:
                self._hand_over_data(trainee)
                limit = clock.start()
            elif message["event"] == "log":
                _record_point(recording, clock, message)
            elif message["event"] == "error":
                raise Ended(failure_status(message), str(message.get("reason")))
            elif message["event"] != "built":
                raise Ended(Status.REJECTED, f"broke the protocol of evaluations with {message['event']!r}")

    def _training_order(self, job: Job) -> Message:
        return {
            "event": "train",
            "seed": job.seed,
            "budget_seconds": self._settings.budget.train_seconds,
            "clock": self._settings.budget.clock,
            "sequence_length": self._settings.sequence_length,
            "vocab_size": self._corpus.vocab_size,
        }

    def _hand_over_data(self, trainee: Candidate) -> None:
        descriptor = os.open(self._corpus.train_path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            trainee.channel.send({"event": "data"}, (descriptor,))
        except ChannelClosed as error:
            raise Ended(Status.CRASHED, "ended while it was given its data") from error
        finally:
            os.close(descriptor)

    def _take_weights(self, trainee: Candidate, server: Candidate, recording: _Recording) -> Path:
        """Move the weights to the serving process; anything but an ordinary file of its own is refused."""
        recording.objectives["peak_memory_mib"] = trainee.peak_mib
        handed, weights = trainee.scratch / WEIGHTS_FILE, server.scratch / WEIGHTS_FILE
        if handed.is_symlink() or not handed.is_file() or handed.stat().st_nlink != 1:
            raise Ended(Status.REJECTED, f"{WEIGHTS_FILE} must be an ordinary file, but it is not")
        handed.rename(weights)
        return weights

    def _score(self, server: Candidate, job: Job, recording: _Recording) -> None:
        started = time.monotonic()
        server.give_genome(job.genome)
        order = {"event": "score", "seed": job.seed, "splits": list(job.splits), "pid": server.pid}
        self._scorer.send(order, (server.channel.fileno(),))
        server.channel.close()
        try:
            failure = self._collect_scores(server, job, recording)
        except Ended:
            # The scorer notices the end of its candidate and finishes the order, so that the next one starts clean.
            server.kill()
            while self._scorer.receive()["event"] not in ("scored", "unscorable"):
                pass
            raise
        finally:
            recording.timings = replace(recording.timings, score_seconds=time.monotonic() - started)
        if failure is not None:
            raise failure

    def _collect_scores(self, server: Candidate, job: Job, recording: _Recording) -> Ended | None:
        """Record the scores as they come; return the scorer's own verdict when it cannot score the candidate."""
        watch = Watch(server, self._settings.limits, self._driver)
        seconds = self._settings.budget.score_seconds * len(job.splits)
        limit = TimeLimit(time.monotonic() + seconds, f"was not scored within the {seconds:g} s that scoring may take")
        while (message := watch.next_message(limit, self._scorer))["event"] != "scored":
            if message["event"] == "unscorable":
                return Ended(Status(message["status"]), message["reason"])
            recording.split_bpb[message["split"]] = message["bits_per_byte"]
            if message["split"] == Split.SELECTION:
                recording.objectives["tokens_per_second"] = message["tokens_per_second"]
        return None

    def _verdict(self, job: Job, recording: _Recording, status: Status, reason: str) -> Evaluation:
        timings = replace(recording.timings, total_seconds=time.monotonic() - recording.started)
        objectives = dict(recording.objectives)
        if status is Status.OK:
            objectives["val_bpb"] = recording.split_bpb[Split.SELECTION]
            objectives["train_seconds"] = timings.train_seconds
        if not all(math.isfinite(value) for value in objectives.values()):
            status, reason = Status.DIVERGED, f"a measured objective is not finite: {objectives}"
        return Evaluation(
            status=status,
            seed=job.seed,
            device=self._settings.device + (f":{self._settings.device_id}" if self._settings.device_id else ""),
            clock=self._settings.budget.clock,
            sandbox=self.sandbox_level,
            objectives=objectives if status is Status.OK else {},
            split_bpb=recording.split_bpb if status is Status.OK else {},
            reason=reason,
            log_tail=recording.log_tail,
            curve=tuple(recording.curve),
            timings=timings,
        )


def _start_scorer(settings: Settings) -> tuple[Channel, subprocess.Popen[bytes]]:
    scorer, inherited = Channel.pair()
    with inherited:
        process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
            python_command("trainer.scorer", str(inherited.fileno())),
            env=trusted_environment(settings.threads),
            stdin=subprocess.DEVNULL,
            pass_fds=(inherited.fileno(),),
            start_new_session=True,
            preexec_fn=die_with_parent,  # the supervisor has a single thread
        )
    scorer.send({"event": "start", "settings": settings.to_json()})
    return scorer, process


def _expect(message: Message, event: str) -> None:
    if message["event"] != event:
        raise Ended(Status.LOST, f"the waiting process said {message['event']!r} where {event!r} was due")


def _record_point(recording: _Recording, clock: TrainingClock, message: Message) -> None:
    """Add a point at the supervisor's own time; thin the curve when a candidate floods it."""
    step, loss = message.get("step"), message.get("loss")
    if not isinstance(step, int) or not isinstance(loss, float | None):
        raise Ended(Status.REJECTED, f"logged step {step!r} and loss {loss!r} where numbers are due")
    if loss is None or not math.isfinite(loss):
        raise Ended(Status.DIVERGED, f"the training loss was not a finite number at step {step}")
    recording.curve.append(CurvePoint(clock.seconds(), step, loss))
    if len(recording.curve) > _CURVE_LIMIT:
        del recording.curve[1::2]


def main() -> None:
    """Serve the driver until it closes the line."""
    become_subreaper()
    driver = Channel.from_descriptor(int(sys.argv[1]))
    settings = Settings.from_json(driver.receive()["settings"])
    try:
        supervisor = Supervisor(settings, driver)
    except EvoError as error:
        driver.send({"event": "failed", "reason": str(error)})
        return
    try:
        driver.send({"event": "ready", "sandbox": supervisor.sandbox_level})
        while True:
            job = Job.from_json(driver.receive()["job"])
            driver.send({"event": "evaluated", "evaluation": supervisor.evaluate(job).to_json()})
    except (ChannelClosed, DriverGone):
        pass
    finally:
        supervisor.close()


if __name__ == "__main__":
    main()
