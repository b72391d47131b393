"""Individuals, selection and survival, on DEAP.

    fitness      `Fitness`: DEAP's fitness with weights per instance, finite or not valid
    individual   `Individual`: a genome with its family and its measurements
    dominance    dominance beyond noise, and the fronts of a population
    selection    parents: tournament, NSGA-II's crowded tournament, the seeding of DEAP's random source
    survival     (μ+λ) truncation and NSGA-II
    toolbox      `build_toolbox`: a run's selection and survival, chosen by its objectives, as a DEAP toolbox
    archive      what is worth remembering: hall of fame, Pareto front, non-dominated individuals
    hypervolume  the quality of whole fronts on one scale, and the knee of one
    islands      subpopulations, migration along a ring, age
    map_elites   the best individual of every cell
    descriptors  what the cells tell apart: depth, optimizer, distance, what was measured
    similarity   how much code two sources share
    diversity    sameness of code: `read_program`, `normal_form`
    grammar      syntax trees and sameness of what is not Python
    statements   the top-level statements of a source, read once and remembered
    syntax_digest   what a statement does, in 16 bytes

Nothing here knows how offspring arise or how they are measured: operators make sources, the search tells individuals
their measurements. DEAP's `creator` is not used, since it writes classes into a global module.
"""
