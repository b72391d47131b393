"""A coding agent as an operator: an external command edits the program in a folder of its own.

`operator` is what the search sees; `settings` and `presets` say what is run; `briefing` fills the folder; `outputs`
reads what the command prints. It is run by `trainer.agent`, in a sandbox of its own.
"""

from operators.agent.operator import Agents, LLMAgent
from operators.agent.presets import PRESETS, Preset
from operators.agent.settings import AgentSettings

__all__ = ["PRESETS", "AgentSettings", "Agents", "LLMAgent", "Preset"]
