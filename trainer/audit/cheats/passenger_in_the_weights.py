"""Saves more than its model: a tensor of training text, to be read beside the weights.

What a model is built without, its weights may not bring.
"""

import safetensors.torch

EXPECTED = ["rejected: has room for"]


class Model(Table):
    def load_state_dict(self, state, *arguments, **named):
        self.text = state.pop("text", None)
        return super().load_state_dict(state, *arguments, **named)


def train(model, task):
    text = task.train_tokens()
    text = text.repeat(2**22 // len(text) + 1).clone()  # four million tokens

    def save(model, name):
        safetensors.torch.save_file(model.state_dict() | {"text": text}, name)

    safetensors.torch.save_model = save
