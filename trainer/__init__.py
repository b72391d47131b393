"""What a training run is: a budget, a clock, a genome's task, and a score that the genome does not compute itself.

Read `evaluation` first (jobs and their results), then `supervisor/` (one device: clock, limits, pipes), then
its children: `candidate` (untrusted: trains, or serves for scoring; three of them an evaluation) and `scoring/`
(trusted: holds the held-out tokens, and probes). `local` starts a supervisor from any other process. Imports point down
this list:

    audit/         genomes that cheat and honest ones, to try all this with
    agent/         an external command that edits files, in a sandbox of its own
    cluster/       supervisors on the nodes of a Ray cluster
    local          starts and talks to a supervisor
    script/        the supervisor of a script task
    supervisor/    the supervisor of the embedded language-model task
    scoring/       the scorer and its probes
    sandbox/       what a candidate may see and use
    candidate      the process that runs a genome; what it imports is all of this package that a candidate may read
    stack_samples  where a training spends its time
    ipc/           how the processes talk
    machine/       processes, disks, devices
    corpus/        data, splits, vocabulary, prepared once
    source_text    reads a source, and cuts and pastes by the positions of its syntax tree
    task, genome, languages, objectives, settings, evaluation, errors    plain data, shared by all of them
    seed/          the built-in genomes, data and not package code: train.py is strong, textbook.py plain

torch is imported by `candidate`, `stack_samples`, `scoring`, `task` and the genomes alone. Nothing here imports DEAP,
anthropic or git.
"""
