"""`evo compare`: several ways of searching under equal budgets, and an honest statement of which is better.

    experiment   a committed TOML file: arms, task, budget, repeats, outcome
    arms         well-known ways of searching as configurations of the search
    estimate     what it will take
    beginning    the experiment on this machine, which may not become another one
    running      what is missing, in blocks, one run a worker; `driver` is the process of one run
    outcome      what a run chose, trained again with fresh seeds
    folder       where everything stands
    collecting   from the runs' stores to results
    live         what a person sees meanwhile
    results      what its runs brought, as plain tables: all that statistics and report may look at
    statistics   which differences between arms are more than chance
    estimates    how large things are, with their intervals
    power        how many runs a claim needs
    curves       how far the arms are at any time, and how long they take to a target
    attainment   fronts of several objectives
    findings     all of these, of every arm and every comparison
    wording, document, figures, report, templates/   the findings as a page, Markdown, figures and CSV

An arm is any configuration of the search. A run's outcome is a held-out re-evaluation of the one individual that it
chose, with fresh seeds, never the best value that it saw. Budgets count crashes, repairs and re-evaluations.
"""
