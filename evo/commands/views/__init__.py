"""What the commands print and draw; each file formats what another room has worked out.

live          the terminal during a run
terminal      tables and numbers, shared by all of them
status, summary, individual, family, study, comparison
"""
