"""A token bucket that a flow goes through."""


class Gate:
    """Holds up to *size* tokens and gains *per_s*; begins full."""

    __slots__ = ("level", "per_s", "size")

    def __init__(self, *, per_s: float, size: float) -> None:
        self.per_s = per_s
        self.size = size
        self.level = size

    def room(self, step_s: float) -> float:
        """Return how much goes through in a step, if it comes evenly."""
        return self.level + self.per_s * step_s

    def take(self, amount: float, step_s: float) -> None:
        """Let *amount* through, evenly over the step."""
        self.level = min(self.size, self.level + self.per_s * step_s - amount)

    def empty_after_s(self, amount_per_s: float) -> float | None:
        """Return how long it holds out; None if for ever, or if it is empty already."""
        if self.level <= 0.0 or amount_per_s <= self.per_s:
            return None
        return self.level / (amount_per_s - self.per_s)
