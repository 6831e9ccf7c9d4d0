"""What all sections of a configuration share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from config.unsupported import UNSUPPORTED


class Section(BaseModel):
    """Frozen, strict about keys, silent about values in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_empty(cls, data: Any) -> Any:
        """A key without a value is as good as absent, as in Alertmanager; so is an empty unsupported one."""
        if not isinstance(data, dict):
            return data
        known = keys_of(cls)
        unsupported = UNSUPPORTED.get(cls.__name__, {})
        return {
            key: value
            for key, value in data.items()
            if not (value is None and key in known) and not (not value and key in unsupported)
        }


def keys_of(section: type[BaseModel]) -> dict[str, str]:
    """The keys as written in a file -> the names of the fields."""
    return {field.alias or name: name for name, field in section.model_fields.items()}
