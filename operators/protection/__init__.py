"""Protected code: what a script task scores, when and how long is no candidate's to change.

units        a source as a list of statements and heads, which are compared one by one
marks        comments in a file that fix a part of it, or let only a part of it evolve
entries      what an entry of `task.protect` names
items        items of tables that are protected
guards       what protected code relies on
output       the text that a statement may print, as far as it can be known
parts        data that hold training and held-out rows together
handed       other names for protected data
probabilities  what makes numbers sum to one
forging      what a new statement may not report
child        what the rules know of a file of a changed program
modules      what such a file may import
objects      rules about what new statements make
rules        what a new statement may not do beside protected code
protection   compares a source with generation 0
"""

from operators.protection.forging import Reported
from operators.protection.protection import UNPROTECTED, Protection

__all__ = ["UNPROTECTED", "Protection", "Reported"]
