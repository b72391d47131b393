"""What is done next. Read `search` first: the journey of a candidate.

search          the loop
proposals       its asking side: proposals begin, are made, and become individuals or are refused
evaluations     its work: what waits for a worker, runs, or was lost
smoke           what operators have made is tried for a moment, on a worker
placement       which worker may take one where devices are unequal, and on what scale its result is
breeding        how an offspring comes about: parents, operator, context, gate
mating          the operator and the parents of a proposal
context         what operators know of relatives
calls           how many proposals may ask a service at a time, and what happens while it cannot be used
repairs         a program of a language model or agent that crashed, and goes back to it once
memory          every idea of the run and what became of it, as a proposal may know it
lessons         what a language model says that the run has taught, asked now and then
instructions    what the user tells language models, as of any proposal
watched         a file that the user edits while a run goes on
jobs            the job of a worker for an evaluation
time_limits     how long a script may run
replication     more seeds for the leaders
confirmation    when generation 0 is replicated and the finalists are evaluated, with which seeds
credit          which operators improve on their parents, and at what cost
controls        what users ask of a running search
stopping        when to end before the budget does
pace            how many offspring to propose ahead
observer        what a search reports to a view
events          the same as typed events, for callbacks of users
event_log       the same as lines of JSON
"""
