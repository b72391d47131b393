"""What `evo init` finds out about a project, without running any of it, and the files that it writes.

modules       the project's Python files, parsed; which of them import which
reach         which code runs when a file is started, and whether it runs once
templates     printed lines as literal text with values in between
printed       the metrics in such lines and in JSON files, each with the expression that reads it
wording       what the name of a metric says: its direction, its split, its kind
instructions  what program.md, README and shell scripts say: commands, the file that evolves, the metric
frozen        modules, files and folders that the program reads
flags         seeds and seconds on the command line, a fixed time in a constant
examine       all of it put together: `examine` returns what was `Found`
found         `Found`: what was found, as data
writing       evo.toml and program.md
checking      an evo.toml held against the disk, then against one evaluation
"""
