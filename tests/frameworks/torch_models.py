"""Networks of PyTorch, exported to ONNX by both of its exporters.

Run with the frameworks' Python and a directory as its argument: writes ``<name>.onnx`` and ``<name>.npz``
with rows ``x`` and what PyTorch answers, ``y``.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

ROWS = 6


class Recurrent(nn.Module):
    """An LSTM whose last step is answered from."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, x: Any) -> Any:
        steps, _ = self.lstm(x)
        return self.head(steps[:, -1, :])


def networks() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """Return the networks and the shapes of their rows."""
    torch.manual_seed(0)
    perceptron = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3), nn.Softmax(dim=1)
    )
    convolution = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 1),
    )
    return {
        "perceptron": (perceptron, (4,)),
        "convolution": (convolution, (1, 8, 8)),
        "recurrent": (Recurrent(), (5, 3)),
    }


def export(network: nn.Module, shape: tuple[int, ...], dynamo: bool, dynamic: bool, path: Path) -> None:
    """Write a network as a file of ONNX."""
    example = torch.randn(2 if dynamic else 1, *shape)
    options: dict[str, Any] = {"input_names": ["x"], "output_names": ["y"], "dynamo": dynamo}
    if dynamo:
        options["external_data"] = False
    if dynamic and dynamo:
        options["dynamic_shapes"] = ({0: torch.export.Dim("rows")},)
    elif dynamic:
        options["dynamic_axes"] = {"x": {0: "rows"}, "y": {0: "rows"}}
    torch.onnx.export(network, (example,), str(path), verbose=False, **options)


def main(directory: Path) -> None:
    """Write all of them."""
    for name, (network, shape) in networks().items():
        network.eval()
        x = torch.randn(ROWS, *shape)
        with torch.no_grad():
            y = network(x).numpy()
        for dynamo in (True, False):
            for dynamic in (True, False):
                kind = f"{name}_{'dynamo' if dynamo else 'script'}_{'rows' if dynamic else 'one'}"
                export(network, shape, dynamo, dynamic, directory / f"{kind}.onnx")
                np.savez(directory / f"{kind}.npz", x=x.numpy(), y=y)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
