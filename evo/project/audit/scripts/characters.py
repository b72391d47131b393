"""A bigram language model of characters with batches as in nanoGPT; the losses are estimated while it trains."""

import math
import random

text = (
    "".join(
        f"the {word} and the {other}. " for word in ("cat", "dog", "bird", "fish") for other in ("tree", "sea", "sky")
    )
    * 6
)
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}

# hyperparameters
batch_size = 16
block_size = 8
max_iters = 200
eval_interval = 100
eval_iters = 10
learning_rate = 0.8

random.seed(1337)
data = [stoi[c] for c in text]
n = int(0.9 * len(data))
train_data = data[:n]
val_data = data[n:]


def get_batch(split):
    data = train_data if split == "train" else val_data
    starts = [random.randrange(len(data) - block_size) for _ in range(batch_size)]
    return [data[i : i + block_size] for i in starts], [data[i + 1 : i + block_size + 1] for i in starts]


class Bigram:
    def __init__(self, size):
        self.table = [[1.0] * size for _ in range(size)]

    def weights(self, a):
        return [count + 0.1 for count in self.table[a]]

    def learn(self, x, y, rate):
        for xs, ys in zip(x, y):
            for a, b in zip(xs, ys):
                self.table[a][b] += rate


def surprise(weights, b):
    known = [max(weight, 1e-9) for weight in weights]
    return math.log(sum(known) / known[b])


def estimate_loss(model):
    out = {}
    for split in ["train", "val"]:
        total, count = 0.0, 0
        for _ in range(eval_iters):
            x, y = get_batch(split)
            for xs, ys in zip(x, y):
                for a, b in zip(xs, ys):
                    total += surprise(model.weights(a), b)
                    count += 1
        out[split] = total / count
    return out


model = Bigram(len(chars))
for iter in range(max_iters):
    if iter % eval_interval == 0 or iter == max_iters - 1:
        losses = estimate_loss(model)
        print(f"step {iter}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
    x, y = get_batch("train")
    model.learn(x, y, learning_rate)
