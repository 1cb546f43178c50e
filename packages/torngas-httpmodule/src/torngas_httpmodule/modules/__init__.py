"""Ready modules, each useful alone; declare an object of one, or a subclass."""

from .basicauth import BasicAuthModule
from .cachecontrol import CacheControlModule
from .ipaddress import IPAllowModule, IPBlockModule
from .login import LoginRequiredModule, safe_next
from .ratelimit import RateLimitModule

__all__ = [
    "BasicAuthModule",
    "CacheControlModule",
    "IPAllowModule",
    "IPBlockModule",
    "LoginRequiredModule",
    "RateLimitModule",
    "safe_next",
]
