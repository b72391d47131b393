"""What a training run is: a budget, a clock, a genome's task, and a score that the genome does not compute itself.

Read `evaluation` first (what is asked and what comes back), then `supervisor` (one device: clock, limits, lines), then
its children: `candidate` (untrusted: trains, or serves for scoring; three of them an evaluation) and `scorer` (trusted:
holds the held-out tokens, and probes with `probes`). `local` starts a supervisor from any other process.

    errors, objectives, evaluation, settings    plain data, shared with everybody
    task                                        what a genome sees
    corpus/                                     data, splits, vocabulary, prepared once
    channel, candidate_protocol, frames         how the processes talk
    processes, sandbox, scratch, disk, devices  how they are started, confined, measured and ended
    crew, output, watch, clocks, throughput, divergence, measurements   the supervisor's parts
    blocks                                      what of the held-out splits is scored
    probes, tolerance                           what shows that answers come from more than the tokens before them
    audit/                                      genomes that cheat and honest ones, to try all this with
    seed/train.py                               generation 0: data, not package code

torch is imported by `candidate`, `scorer`, `tolerance`, `task` and the genomes alone. Nothing here imports DEAP,
anthropic or git.
"""
