"""What one request may cost before it is given up: tries, and seconds of waiting."""

from connectors.failures import RateLimitedError, TransientError, UnavailableError

# What vendors ask for where the answer of a limit names no time; it doubles each time.
_WAIT_WITHOUT_WORD = 60.0
MOST_WAITS = 20


class Patience:
    """The seconds that one request may still be kept waiting."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def spend(self, seconds: float) -> None:
        """Take the seconds waited off what is left."""
        self.left -= seconds


class Retries:
    """What one request may still cost: faults count, waits that the source asks for do not."""

    def __init__(self, attempts: int, patience: Patience) -> None:
        self.faults_left = attempts
        self.patience = patience
        self.is_renewed = False
        self._unnamed_wait = _WAIT_WITHOUT_WORD

    def wait_told(self, error: Exception) -> float | None:
        """How long the source asks to wait, None where only the back-off counts."""
        if isinstance(error, RateLimitedError):
            if error.seconds is not None:
                return error.seconds
            self._unnamed_wait *= 2
            return self._unnamed_wait / 2
        return error.seconds if isinstance(error, UnavailableError) else None

    def takes(self, error: Exception) -> bool:
        """Whether another try may mend this and is still allowed."""
        if isinstance(error, TransientError):
            self.faults_left -= 1
            return self.faults_left > 0
        return isinstance(error, RateLimitedError)
