"""`evo compare`: several ways of searching under equal budgets, and an honest statement of which is better.

    experiment   a committed TOML file: arms, task, budget, repeats, outcome
    arms         well-known ways of searching (`methods`) as configurations of the search
    cost         what an experiment will take
    preparation  the experiment on this machine, which may not become another one
    running      what is missing, in blocks, one run a worker; `driver` is the process of one run
    outcome      what a run chose, trained again with fresh seeds
    folder       where everything is kept
    collecting   from the runs' stores to results
    statistics/  results as tables, rank tests, effect sizes with intervals, power, curves, attainment
    report/      what may be claimed, as a page, Markdown and CSV

An arm is any configuration of the search. A run's outcome is a held-out re-evaluation of the one individual that it
chose, with fresh seeds, never the best value that it saw. Budgets count crashes, repairs and re-evaluations.
"""
