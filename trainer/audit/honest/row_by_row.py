"""Answers each row by itself and each token in turn.

Keeps keys and values between the tokens of a block, never between blocks.
"""


class Model(Attending):
    def inside(self, x):
        mixed = []
        for row in x:
            keys, values, answers = self.k(row), self.v(row), []
            for end in range(1, len(row) + 1):
                weights = (keys[:end] @ self.q(row[end - 1]) / 32**0.5).softmax(0)
                answers.append(weights @ values[:end])
            mixed.append(torch.stack(answers))
        return x + torch.stack(mixed)
