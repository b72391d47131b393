"""The family tree of a run as a git repository: a readable projection of the store."""

from evo.lineage.lineage import Lineage
from evo.lineage.refs import individual_ref

__all__ = ["Lineage", "individual_ref"]
