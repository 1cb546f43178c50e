"""Handling per route for Tornado, declared in one place."""

from .base import HOOKS, BaseHttpModule
from .errors import HttpModuleError, ModuleConfigError, ModuleImportError, UnmatchedKeyWarning
from .middleware import HttpModuleMiddleware
from .mixin import HttpModuleMixin, install
from .modules import (
    BasicAuthModule,
    CacheControlModule,
    IPAllowModule,
    IPBlockModule,
    LoginRequiredModule,
    RateLimitModule,
    safe_next,
)
from .plan import ModuleUse, Plan

__all__ = [
    "BaseHttpModule",
    "BasicAuthModule",
    "CacheControlModule",
    "HOOKS",
    "HttpModuleError",
    "HttpModuleMiddleware",
    "HttpModuleMixin",
    "IPAllowModule",
    "IPBlockModule",
    "LoginRequiredModule",
    "ModuleConfigError",
    "ModuleImportError",
    "ModuleUse",
    "Plan",
    "RateLimitModule",
    "UnmatchedKeyWarning",
    "install",
    "safe_next",
]
