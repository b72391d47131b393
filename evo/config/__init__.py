"""What the user asks for, and what it comes to on this machine.

config        the settings of a run, section by section, as they stand in `evo.toml`
task          the section of the task: the embedded language-model task, or a script of the user's
resolution    fills in what was left to the device
"""
