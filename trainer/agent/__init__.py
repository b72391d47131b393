"""An external command that edits files, such as a coding agent, in a sandbox of its own that reaches the network.

`process` runs it from the driver, in a supervisor of its own (`supervisor`, `python -m trainer.agent`) that lays its
`folder` out, keeps it within its limits, and reads the files back when nothing of it is alive any more.
"""

from trainer.agent.job import Edited, EditingError, EditingJob
from trainer.agent.process import edit_files
from trainer.agent.programs import found_program

__all__ = ["Edited", "EditingError", "EditingJob", "edit_files", "found_program"]
