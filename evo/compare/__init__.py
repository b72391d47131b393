"""`evo compare`: several ways of searching under equal budgets, and an honest statement of which is better.

    experiment   a committed TOML file: arms, task, budget, repeats, outcome
    results      what its runs brought, as plain tables: all that statistics and report may look at
    statistics   which differences between arms are more than chance
    estimates    how large things are, with their intervals
    power        how many runs a claim needs

An arm is any configuration of the search. A run's outcome is a held-out re-evaluation of the one individual that it
chose, with fresh seeds, never the best value that it saw. Budgets count crashes, repairs and re-evaluations.
"""
