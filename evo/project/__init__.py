"""`evo init`: what a project consists of, and the files that are written about it.

examine       find everything, question by question, and return it as `Found`
sources       a project's files and texts, and what each program seems to do
evolving      which files evolve
starting      which program is started, by what command
files         what candidates are given to read, what the trusted program alone reads, and what is missing
reporting     which numbers are reported, and what the user should know of the one that decides
found         what was found, as plain data
writing       evo.toml and program.md, from the templates in `templates/`
example       copy a worked example of `examples/` into a folder
first_run     run the program once in the sandbox, to read what it prints
checking      check an evo.toml against the disk, then by one evaluation
audit/        small programs with edits that cheat or are honest, judged as offspring (`evo audit --script`)

text_genomes  files that are not Python and could evolve
modules       the Python files of a project, parsed, and their imports of each other
reach         which calls run when a file is started, and whether they run once
lines         the lines that a call prints: literal text with values in it
printed       the metrics in such lines and in JSON files, with how each is read
output        the metrics in what the program printed, from `phrases` (lines) and `tables`, as `places`
left          the metrics in the files that the program left
choosing      which metric decides: a flag, the documentation, names; or the question that is left to the user
shown         what a printed value shows: a loss that is propagated backwards, or a measure of the test set
wording       what the name of a metric means: direction, split, kind
instructions  what program.md, README and shell scripts say: commands, the file that evolves, the metric
protected     the code of the genome that no individual may change, by data flow; its parts are in `protection/`
frozen        modules, files and folders that the program reads, and what of it candidates are never given
returned      functions of the genome whose results are reported: it holds its own evaluation
interpreter   the Python that the project runs with
seeds         how the program takes its seed
flags         the arguments of the program's command line, and the run time that a flag or a constant fixes
"""
