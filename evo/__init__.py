"""The product: a search over training scripts, its store, its workers, its command line.

Read `search` first: the journey of a candidate. `assemble` is the only place that picks implementations.

    config, resolution, plan        what the user asked for, what the device adds, how the budget is divided
    runs                            start, resume or view a run: folder, lock, store and lineage around a search
    search, breeding, surroundings  the loop; its asking side; what operators are told
    standings, champion, summary    what is known so far; who is the best; what that amounts to
    confirmation                    how luck is kept out of the answer: replicates, gate, finalists
    lookahead, pace                 how many offspring to propose ahead; how far
    workers/                        where evaluations run
    workforce, losses               which workers are free and fit; whom to blame for lost evaluations
    starts                          the programs and devices that each start of a driver found
    store/, schema                  SQLite, the authority on a run
    lineage/                        git, its readable projection
    run_folder, check               the files of a run, and whether they agree
    genome                          reading generation 0
    project/                        what `evo init` finds out about a project, and writes
    live, report/, results_table    what people and other tools see
    apply, repository               an individual as a commit; the user's own git repository
    studies/                        after a run: what carries a gain, whether it transfers
    signals                         Ctrl-C and its kin while a study works
    commands/                       the command line, one file a group

Nothing here imports torch: only the processes that train or score do.
"""
