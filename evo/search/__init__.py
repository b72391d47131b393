"""What is done next. Read `search` first: the journey of a candidate.

search          the loop
breeding        its asking side: a draft, a proposal
mating          who varies with whom
context         what operators are told of relatives
jobs            what a worker is asked for an evaluation
replication     further seeds for the leaders
confirmation    replicates of generation 0, the race of the finalists
credit          which operators improve on their parents, and at what cost
stopping        when to end before the budget does
pace            how many offspring to propose ahead
observer        what a view is told while a search goes on
"""
