"""One device's supervisor: `python -m trainer.supervisor DESCRIPTOR`.

It holds the clock, the limits and the lines. For each job it lets one fresh candidate process train and hand over its
weights, ends that whole tree, and has the scorer question two more, one after the other, that were given the same
genome and, once their models are built, those weights: the first is scored, the second answers the probes. It trusts
nothing that a candidate says about time, memory or loss. When the driver's line closes, it ends everything and itself.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainer.corpus import Corpus, load
from trainer.errors import MachineError
from trainer.evaluation import SMOKE_SECONDS, TRAINING_LOSS, Budget, Clock, CurvePoint, Evaluation, Job, Split, Status
from trainer.ipc.candidate_protocol import WEIGHTS_FILE, Part, Role, failure_status, slow_reason
from trainer.ipc.channel import Channel, ChannelClosed, Message
from trainer.settings import Settings
from trainer.supervisor.clock import TrainingClock
from trainer.supervisor.crew import Candidate, Crew
from trainer.supervisor.divergence import Divergence
from trainer.supervisor.live import LiveCurve
from trainer.supervisor.measurements import code_lines, executed, give_weights, read_parameters, take_weights
from trainer.supervisor.service import Deaths, Recording, serve_driver
from trainer.supervisor.throughput import Throughput
from trainer.supervisor.watch import DriverGone, Ended, TimeLimit, Watch

_CURVE_LIMIT = 2000
_MESSAGES_LIMIT = 5_000  # an honest candidate sends some hundreds
_STEP_LIMIT = 2**53  # what every reader of JSON and SQLite can hold
_WARM_UP_SECONDS = 300.0
_LAST_WORDS = ("scored", "unscorable", "gone")  # of the scorer on an order


class Supervisor:
    """Evaluates jobs one after the other on one device."""

    def __init__(self, settings: Settings, driver: Channel) -> None:
        """Start every child, and wait until the scorer and a first candidate are ready.

        Raises:
            MachineError: one of them cannot work on this machine.
            DriverGone: the driver closed its line meanwhile.
        """
        self._settings = settings
        self._driver = driver
        self._deaths = Deaths()
        self._live = LiveCurve(settings.live)
        self._corpus: Corpus = load(settings.corpus)
        self._crew = Crew(settings)
        try:
            self._train_path = self._crew.read_only_path(self._corpus.train_path)
            self._crew.scorer.await_ready()
            self._await_ready(self._crew.next_spare())
        except Ended as end:
            self.close()
            raise MachineError(f"A warm process for {settings.device} did not start: {end}.") from end
        except (MachineError, DriverGone):
            self.close()
            raise

    @property
    def sandbox_level(self) -> str:
        """Name of the isolation that candidates run under."""
        return self._crew.sandbox.level

    def close(self) -> None:
        """End every child and leave nothing behind."""
        self._crew.close()

    def evaluate(self, job: Job) -> Evaluation:
        """Train and score one genome; every ending of a candidate is a status, never an exception."""
        asked, recording = job, Recording()
        status, reason = Status.OK, ""
        self._live.begin()
        try:
            recording.objectives["code_lines"] = float(code_lines(job.genome))
            job = replace(job, genome=executed(job.genome))
            self._crew.scorer.await_ready()
            if job.is_smoke:
                self._try_out(job, recording)
            else:
                self._train_and_score(job, recording)
                recording.objectives["val_bpb"] = recording.split_bpb[Split.SELECTION]
                recording.objectives["train_seconds"] = recording.timings.train_seconds
                _refuse_gap(recording, job.widest_gap)
        except Ended as end:
            status, reason = self._deaths.verdict(asked, end)
        except OSError as error:
            status, reason = Status.LOST, f"the machine failed: {error}"
        finally:
            self._live.end()
        device, clock = self._settings.device_name, self._settings.clock
        return recording.evaluation(job, status, reason, device=device, clock=clock, sandbox=self.sandbox_level)

    def _train_and_score(self, job: Job, recording: Recording) -> None:
        with self._candidate(Role.TRAIN, recording) as trainee:
            self._train(trainee, job, recording)
            # Both start now if they are not warm yet. The second one's output would only repeat the first one's.
            with (
                self._candidate(Role.SERVE, recording) as server,
                self._candidate(Role.SERVE, Recording()) as replica,
                _weights(trainee, recording) as weights,
            ):
                self._score(server, replica, weights, job, recording)

    def _try_out(self, job: Job, recording: Recording) -> None:
        """Let a genome train for a moment, and have the result answer for training text; nothing held out is asked."""
        with self._candidate(Role.TRAIN, recording) as trainee:
            self._train(trainee, job, recording)
            with self._candidate(Role.SERVE, recording) as server, _weights(trainee, recording) as weights:
                self._question(server, {"event": "try"}, weights, job, recording)

    @contextlib.contextmanager
    def _candidate(self, role: Role, recording: Recording) -> Iterator[Candidate]:
        """Give a candidate, warm or warming up, and end it with everything that it started."""
        candidate = self._crew.take(role)
        try:
            yield candidate
        finally:
            candidate.kill()
            recording.log_tail = candidate.shown_output() + recording.log_tail
            candidate.close()

    def _await_ready(self, candidate: Candidate) -> None:
        """Wait until a candidate is warm; it has no genome yet, so a failure is LOST."""
        if candidate.ready:
            return
        limit = TimeLimit(time.monotonic() + _WARM_UP_SECONDS, f"was not warm within {_WARM_UP_SECONDS:g} s")
        try:
            # No refilling meanwhile: that would take the message awaited here.
            Watch(candidate, self._settings.limits, self._driver).next_message(limit)
        except Ended as end:
            candidate.kill()
            said = candidate.output.tail().strip()
            raise Ended(Status.LOST, f"a warm process {end}: {said}" if said else f"a warm process {end}") from end
        candidate.ready = True

    def _train(self, trainee: Candidate, job: Job, recording: Recording) -> None:
        self._await_ready(trainee)
        budget = self._settings.budget.shared(job.budget_fraction)
        watch = Watch(trainee, self._settings.limits, self._driver, self._crew.refill)
        trainee.give_genome(job.genome)
        limit = TimeLimit(
            time.monotonic() + budget.setup_seconds,
            f"did not ask for its data within the {budget.setup_seconds:g} s that set-up may take",
        )
        clock = TrainingClock(budget, trainee, self._settings.device, self._settings.threads)
        throughput = Throughput(job.floor_tokens_per_second, budget.train_seconds)
        try:
            _tell(trainee, self._training_order(job, budget))
            self._follow_training(watch, limit, clock, throughput, trainee, recording)
        finally:
            recording.tokens_per_second = throughput.tokens_per_second
            recording.timings = clock.measure(recording.timings)
            trainee.sample_memory()
            trainee.kill()
            recording.objectives["peak_memory_mib"] = trainee.peak_memory_mib
        if not trainee.has_ended:
            raise Ended(Status.LOST, "a process of its training could not be ended")
        watch.check_peak()
        clock.check(recording.timings)

    def _follow_training(
        self,
        watch: Watch,
        limit: TimeLimit,
        clock: TrainingClock,
        throughput: Throughput,
        trainee: Candidate,
        recording: Recording,
    ) -> None:
        divergence = Divergence(self._corpus.vocab_size)
        for _ in range(_MESSAGES_LIMIT):
            message = watch.next_message(limit)
            if message["event"] == "saved":
                recording.timings = replace(recording.timings, train_parts=_parts(message))
                return
            if message["event"] == "data" and not clock.running:
                # First the clock: between the two this process may have to wait for its turn.
                limit = clock.start()
                self._hand_over_data(trainee)
            elif message["event"] == "log":
                _record_point(recording, clock, divergence, message)
                newest = recording.curve[-1]
                self._live.tell(TRAINING_LOSS, newest.seconds, newest.loss)
                _record_tokens(throughput, clock, message)
            elif message["event"] == "error":
                raise Ended(failure_status(message), str(message.get("reason")))
            elif message["event"] != "built":
                raise Ended(Status.REJECTED, f"broke the protocol of evaluations with {message['event']!r}")
        raise Ended(Status.REJECTED, f"sent more than {_MESSAGES_LIMIT} messages")

    def _training_order(self, job: Job, budget: Budget) -> Message:
        return {
            "event": "train",
            "seed": job.seed,
            "budget_seconds": budget.train_seconds,
            "seconds": min(SMOKE_SECONDS, budget.train_seconds) if job.is_smoke else budget.train_seconds,
            "is_smoke": job.is_smoke,
            "clock": budget.clock,
            "sequence_length": self._settings.sequence_length,
            "vocab_size": self._corpus.vocab_size,
        }

    def _hand_over_data(self, trainee: Candidate) -> None:
        descriptor = os.open(self._train_path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _tell(trainee, {"event": "data"}, (descriptor,))
        finally:
            os.close(descriptor)

    def _score(self, server: Candidate, replica: Candidate, weights: Path, job: Job, recording: Recording) -> None:
        """Have one replica scored, then the other one probed; nothing can pass between them."""
        started = time.monotonic()
        try:
            order = {
                "event": "score",
                "splits": list(job.splits),
                "holdout_below": job.holdout_below,
            }
            self._question(server, order, weights, job, recording)
            self._question(replica, {"event": "verify"}, weights, job, recording)
        finally:
            recording.timings = replace(recording.timings, score_seconds=time.monotonic() - started)

    def _question(self, candidate: Candidate, order: Message, weights: Path, job: Job, recording: Recording) -> None:
        """Give a candidate its genome, let the scorer question it, and end it; raise Ended when it fails."""
        self._await_ready(candidate)
        watch = Watch(candidate, self._settings.limits, self._driver)
        candidate.give_genome(job.genome)
        group = None if candidate.group is None else str(candidate.group)
        order |= {"seed": job.seed, "pid": candidate.pid, "group": group, "weights_bytes": weights.stat().st_size}
        try:
            self._crew.scorer.channel.send(order, (candidate.channel.fileno(),))
            candidate.channel.close()
            last = self._collect_scores(watch, candidate, weights, job, recording)
        except ChannelClosed as error:
            self._crew.replace_scorer()
            raise Ended(Status.LOST, "the scorer ended before its work") from error
        except (Ended, OSError):
            # It is still at work on this order, and would take the next one for an answer that it waits for.
            self._crew.replace_scorer()
            raise
        if last["event"] == "unscorable":
            raise Ended(Status(last["status"]), last["reason"])
        if last["event"] == "gone":
            raise watch.verdict_on_exit()
        if candidate.orphans():
            raise Ended(Status.REJECTED, "worked in a detached process while it was scored")
        candidate.kill()
        watch.check_peak()

    def _collect_scores(
        self, watch: Watch, candidate: Candidate, weights: Path, job: Job, recording: Recording
    ) -> Message:
        """Record the scores as they come; return the scorer's last word on the order."""
        splits = {*job.splits, *(() if job.holdout_below is None else (Split.HOLDOUT,))}
        seconds = self._settings.budget.score_seconds * len(splits)
        whole = TimeLimit(time.monotonic() + seconds, f"was not scored within the {seconds:g} s that scoring may take")
        limit = whole
        while (message := watch.next_message(limit, self._crew.scorer.channel))["event"] not in _LAST_WORDS:
            match message["event"]:
                case "built":
                    # Not before: without them there is nothing that this process could go on training.
                    give_weights(weights, candidate.scratch)
                    limit = self._go_on(candidate, message, whole)
                case "loaded":
                    candidate.hide_output()
                    watch.tells_figures = False
                    limit = self._go_on(candidate, message, whole)
                case _:
                    _record_score(recording, message)
        return message

    def _go_on(self, candidate: Candidate, message: Message, whole: TimeLimit) -> TimeLimit:
        """Let the scorer begin the next stage; return its limit: on the budget's clock, within that of all scoring."""
        seconds = float(message["seconds"])
        stage = "loading its weights" if message["event"] == "built" else "answering"
        clock = self._settings.budget.clock
        reason = slow_reason(seconds, clock, stage)
        if clock is Clock.CPU:
            limit = replace(whole, cpu_limit_seconds=candidate.cpu_seconds() + seconds, cpu_reason=reason)
        else:
            limit = min(whole, TimeLimit(time.monotonic() + seconds, reason), key=lambda one: one.deadline)
        self._crew.scorer.channel.send({"event": "go"})
        return limit


@contextlib.contextmanager
def _weights(trainee: Candidate, recording: Recording) -> Iterator[Path]:
    """Give the file of a candidate's weights, out of its reach."""
    weights = take_weights(trainee.scratch / WEIGHTS_FILE, trainee.scratch.with_name(WEIGHTS_FILE))
    try:
        recording.objectives["parameters"] = float(read_parameters(weights))
        yield weights
    finally:
        weights.unlink()


def _record_score(recording: Recording, message: Message) -> None:
    recording.split_bpb[message["split"]] = message["bits_per_byte"]
    if message["split"] == Split.SELECTION:
        recording.objectives["tokens_per_second"] = message["tokens_per_second"]


def _tell(candidate: Candidate, message: Message, descriptors: tuple[int, ...] = ()) -> None:
    """Send a message; where the line is closed, `Watch` finds out why."""
    with contextlib.suppress(ChannelClosed):
        candidate.channel.send(message, descriptors)


def _record_point(recording: Recording, clock: TrainingClock, divergence: Divergence, message: Message) -> None:
    """Add a point at the supervisor's own time; halve a curve that has grown too long."""
    step, loss = message.get("step"), message.get("loss")
    if type(step) is not int or not 0 <= step < _STEP_LIMIT or not isinstance(loss, float | None):
        raise Ended(Status.REJECTED, f"logged step {str(step)[:80]} and loss {str(loss)[:80]} where numbers are due")
    loss = math.nan if loss is None else loss
    divergence.tell(step, loss)
    recording.curve.append(CurvePoint(clock.seconds(), step, loss))
    if len(recording.curve) > _CURVE_LIMIT:
        del recording.curve[1::2]


def _record_tokens(throughput: Throughput, clock: TrainingClock, message: Message) -> None:
    """Take in the tokens that a candidate reports, if it does, from the moment it has the data."""
    tokens = message.get("tokens")
    if tokens is None or not clock.running:
        return
    if type(tokens) is not int or not 0 <= tokens < _STEP_LIMIT:
        raise Ended(Status.REJECTED, f"logged {str(tokens)[:80]} tokens where a number is due")
    throughput.tell(clock.seconds(), tokens)


def _parts(message: Message) -> dict[str, float]:
    """Return what a candidate says of where its time went; nothing where that is no distribution."""
    told = message.get("parts")
    shares: list[Any] = [told.get(part) for part in Part] if isinstance(told, dict) else []
    if not all(isinstance(share, float) and share >= 0 for share in shares) or not math.isclose(sum(shares), 1):
        return {}
    return dict(zip(map(str, Part), shares, strict=True))


def _refuse_gap(recording: Recording, widest: float | None) -> None:
    """Raise Ended when a score on the selection split is too good for the one on the holdout split."""
    selection, holdout = (recording.split_bpb.get(split) for split in (Split.SELECTION, Split.HOLDOUT))
    if widest is not None and selection is not None and holdout is not None and holdout - selection > widest:
        raise Ended(
            Status.REJECTED,
            f"scored {selection:.4f} bits per byte on the selection split and {holdout:.4f} on the holdout split, a "
            f"difference of more than {widest:.4f}: it knows text that it must not know",
        )


def main() -> None:
    """Serve the driver until it closes the line."""
    serve_driver(lambda settings, driver: Supervisor(Settings.from_json(settings), driver))
