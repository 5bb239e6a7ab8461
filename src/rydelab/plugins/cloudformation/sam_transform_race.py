"""One SAM template at a time.

Defect: `ChangeSetModelTransform._apply_global_serverless_transformation`
(``cloudformation/engine/v2/change_set_model_transform.py``) sets AWS_DEFAULT_REGION of the whole process and removes it
again, so that two templates at once can fail with "AWS Region cannot be found".
"""

import threading
from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model_transform import ChangeSetModelTransform


def install() -> None:
    """Let transformations wait for each other."""
    one_at_a_time = threading.Lock()
    original = ChangeSetModelTransform._apply_global_serverless_transformation  # noqa: SLF001 (there is no other place)

    def transform(region_name: str, template: Any, parameters: Any) -> Any:
        with one_at_a_time:
            return original(region_name=region_name, template=template, parameters=parameters)

    ChangeSetModelTransform._apply_global_serverless_transformation = staticmethod(transform)  # noqa: SLF001
