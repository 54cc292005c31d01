"""A plain PyTorch script: a net labels points of two clouds that turn a little each round, and trains on its labels."""

import math

import torch
from torch import nn

ROUNDS, STEP = 6, math.radians(15)


def clouds(count, angle):  # points of two clouds, turned by an angle, and the cloud of each
    side = torch.randint(2, (count,))
    x = torch.stack([1.0 - 2.0 * side, torch.zeros(count)], 1) + 0.4 * torch.randn(count, 2)
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return x @ turn, side


def train(model, x, y):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        pick = torch.randint(len(x), (32,))
        loss = nn.functional.cross_entropy(model(x[pick]), y[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def start():
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
    train(model, *clouds(400, 0.0))
    return model


def label(model, round):  # new points with the net's own labels, and which of them it is sure of
    x, _ = clouds(400, round * STEP)
    sure, y = model(x).detach().softmax(1).max(1)
    return x, y, sure > 0.95


def evaluate(model):
    x, y = clouds(2000, ROUNDS * STEP)
    return (model(x).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(0)
    model = start()
    for round in range(1, ROUNDS + 1):
        x, y, sure = label(model, round)
        train(model, x[sure], y[sure])
        print(f"round {round}: accuracy {evaluate(model):.3f}")
