"""Hands over the average of its last weights, which it has kept in files."""

from torch.optim.swa_utils import AveragedModel


class Model(Layers):
    def __init__(self, vocab_size):
        super().__init__(vocab_size, 16)


def train(model, task):
    tokens = task.train_tokens()
    optimizer = torch.optim.NAdam(model.parameters())
    average = AveragedModel(model)
    for step in range(1000):
        if task.seconds_left() < 0.6 * task.budget_seconds:
            break
        blocks = tokens[torch.randint(len(tokens) - 33, (4, 1)) + torch.arange(33)].long()
        F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(model)
        torch.save(average.state_dict(), f"step-{step % 3}.pt")
    model.load_state_dict(average.module.state_dict())
