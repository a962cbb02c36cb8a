"""What a translation of a layer is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pgml.errors import MalformedText
from pgml.exchange.keras.document import HINT, Described
from pgml.exchange.keras.net import Net, Tensor
from pgml.exchange.keras.options import Options
from pgml.exchange.keras.weights import Array, Weights


@dataclass(frozen=True)
class Call:
    """A layer applied to tensors.

    Attributes
    ----------
    layer : Described
    weights : Weights
    given : sequence of Tensor
    net : Net
    """

    layer: Described
    weights: Weights
    given: Sequence[Tensor]
    net: Net

    @property
    def options(self) -> Options:
        return self.layer.options

    @property
    def one(self) -> Tensor:
        """The only input (MalformedText if there are several)."""
        if len(self.given) != 1:
            raise MalformedText(
                f"layer {self.options.layer} has {len(self.given)} inputs instead of one", hint=HINT
            )
        return self.given[0]

    def of_rank(self, *ranks: int) -> Tensor:
        """Return the only input, which has one of so many axes beside the rows'."""
        if len(self.one.shape) not in ranks:
            raise MalformedText(
                f"layer {self.options.layer} cannot take a tensor of shape {list(self.one.shape)!s:.100}",
                hint=HINT,
            )
        return self.one

    def take(self, **shapes: tuple[int, ...]) -> dict[str, Array]:
        """Return the arrays of the layer by name, in the order in which it makes them."""
        return self.weights.take(self.layer, shapes)

    def unmasked(self) -> None:
        """Raise NotBuilt if steps are to be left out here."""
        if any(each.masked for each in self.given):
            raise self.options.refused("mask_zero of an embedding before it")

    def result(self, name: str, shape: Sequence[int], bend: str = "") -> Tensor:
        """Return a result, as masked as what it is made of."""
        return self.net.tensor(name, shape, bend=bend, masked=any(each.masked for each in self.given))


Translation = Callable[[Call], Tensor]
