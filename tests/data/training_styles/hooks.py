"""A module with hooks in the way of Lightning, and a small trainer."""
import numpy as np


class DataModule:
    def __init__(self, n=600, seed=11):
        self.n = n
        self.seed = seed

    def setup(self):
        rng = np.random.default_rng(self.seed)
        x = rng.normal(size=(self.n, 6))
        y = np.tanh(x @ rng.normal(size=6)) + 0.1 * rng.normal(size=self.n)
        self.train_set = (x[:400], y[:400])
        self.val_set = (x[400:], y[400:])

    def train_dataloader(self):
        x, y = self.train_set
        for at in range(0, len(x), BATCH_SIZE):
            yield x[at : at + BATCH_SIZE], y[at : at + BATCH_SIZE]

    def val_dataloader(self):
        x, y = self.val_set
        for at in range(0, len(x), 50):
            yield x[at : at + 50], y[at : at + 50]


BATCH_SIZE = 40
WIDTH = 8
LEARNING_RATE = 0.02
MAX_EPOCHS = 6


class LitRegressor:
    def __init__(self, width=WIDTH, lr=LEARNING_RATE):
        rng = np.random.default_rng(0)
        self.a = rng.normal(size=(6, width)) * 0.3
        self.b = rng.normal(size=width) * 0.3
        self.lr = lr
        self.logged = {}

    def forward(self, x):
        self.hidden = np.tanh(x @ self.a)
        return self.hidden @ self.b

    def log(self, name, value):
        self.logged.setdefault(name, []).append(value)

    def training_step(self, batch, batch_idx):
        x, y = batch
        error = self.forward(x) - y
        grad_b = self.hidden.T @ error / len(x)
        grad_a = x.T @ (np.outer(error, self.b) * (1 - self.hidden**2)) / len(x)
        self.a -= self.lr * grad_a
        self.b -= self.lr * grad_b
        self.log("train_loss", float(np.mean(error**2)))

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", float(np.mean((self.forward(x) - y) ** 2)))


class Trainer:
    def __init__(self, max_epochs=MAX_EPOCHS):
        self.max_epochs = max_epochs

    def fit(self, model, datamodule):
        datamodule.setup()
        for epoch in range(self.max_epochs):
            for index, batch in enumerate(datamodule.train_dataloader()):
                model.training_step(batch, index)
            model.logged["val_loss"] = []
            for index, batch in enumerate(datamodule.val_dataloader()):
                model.validation_step(batch, index)
            print(f"epoch {epoch} train_loss={np.mean(model.logged['train_loss']):.5f} val_loss={np.mean(model.logged['val_loss']):.5f}")


if __name__ == "__main__":
    trainer = Trainer()
    trainer.fit(LitRegressor(), DataModule())
