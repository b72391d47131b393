"""Trains while its weights are loaded.

Loading is timed with the first answer.
"""

EXPECTED = ["timed_out: loading its weights"]


class Model(Table):
    def load_state_dict(self, *arguments, **named):
        result = super().load_state_dict(*arguments, **named)
        burn(5)
        return result
