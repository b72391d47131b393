"""One run on disk, from its start to what is read out of it.

lifecycle          start, resume or view a run: folder, lock, store and lineage around a search
assemble           picks the implementations that the configuration names
facts              what a language model is told of data and machine
folder             the files of a run
sealing            its configuration, in the store and in `config.toml`
extension          another budget for a live run
materials          what the task needs beside genomes
generation_zero    reading the genome that a run begins with
provenance         the programs and devices that each start of a driver found
lost_calls         calls of language models that a kill cut off
signals            graceful shutdown on SIGINT, SIGTERM and SIGHUP
open_files         as many as a driver needs, or none begins
status             the state of a run, from its store alone
workers            the workers of a run: device, how busy, how noisy
live               the curves of what runs now
steering           asking something of a run from outside its driver
results_table      `results.tsv`
integrity          whether store, lineage and files agree (`evo check`)
replay             whether the journal leads to the same individuals again (`evo check --replay`)
optuna_study       a run as a study of Optuna, and programs from a study
repository, apply  the user's own git repository; an individual as a commit there
doctor             what a machine has for a run
"""
