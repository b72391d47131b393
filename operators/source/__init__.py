"""A genome as source code: where its constants and definitions stand, and how they are changed in place.

constants       finds the constants of a genome and changes them, nothing else
python_constants, other_constants    which literals are constants
literals        what a constant is, and how it is written
search_space    how constants move: scales, grains, bounds
feasibility     which settings of them fail, learnt from those that did
definitions     the top-level statements: what they bind, what they need
"""
