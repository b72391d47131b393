"""What the user asks for, and what it comes to on this machine.

config        the settings of a run, section by section, as they stand in `evo.toml`
reading       read them from TOML and flags, and say what is wrong
task          the section of the task: the embedded language-model task, or a script of the user's
resolved      the same without a `None`: as a run stores it, and with the devices of this machine
models        the language models of a run, `[[llm.models]]`
names         names of users that become names of folders
options       the flags of `evo run` and `evo resume`, which the Python API shares
renamed       keys that had another name once
resolution    fills in what is left to the device and the environment
workplaces    the kinds of workers, and the devices that each finds; alone asks which devices there are
"""
