"""Random mutation: the baseline that every other operator is compared with.

constants           moves constants on the scale they live on
structure           one small edit of the syntax, drawn from the files of edits
mixed               constants or structure, by chance
expression_edits    edits of operators, comparisons, calls and literals
statement_edits     edits of whole statements
torch_edits         edits that know torch: activations, norms, optimizers
other_edits         edits of C, C++, CUDA, Rust and prose
syntax              a LibCST tree in which one node can be replaced quickly
"""
