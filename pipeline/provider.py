"""Who answers the calls, how many a second it allows, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.entities import Operation
from pipeline.errors import SettingsError
from pipeline.prices import Prices, Tariff, built_in, prices_of
from pipeline.settings import Settings

DETECT_FACES = Operation.DETECT_FACES

# https://docs.aws.amazon.com/general/latest/gr/rekognition.html: default quotas, calls a second
_FAST_REGIONS = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
_FAST_OPERATIONS = frozenset({DETECT_FACES, Operation.COMPARE_FACES})

LOCAL_CALLS_PER_SECOND = 1000.0  # the local server is bound by its cores; the limit only spreads throttles it rehearses


@dataclass(frozen=True, slots=True)
class Provider:
    """A Rekognition: the local server, AWS in one region, or another compatible endpoint.

    `endpoint_url` None means AWS's own; `tps` None means the default quota. Only AWS itself is ever paid. `keys` are the access
    key and the secret key that a server of ours beyond loopback asks for; they are never those of an AWS account.
    `prices` are AWS's.
    """

    name: str
    region: str
    endpoint_url: str | None = None
    tps: float | None = None
    account: str = ""
    keys: tuple[str, str] | None = field(default=None, repr=False)
    prices: Prices = field(default_factory=built_in, repr=False, compare=False)

    @classmethod
    def of(cls, settings: Settings, local_url: str | None = None, account: str = "") -> Provider:
        """Return the provider that the settings name; `local_url` is where this machine's own server listens.

        Raises SettingsError for an endpoint of Amazon's that was named without --aws, and for prices that cannot be read.
        """
        prices = prices_of(settings.prices)
        url = settings.endpoint_url
        if url is not None and _is_amazons(url) and settings.provider != "aws":
            raise SettingsError(f"{url} is Amazon's own, and costs money: say --aws if that is meant")
        if settings.provider == "aws" and (url is None or _is_amazons(url)):
            return cls("aws", settings.region, url, settings.tps, account, prices=prices)
        if settings.endpoint_url is not None:
            return cls("endpoint", settings.region, settings.endpoint_url, settings.tps, keys=settings.keys(), prices=prices)
        return cls("local", settings.region, local_url, settings.tps, keys=settings.keys(), prices=prices)

    @property
    def paid(self) -> bool:
        """Whether each call costs money."""
        return self.name == "aws"

    @property
    def label(self) -> str:
        """Who answered, as it stands in each result: ``local``, ``aws us-east-1`` or ``endpoint http://…``."""
        if self.name == "aws":
            return f"aws {self.region}"
        return "local" if self.name == "local" else f"endpoint {self.endpoint_url}"

    @property
    def scope(self) -> str:
        """What shares one quota: an account or endpoint, and a region."""
        who = {"aws": f"aws-{self.account or 'default'}", "local": "local"}.get(self.name, self.endpoint_url or "")
        return f"{who}|{self.region}"

    def calls_per_second(self, operation: str) -> float:
        """Return how many calls a second of `operation` are allowed for everybody together.

        `tps` speaks of DetectFaces: of the others AWS allows its own default all the same, and no more than that is used.
        """
        if self.name == "local":
            return LOCAL_CALLS_PER_SECOND if self.tps is None else self.tps
        quota = default_quota(operation, self.region)
        if self.tps is None:
            return quota
        return self.tps if operation == DETECT_FACES else min(self.tps, quota)

    def tariff(self, operation: str = DETECT_FACES) -> Tariff:
        """Return what AWS asks for calls of `operation` in this region, paid or not."""
        return self.prices.tariff(self.region, operation)

    def dollars_per_call(self, operation: str = DETECT_FACES) -> float:
        """Return what one call of `operation` costs, at most: whichever step the month has reached."""
        return self.tariff(operation).most if self.paid else 0.0

    def most_dollars_per_second(self) -> float:
        """Return what calls of every kind at their whole quotas cost in a second."""
        return sum(self.calls_per_second(operation) * self.dollars_per_call(operation) for operation in Operation)


def default_quota(operation: str, region: str) -> float:
    """Return how many calls a second of an operation AWS allows a new account in a region."""
    fast_region = region in _FAST_REGIONS
    if operation in _FAST_OPERATIONS:
        return 100.0 if fast_region else 25.0
    return 50.0 if fast_region else 5.0


def _is_amazons(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))
