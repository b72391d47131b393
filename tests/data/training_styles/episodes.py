"""Q-learning in a windy grid; greedy return over evaluation episodes is what counts."""
import random

EPISODES = 150
ALPHA = 0.3
GAMMA = 0.95
EPSILON = 0.2
EVAL_EPISODES = 30
SIZE = 6


class GridEnv:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def reset(self):
        self.pos = (0, 0)
        self.t = 0
        return self.pos

    def step(self, action):
        dx, dy = [(1, 0), (-1, 0), (0, 1), (0, -1)][action]
        if self.rng.random() < 0.1:
            dy -= 1
        x = min(max(self.pos[0] + dx, 0), SIZE - 1)
        y = min(max(self.pos[1] + dy, 0), SIZE - 1)
        self.pos = (x, y)
        self.t += 1
        done = self.pos == (SIZE - 1, SIZE - 1)
        reward = 10.0 if done else -0.2
        return self.pos, reward, done or self.t >= 60


class QAgent:
    def __init__(self, seed):
        self.q = {}
        self.rng = random.Random(seed)

    def act(self, state, epsilon):
        if self.rng.random() < epsilon:
            return self.rng.randrange(4)
        values = [self.q.get((state, a), 0.0) for a in range(4)]
        return values.index(max(values))

    def learn(self, s, a, r, s2, done):
        best = 0.0 if done else max(self.q.get((s2, b), 0.0) for b in range(4))
        old = self.q.get((s, a), 0.0)
        self.q[(s, a)] = old + ALPHA * (r + GAMMA * best - old)


def run_episode(env, agent, epsilon, train=True):
    s = env.reset()
    total = 0.0
    done = False
    while not done:
        a = agent.act(s, epsilon)
        s2, r, done = env.step(a)
        if train:
            agent.learn(s, a, r, s2, done)
        total += r
        s = s2
    return total


def main():
    env = GridEnv(seed=1)
    agent = QAgent(seed=2)
    for _ in range(EPISODES):
        run_episode(env, agent, EPSILON)
    eval_env = GridEnv(seed=1000)
    returns = [run_episode(eval_env, agent, 0.0, train=False) for _ in range(EVAL_EPISODES)]
    print(f"mean_return: {sum(returns) / len(returns):.3f}")


if __name__ == "__main__":
    main()
