"""Whether fal's answer says that it has a model no more."""

# fal answers 404 for an application or a path that it does not have. What it answers for a model
# whose vendor has shut it down is not documented: 410 and these error types are taken for that. A
# 404 with other words may come from a proxy, and a 422 of another type concerns the input; neither
# ends a model. An operator who knows better sets the model's date.

import re

from falgate.fal.replies import FalAnswer

_NOT_FOUND, _GONE = 404, 410
_ABSENT = re.compile(r"(application|app|model|endpoint|path) .*not found\.?", re.IGNORECASE)
_TYPES = frozenset({"model_not_found", "model_deprecated", "model_retired", "endpoint_not_found"})


def says_gone(answer: FalAnswer) -> bool:
    """Return whether an error response says that the model is not there any more."""
    if answer.status == _NOT_FOUND:
        detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
        return isinstance(detail, str) and _ABSENT.fullmatch(detail) is not None
    return answer.status == _GONE or answer.error_type in _TYPES
