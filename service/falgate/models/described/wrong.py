"""What is wrong with a description: the file, the place in it, and what to do."""


class DescriptionWrong(Exception):
    """A model is not served by these files; the message says which, where, why, and what to do."""

    def __init__(self, where: str, why: str) -> None:
        """Say what is wrong.

        Args:
            where: The place within the file, such as "price.terms[0].usd"; "" for the whole file.
            why: What is wrong there, and what to do.
        """
        super().__init__(f"{where}: {why}" if where else why)
