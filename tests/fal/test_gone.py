"""Which of fal's answers say that a model is gone."""

from typing import Any

import pytest

from falgate.fal.gone import says_gone
from falgate.fal.replies import FalAnswer


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"detail": 'Application "gpt-image-1.5" not found'}),
        (404, {"detail": "Path /edit not found"}),
        (410, {"detail": "This model was retired"}),
        (410, {}),
        (422, {"detail": [{"type": "model_not_found", "msg": "no such model", "loc": ["body"]}]}),
        (400, {"detail": "it ended", "error_type": "model_deprecated"}),
    ],
)
def test_a_model_is_gone(status: int, body: Any) -> None:
    assert says_gone(FalAnswer(status, body, {}))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"detail": "fal answered 404"}),
        (404, {"detail": [{"msg": "Application not found"}]}),
        (404, "Application not found"),
        (401, {"detail": "No user found for Key ID and Secret"}),
        (403, {"detail": "Application not found"}),
        (422, {"detail": [{"type": "content_policy_violation", "msg": "model_not_found"}]}),
        (422, {"detail": [{"type": "value_error", "msg": "model not found", "input": "410"}]}),
        (500, {"detail": "Application not found"}),
    ],
)
def test_a_model_is_not_gone(status: int, body: Any) -> None:
    assert not says_gone(FalAnswer(status, body, {}))
