"""The product: a search over training scripts, its store, its workers, its command line.

Read `search` first: the journey of a candidate. `assemble` is the only place that picks implementations.

    config, task_config             what the user asked for: of a run, of its task
    resolution, plan, materials     what the device adds, how the budget is divided, what the task needs beside genomes
    runs                            start, resume or view a run: folder, lock, store and lineage around a search
    search, breeding, mating        the loop; its asking side; who varies whom
    exploration, niches             when a stalled search explores; the archive of its niches
    surroundings, variants          what operators are told: of relatives; of programs with other constants
    standings, champion, summary    what is known so far; who is the best; what that amounts to
    gains                           what was confirmed: gains over generation 0, members of a front
    confirmation, second_looks      how luck is kept out of the answer: replicates, gate, leaders, finalists
    jobs                            what a worker is asked for an evaluation
    sentinels                       whether a device still measures what it measured
    credit                          which operators improve on their parents, and at what cost
    expenses                        what a run has used of its workers and of money
    stopping, endings               when to end before the budget does; how a search can end
    lookahead, pace                 how many offspring to propose ahead; how far
    workers/                        where evaluations run
    workforce, losses               which workers are free and fit; whom to blame for lost evaluations
    starts                          the programs and devices that each start of a driver found
    store/, schema                  SQLite, the authority on a run
    lineage/                        git, its readable projection
    run_folder, check               the files of a run, and whether they agree
    replay                          whether its journal leads to the same individuals again
    genome                          reading generation 0
    project/                        what `evo init` finds out about a project, and writes
    live, report/, results_table    what people and other tools see
    apply, repository               an individual as a commit; the user's own git repository
    studies/                        after a run: what carries a gain, whether it transfers
    signals                         Ctrl-C and its kin while a search or a study works
    commands/                       the command line, one file a group

Nothing here imports torch: only the processes that train or score do.
"""
