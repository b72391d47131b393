"""TensorBoard: the curves and the best genome as text, in `tracking/tensorboard` of the run's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evo.followers.trackers.protocol import TrackedResult, TrackedRun

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter


class TensorBoard:
    """Tracks with tensorboardX, which writes event files without TensorFlow and without torch."""

    def begin(self, run: TrackedRun, kept: dict[str, Any]) -> None:  # noqa: ARG002 - files of one folder go together
        """Open a new file of events; TensorBoard joins it to those of earlier drivers."""
        from tensorboardX import SummaryWriter

        self._writer: SummaryWriter = SummaryWriter(str(run.folder / "tensorboard"))
        settings = "\n".join(f"    {name} = {value}" for name, value in run.settings.items())
        self._writer.add_text("settings", settings, 0)

    def result(self, result: TrackedResult) -> None:
        """Log a result."""
        for name, value in result.metrics().items():
            self._writer.add_scalar(name, value, result.number, walltime=result.at)
        for name, text in result.best_genome.items():
            indented = "".join(f"    {line}" for line in text.splitlines(keepends=True))  # Markdown's code
            self._writer.add_text(f"best/{name}", indented, result.number, walltime=result.at)

    def flush(self) -> None:
        """Write the file."""
        self._writer.flush()

    def end(self, state: str) -> None:  # noqa: ARG002 - TensorBoard knows no states
        """Close the file."""
        self._writer.close()
