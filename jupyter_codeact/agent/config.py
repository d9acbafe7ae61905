"""An agent as a configuration: a dataclass, a dict or a YAML file, checked key by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args, get_type_hints

from ..errors import ConfigError
from ..files import content_of
from ..parts import ModelConfig, code_transform, open_model
from ..words import reason
from .hooks import hooks_of
from .limits import Limits, Meter
from .processors import AnyProcessor, default_processors
from .templates import TemplateConfig
from .tools import ToolConfig, ToolHandler

if TYPE_CHECKING:
    from pydantic import ValidationError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """Everything that makes an agent. See the parts for what each key means.

    model: see ``ModelConfig``; its name is the only thing that has to be given.
    templates: in a file or a dict, ``folder`` names one with `.j2` files, as TemplateConfig.from_folder takes it.
    hooks: classes, each as ``package.module:Class``; they run in this process, not in the sandbox.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: ModelConfig
    name: str = "main"
    templates: TemplateConfig = field(default_factory=TemplateConfig)
    tools: ToolConfig = field(default_factory=ToolConfig)
    history_processors: tuple[AnyProcessor, ...] = field(default_factory=default_processors)
    limits: Limits = field(default_factory=Limits)
    max_requeries: int = 3
    hooks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As JSON and YAML can hold it, without the key; ``read_config`` takes it back."""
        values = asdict(self)
        values["templates"]["demonstrations"] = [str(path) for path in self.templates.demonstrations]
        values["model"]["api_key"] = None
        values["model"]["options"].pop("api_key", None)
        return values


def read_config(
    value: dict[str, Any] | Path | str,
    source: str = "the configuration",
    folder: Path = Path(),
    work: Path = Path(),
) -> AgentConfig:
    """A dict from ``source``, or the path of a YAML file. Raises ConfigError that names what is wrong in it.

    folder: where the files lie that a dict names; a YAML file names those beside it. work: where actions run.
    """
    if not isinstance(value, dict):
        source, folder, value = str(value), Path(value).parent, read_yaml(Path(value))
    return checked(AgentConfig, _with_files(value, folder, work), source)


def _with_files(values: dict[str, Any], folder: Path, work: Path) -> dict[str, Any]:
    """With the texts of ``templates.folder``; what is written in the configuration itself beats them."""
    templates = values.get("templates")
    if not isinstance(templates, dict):
        return values
    texts = dict(templates)
    place = texts.pop("folder", None)
    found = {} if place is None else TemplateConfig.from_folder(folder / str(place), work=work).texts
    if isinstance(paths := texts.get("demonstrations"), list | tuple):
        texts["demonstrations"] = [folder / str(path) for path in paths]
    return values | {"templates": found | texts}


def checked(kind: type[T], value: dict[str, Any], source: str) -> T:
    """``value`` as that dataclass. Raises ConfigError, which names an unknown key first of all."""
    # Heavy, and not needed for a run in a notebook.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"In {source}: {_said(error, kind)}") from None


def arguments_of(config: AgentConfig | dict[str, Any] | Path | str) -> dict[str, Any]:
    """What Agent is made with."""
    if not isinstance(config, AgentConfig):
        config = read_config(config)
    return {
        "templates": config.templates,
        "tools": ToolHandler(config.tools, library=None, transform=code_transform()),
        "history_processors": config.history_processors,
        "model": open_model(config.model),
        "max_requeries": config.max_requeries,
        "name": config.name,
        "meter": Meter(config.limits),
        "hooks": hooks_of(config.hooks),
    }


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file with a mapping in it. Raises ConfigError."""
    return yaml_of(path)[0]


def yaml_of(path: Path, folder: Path | None = None) -> tuple[dict[str, Any], str]:
    """The same, and where the file lies that was read, as ``content_of`` has it. Raises ConfigError."""
    import yaml

    try:
        content = content_of(path, folder)
        value = yaml.safe_load(content.text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} can't be read: {reason(error)}.") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path} holds no mapping of keys to values.")
    return value, content.place


def _said(error: ValidationError, kind: type) -> str:
    """Unknown keys first, then what else is wrong: one line."""
    errors = error.errors(include_url=False)
    # A value of one ``type`` is no wrong value of another.
    others = [item["loc"][:-1] for item in errors if item["type"] == "literal_error" and item["loc"][-1] == "type"]
    meant = [item for item in errors if not any(item["loc"][: len(other)] == other for other in others)]
    found = sorted(meant or errors, key=lambda item: item["type"] != "unexpected_keyword_argument")
    return "; ".join(_one(item, kind) for item in found[:3]) + "."


def _one(item: Any, kind: type) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "unexpected_keyword_argument":
        known = _keys(kind, item["loc"][:-1])
        near = get_close_matches(str(item["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        return f"{place} is no key that there is ({hint})"
    return f"{place}: {item['msg']}"


def _keys(kind: type, place: Sequence[str | int]) -> list[str]:
    """The keys that there are at a place in a configuration of that kind."""
    kinds: list[Any] = [kind]
    for part in place:
        inner = [get_type_hints(one)[part] for one in kinds if part in get_type_hints(one)]
        # Of several kinds that a value may be, pydantic names the one that it took it for.
        kinds = (
            [one for hint in inner for one in _dataclasses(hint)]
            or [one for one in kinds if one.__name__ == part]
            or kinds
        )
    return [key.name for one in kinds for key in fields(one)]


def _dataclasses(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for part in get_args(hint):
        yield from _dataclasses(part)
