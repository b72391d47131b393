"""Sends a packet to another machine.

Text, answers and keys could leave or come by it.
"""

import socket

EXPECTED = ["crashed"]
EXPECTED_ON_FLOOR = ["ok", "crashed"]


def train(model, task):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        way_out.connect(("192.0.2.1", 53))
        way_out.send(b"evo")
