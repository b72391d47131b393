"""What the commands print and draw; each file formats what another room has worked out.

terminal      lines, tables and numbers, shared by all of them
live          the terminal during a run
summary       the result of a run
conclusion    its last lines: what the best individual changed, which commands to try next
status        `evo status`: one line a fact
workers       `evo workers`
individual    `evo show`
refused       `evo show`, of a proposal that gave no individual
family        `evo lineage`
study         the terminal during an ablation or a promotion, and their results
comparison    the terminal during `evo compare`
ladder        the terminal during `evo ladder`, and its result
"""
