"""A learner in an environment that the evaluation makes with seeds of its own."""
import argparse
import random

GAMMA = 0.9
ALPHA = 0.3
EPSILON = 0.2
EPISODES = 60
EVAL_SEED = 1000


class Env:
    def __init__(self, seed=0):
        self.reset(seed)

    def reset(self, seed=None):
        if seed is not None:
            self.rng = random.Random(seed)
        self.goal = self.rng.randrange(8)
        self.at = 3
        return self.at

    def step(self, action):
        self.at = max(0, min(7, self.at + (1 if action else -1)))
        return self.at, 1.0 if self.at == self.goal else -0.05, self.at == self.goal


def act(q, state, rng, epsilon):
    if rng.random() < epsilon:
        return rng.randrange(2)
    return max((0, 1), key=lambda a: q[state][a])


def train(seed):
    rng = random.Random(seed)
    env = Env(seed)
    q = [[0.0, 0.0] for _ in range(8)]
    for episode in range(EPISODES):
        state = env.reset()
        for _ in range(20):
            action = act(q, state, rng, EPSILON)
            after, reward, done = env.step(action)
            q[state][action] += ALPHA * (reward + GAMMA * max(q[after]) - q[state][action])
            state = after
            if done:
                break
    return q


def evaluate(q):
    total = 0.0
    for episode in range(20):
        env = Env(EVAL_SEED + episode)
        state = env.reset()
        rng = random.Random(0)
        for _ in range(20):
            state, reward, done = env.step(act(q, state, rng, 0.0))
            total += reward
            if done:
                break
    return total / 20


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    q = train(args.seed)
    print(f"eval_return: {evaluate(q):.3f}")
