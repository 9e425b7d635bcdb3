"""What a caller may see, and which tier includes what they may not. Knows nothing of who the caller is."""

from __future__ import annotations

from dataclasses import dataclass

from service.errors import UpgradeRequired


@dataclass(frozen=True, slots=True)
class Allowed:
    """The features of a caller, the most items of a page, and of each feature the least tier that includes it."""

    features: frozenset[str] = frozenset()
    max_page_size: int = 100
    least_tiers: tuple[tuple[str, str], ...] = ()

    def least_tier_with(self, feature: str) -> str | None:
        """The tier to ask for; None where no tier includes the feature."""
        return dict(self.least_tiers).get(feature)

    def advice(self, feature: str) -> str:
        """What a caller is told who does not have the feature."""
        tier = self.least_tier_with(feature)
        where = f"The tier {tier} includes it." if tier else "No tier includes it."
        return f"It needs the feature {feature}, which is not included for you. {where}"

    def refusal(self, what: str, feature: str) -> UpgradeRequired:
        """The refusal of an operation that asks for what the feature guards."""
        extensions = {"feature": feature, "tier": self.least_tier_with(feature)}
        return UpgradeRequired(f"{what} is withheld. {self.advice(feature)}", extensions=extensions)
