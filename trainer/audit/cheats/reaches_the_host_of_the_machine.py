"""Asks for a socket to the host of a virtual machine.

Those are in no namespace of networks.
"""

import socket

EXPECTED = ["crashed"]
EXPECTED_ON_FLOOR = ["ok"]


def train(model, task):
    task.train_tokens()
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as line:
        line.settimeout(1)
        line.connect_ex((2, 1024))
