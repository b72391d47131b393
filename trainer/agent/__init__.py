"""An external command that edits files, such as a coding agent, in a sandbox of its own that reaches the network.

job          what it is to edit, and what came of it
process      runs it from the driver, in a supervisor of its own
supervisor   `python -m trainer.agent`: keeps it within its limits, and reads the files back when all of it has ended
folder       the folder that it works in
programs     where its program is, and what belongs to its installation
"""

from trainer.agent.job import Edited, EditingError, EditingJob
from trainer.agent.process import edit_files
from trainer.agent.programs import found_program

__all__ = ["Edited", "EditingError", "EditingJob", "edit_files", "found_program"]
