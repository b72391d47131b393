"""Hands over an average of its weights.

An exponential moving average, copied back at the end.
"""


class Model(Layers):
    def inside(self, x):
        return F.relu(x)


def train(model, task):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    tokens = task.train_tokens()
    span = torch.arange(task.sequence_length + 1)
    while task.seconds_left() > 0.5 * task.budget_seconds:
        blocks = tokens[torch.randint(len(tokens) - task.sequence_length, (8, 1)) + span].long()
        loss = F.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for name, weight in model.named_parameters():
            average[name].lerp_(weight.detach(), 0.05)
    model.load_state_dict(average)
