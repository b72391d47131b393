"""How the processes of an evaluation talk: framed JSON over sockets, tensors through shared memory.

channel               messages over a socket pair, with descriptors attached
frames                blocks of tokens and logits in shared memory
candidate_protocol    what a candidate and its supervisor tell each other
"""
