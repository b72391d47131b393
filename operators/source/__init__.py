"""A genome as source code: where its constants and definitions stand, and how they are changed in place.

constants       finds the constants at the top of a genome and changes them, nothing else
search_space    how constants move: scales, grains, bounds
feasibility     which settings of them fail, learnt from those that did
definitions     the top-level statements: what they bind, what they need
text            cuts and pastes by the positions of a syntax tree
"""
