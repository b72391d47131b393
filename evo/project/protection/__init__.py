"""Which code of a genome no individual may change; `evo.project.protected` puts it together.

entries        how protected units are named in `protect` of evo.toml
constants      constants that are protected, by what reads them
flow           what protected code depends on
clock          what ends by the clock, and its limits
origins        where protection starts: what reports, the time budget, the seed
probabilities  what divides by a sum where probabilities are measured
evolving_file  a file that evolves, as units with reasons
statements     what a single statement does
words          what names mean
"""
