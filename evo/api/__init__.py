"""The Python interface: what `import evo` offers, in a script, in a thread, and where an event loop runs (Jupyter).

reading     `open_run`: a run as objects and pandas DataFrames
running     `run`, `resume`, `ladder`: what the commands of these names do
ask_tell    `Search`: candidates that a program of the user's evaluates
driving     a search in a thread of its own
"""
