"""The family tree of a run as a git repository: a readable projection of the store, which can be rebuilt from it.

lineage    the repository: commits of individuals, the ref of the best, notes
writer     keeps it up with the store, once a step
format     how an individual becomes a commit and its evaluations a note
notes      the tree of the notes
objects    git's loose objects, written without a git process
refs       git's refs, likewise
"""

from evo.lineage.lineage import Lineage
from evo.lineage.refs import individual_ref

__all__ = ["Lineage", "individual_ref"]
