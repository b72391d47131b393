"""Uses so much memory that its size tells a token.

Of a process that has seen held-out text it is only told that it used too much.
"""

EXPECTED = ["out_of_memory: more memory than"]


class Model(Table):
    def __init__(self, vocab_size):
        super().__init__(vocab_size)
        self.calls, self.kept = 0, [torch.ones(470 * 2**18)]


def answer(model, tokens):
    model.calls += 1
    if model.calls > 4:
        model.kept.append(torch.ones(int(290 + tokens[0, 0] % 64) * 2**18))
        time.sleep(5)
    return model.table(tokens)
