"""The child processes of one supervisor: the scorer, and warm candidates that serve once each."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

from trainer.errors import MachineError
from trainer.ipc.candidate_protocol import GENOME_FILE, Role
from trainer.ipc.channel import Channel, ChannelClosed
from trainer.machine.processes import Family, die_with_parent, has_ended
from trainer.sandbox import Command, candidate_environment, python_command, trusted_environment
from trainer.settings import Settings
from trainer.supervisor.process_tree import ProcessTree, Workplace

# In the order in which an evaluation needs them. Of those that serve, one is scored and one answers the probes.
_SPARES = {Role.SERVE: 2, Role.TRAIN: 1}
_START_PATIENCE_SECONDS = 300.0


class Crew:
    """Everything that one supervisor started and has to end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._workplace = Workplace(settings)
        self.sandbox = self._workplace.sandbox
        self.scorer = ScorerProcess(settings, self._workplace.family)
        self._spares = [self._new_candidate(Role.TRAIN)]

    def read_only_path(self, path: Path) -> Path:
        """Return a path to a file whose descriptor may be given to a candidate for reading only."""
        try:
            return self.sandbox.read_only_path(path)
        finally:
            self._workplace.family.end_orphans()

    def take(self, role: Role) -> Candidate:
        """Return the oldest living spare of a role, or else a new candidate."""
        for spare in [spare for spare in self._spares if spare.role is role]:
            self._spares.remove(spare)
            if not has_ended(spare.pid):
                return spare
            spare.close()
        return self._new_candidate(role)

    def next_spare(self) -> Candidate:
        """Return the oldest spare, leaving it where it is."""
        return self._spares[0]

    def refill(self) -> None:
        """Start a spare if one is missing and no other is warming up: at most one takes time from a training."""
        present = Counter(spare.role for spare in self._spares)
        missing = [role for role, wanted in _SPARES.items() if present[role] < wanted]
        if missing and not any(spare.warming() for spare in self._spares):
            self._spares.append(self._new_candidate(missing[0]))

    def replace_scorer(self) -> None:
        """End the scorer and start another."""
        self.scorer.close()
        self.scorer = ScorerProcess(self._settings, self._workplace.family)

    def close(self) -> None:
        """End every child and remove every scratch folder."""
        for spare in self._spares:
            spare.close()
        self._spares.clear()
        self.scorer.close()
        self._workplace.close()

    def _new_candidate(self, role: Role) -> Candidate:
        return Candidate(role, self._settings, self._workplace)


class Candidate(ProcessTree):
    """A warm process with its line to the supervisor, which the scorer takes over for scoring."""

    def __init__(self, role: Role, settings: Settings, workplace: Workplace) -> None:
        self.role = role
        self.ready = False
        self._shown: str | None = None
        self.channel, inherited = Channel.pair()
        line = inherited.fileno()
        words = python_command("trainer.candidate", str(line), settings.device, str(settings.threads), role)
        scratch = workplace.scratch.new_folder()
        environment = candidate_environment(workplace.sandbox.home(scratch), settings.device_id, settings.threads)
        try:
            with inherited:
                super().__init__(workplace, Command(words, scratch, environment, (line,)))
        except OSError:
            self.channel.close()
            raise

    def warming(self) -> bool:
        """Return whether it still warms up."""
        if not self.ready:
            try:
                self.ready = self.channel.take() is not None
            except ChannelClosed:
                return False
        return not self.ready

    def give_genome(self, source: str) -> None:
        """Write the genome into the scratch folder, and measure from now on."""
        (self.scratch / GENOME_FILE).write_text(source, encoding="utf-8", newline="")
        self.begin()

    def hide_output(self) -> None:
        """Show nothing of what it prints from now: it is about to see held-out text."""
        self.output.read()
        self._shown = self.output.tail()

    def shown_output(self) -> str:
        """Return the end of what it printed, as far as that is shown."""
        return self.output.tail() if self._shown is None else self._shown

    def close(self) -> None:
        """End the tree, close the line and remove the scratch folder."""
        self.channel.close()
        super().close()


class ScorerProcess:
    """The trusted process that holds the held-out tokens."""

    def __init__(self, settings: Settings, family: Family) -> None:
        self._family = family
        self._ready = False
        self.channel, inherited = Channel.pair()
        with inherited:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                python_command("trainer.scoring", str(inherited.fileno())),
                env=trusted_environment(settings.threads) | {"CUDA_VISIBLE_DEVICES": settings.device_id},
                stdin=subprocess.DEVNULL,
                pass_fds=(inherited.fileno(),),
                start_new_session=True,
                preexec_fn=die_with_parent,  # the supervisor has a single thread
            )
        family.add(self._process.pid)
        self.channel.send({"event": "start", "settings": settings.to_json()})

    def await_ready(self) -> None:
        """Wait until it has loaded the corpus; raise MachineError when it did not start."""
        if self._ready:
            return
        try:
            answer = self.channel.receive(_START_PATIENCE_SECONDS)
        except ChannelClosed as error:
            raise MachineError(f"The scorer did not start: {error}; its own message stands above.") from error
        if answer["event"] == "failed":
            raise MachineError(str(answer["reason"]))
        self._ready = True

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._family.discard(self._process.pid)
        self.channel.close()
