"""Places for pictures that are being answered: whoever finds none is refused at once."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.service.problems import Problem


@dataclass
class Admission:
    """So many pictures may be decoded, wait for the network and be answered at a time."""

    places: int
    taken: int = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a place."""
        return self.taken < self.places

    def refusal(self) -> Problem:
        """What is said where there is none."""
        return Problem(503, f"{self.taken} pictures are being answered already: try again later", retry_after=1)

    def check(self, count: int = 1) -> None:
        """Refuses a request for so many pictures, where there is no place for them now.

        Raises:
            Problem: too many places are taken.
        """
        if self.taken + count > self.places:
            raise self.refusal()

    def take(self) -> None:
        """Raises:
        Problem: all places are taken.
        """
        self.check()
        self.taken += 1

    def give_back(self) -> None:
        self.taken -= 1
