"""Committed experiments: definitions, programs, and dated records of what came out. The product imports none of them.

    performance.py             what the driver costs: run by `make bench`, recorded in records/
    driver_cost.py             seconds and memory of the driver per candidate
    freshness.py               how much a slow model's proposals know when they begin, and how busy slots are
    slots_busy.py              share of slot-seconds that evaluations fill
    workers_busy.py            the same for a whole night on 16 devices, in simulated time
    worker_overhead.py         worker seconds outside training and scoring
    startup.py                 `evo --help`
    gpu.py                     what has to be seen on a GPU, in parts of at most nine minutes each
    simulation.py              an evaluator without training, an operator without cost
    simulated_time.py          an event loop whose clock jumps to the next timer
    seed_against_baselines.py  generation 0 beside plain GPTs
    regret.py                  the search beside other methods on recorded tables, noise included
    tables.py                  these tables as tasks; needs `pip install .[bench]`
    table_search.py            the product's search over a table: in memory, on simulated time
    table_baselines.py         random search, greedy, genetic algorithm, TPE
    unstated_ranges.py         the search beside other methods on scripts that state no ranges
    scripts.py                 these scripts: constants, crashes, noise, two structures
    script_baselines.py        random search, TPE, CMA-ES, a random forest
    fronts.py                  Pareto fronts beside other NSGA-II, on recorded tables whose exact fronts are known
    front_tables.py            these tables as tasks; needs `pip install .[bench]`
    front_baselines.py         random search, NSGA-II of pymoo and of Optuna
    planted_truth.py           what `evo compare` finds where the truth is known: false claims, power, intervals
    landscape.py               results of comparisons whose truth is known
    comparison.py              one comparison from its file to its record; a rehearsal with its server
    compare/                   experiments of `evo compare` for a CPU
    llm_vs_random.toml         one for real keys and GPUs
    scripted_model.py          a server in a language model's place
    baselines/                 the plain GPT, a genome
    demo_gain.py               what `make demo` finds, with many seeds of the search
    demo_picture.py            draws docs/run.svg and docs/report.png of a run of it
    recording.py               how a record is written: the command, the machine, the numbers
    records/                   what was measured, by date

Each program runs alone (`python -m experiments.driver_cost`) and prints what it measures.
"""
