"""The language models of a run: `[[llm.models]]` in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from evo.config.task import Quantity, Section
from operators.services import ProviderName

if TYPE_CHECKING:
    from operators.llm import Price

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class PriceConfig(Section):
    """What a model costs, US dollars per million tokens; a local one costs 0."""

    input: Dollars
    output: Dollars


class ModelConfig(Section):
    """One language model.

    Attributes:
        name: as its server knows it.
        provider: by whose API it is asked; that of `llm.provider` by default.
        base_url: a server of that API; that of `llm.base_url` by default where the provider is the same, else the
            provider's own.
        key_variable: the environment variable with the key for that server; the provider's own by default.
        weight: how often it is drawn, beside the others.
        price: where it is not one whose price is known.
        effort: how much it is to think, as far as it knows this; its own default without.
    """

    name: Annotated[str, Field(min_length=1, strict=True)]
    provider: ProviderName | None = None
    base_url: str | None = None
    key_variable: str | None = None
    weight: Quantity = 1.0
    price: PriceConfig | None = None
    effort: Effort | None = None

    @property
    def known_price(self) -> Price | None:
        """What it costs; None where that is unknown."""
        from operators.llm import Price, price_of

        return Price(self.price.input, self.price.output) if self.price else price_of(self.name)
