"""What a preflight finds, as one line each: the property, the rule and the value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pulumi_adbpg_model.domain import AiNode, ModelServiceDetails, ModelServiceId, Phase
from pulumi_adbpg_model.errors import MOST_NAMES, first_of
from pulumi_adbpg_model.fields import same_model_name
from pulumi_adbpg_model.lifecycle.compare import differences, where_it_shows
from pulumi_adbpg_model.service import state
from pulumi_adbpg_model.service.comparison import holds_unknown
from pulumi_adbpg_model.service.owners import Owners
from pulumi_adbpg_model.settings import Settings

#: Right also where the service is replaced, moved away or found again by its client token.
_UNLESS = (
    "The create is refused unless the holder is gone by then, or was left by an interrupted "
    "`pulumi up` of this resource."
)


@dataclass(frozen=True)
class Seen:
    """What the cloud answers. None: it cannot be told."""

    models: Sequence[str] | None = None
    nodes: Sequence[AiNode] | None = None
    services: Sequence[ModelServiceDetails] | None = None
    #: Whether the cloud says that there is no such instance.
    invisible: bool = False


@dataclass(frozen=True)
class Declared:
    """A resource that the program declares. None: not known yet, or not asked for."""

    urn: str
    settings: Settings
    inputs: Mapping[str, Any]
    owners: Owners

    @property
    def instance(self) -> str | None:
        """The instance to create the service in."""
        return _text(self.inputs.get("db_instance_id"))

    @property
    def model(self) -> str | None:
        """The model to deploy."""
        return None if self._adopts else _text(self.inputs.get("model_name"))

    @property
    def loses(self) -> tuple[ModelServiceId, str] | None:
        """The service that goes for one whose model is not known yet, and its own model."""
        if self._adopts is not None or _text(self.inputs.get("model_name")) is not None:
            return None
        service, runs = self.owners.replaces(self.urn) or (None, None)
        return None if service is None or runs is None else (service, runs)

    @property
    def nodes(self) -> list[tuple[str, str]]:
        """Label and name of each node that is known."""
        named = self.inputs.get("ai_nodes")
        return [
            (f"ai_nodes[{index}]", node.strip())
            for index, node in enumerate(named if isinstance(named, list) else ())
            if isinstance(node, str)
        ]

    @property
    def others(self) -> Mapping[str, str]:
        """By node: another resource of the program that names it too."""
        neighbours = self.owners.neighbours(self.urn)
        return {node: other for (_, node), other in neighbours.items()}

    @property
    def adopted(self) -> ModelServiceId | None:
        """The service to take over."""
        return ModelServiceId.parse(self._adopts) if isinstance(self._adopts, str) else None

    @property
    def _adopts(self) -> object:
        # What replaces another is created, whatever `import_` says.
        return self.inputs.get(state.ADOPT) if self.owners.old_nodes(self.urn) is None else None

    @property
    def secret(self) -> Collection[str]:
        """Names of the inputs whose values are not to be told."""
        return state.secret_names(self.inputs)


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) else None


def _is_listed(model: str, models: Iterable[str]) -> bool:
    return any(same_model_name(model, listed) for listed in models)


def shared_nodes(declared: Declared) -> Iterator[str]:
    """Two resources of one program on one node."""
    others = declared.others
    for label, node in declared.nodes:
        if node in others:
            name = others[node].rpartition("::")[2]
            yield (
                f"{label} should be a node of its own, got {node!r}: resource {name!r} of this "
                "program names it too, and a node hosts one model."
            )


def findings(
    declared: Declared, seen: Seen, deleted_here: Collection[ModelServiceId]
) -> Iterator[str | None]:
    """
    All that the cloud's answers say against the declaration of a resource that is to be created.

    Yields:
        A line each; None for what can be told once the program has declared all that it has.
    """
    region, model = declared.settings.region, declared.model
    where = f"region {region}" if region else "the endpoint"
    if model and seen.models and model not in seen.models:
        hint = "model_name" not in declared.secret
        replaced = None
        if not _is_listed(model, seen.models):
            replaced = declared.owners.replaces(declared.urn)
        if replaced is not None and replaced[0] in deleted_here:
            replaced = None
        yield _unlisted_model(model, seen.models, where, replaced, hint=hint)
    if seen.models and declared.loses is not None:
        service, runs = declared.loses
        if service not in deleted_here and not _is_listed(runs, seen.models):
            yield (
                f"model_name is not known yet. Model service {service} was made with {runs!r}, "
                f"which {where} lists no more, and cannot be made again with it once it is "
                f"deleted. {where[:1].upper()}{where[1:]} lists {first_of(seen.models)}."
            )
    if seen.invisible:
        yield (
            f"db_instance_id should be an instance that {where} shows to the credentials from "
            f"{declared.settings.credentials.source}, got {declared.instance!r}. Check the id, "
            "the region and the account."
        )
    services = seen.services or ()
    living = [one for one in services if one.id not in deleted_here and not one.is_deleted]
    if seen.services is not None and declared.instance is not None:
        yield from _unfit_to_adopt(declared, living)
    dead = [one for one in services if one.id in deleted_here]
    yield from _unusable_nodes(declared, seen.nodes, _by_node(living), freed=_by_node(dead))


def _unlisted_model(
    name: str,
    models: Sequence[str],
    where: str,
    replaced: tuple[ModelServiceId, str | None] | None,
    *,
    hint: bool,
) -> str:
    for listed in models:
        if hint and same_model_name(name, listed):  # a create may be strict where reads are not
            return (
                f"model_name should be written {listed!r}, as {where} lists it, got {name!r}: the "
                "cloud may know it in no other case."
            )
    instead = (hint and _nearest(name, models)) or f"It lists {first_of(models)}."
    told = f"model_name should be a model that {where} lists, got {name!r}"
    if replaced is None:
        return f"{told}. {instead}"
    service, runs = replaced
    if same_model_name(name, runs):
        return (
            f"{told}, which it lists no more. Model service {service} was made with it, and cannot "
            "be made again once it is deleted: undo what replaces it, or choose a listed model. "
            f"{instead}"
        )
    return f"{told}. Once model service {service} is deleted, nothing can take its place. {instead}"


def _unfit_to_adopt(declared: Declared, living: Sequence[ModelServiceDetails]) -> Iterator[str]:
    """Why a service cannot be taken over."""
    wanted = declared.adopted
    if wanted is None or declared.owners.is_left_in(declared.urn, wanted):
        return
    shown = next((one for one in living if one.id == wanted), None)
    if shown is None and wanted.db_instance_id == declared.instance:
        yield (
            f"import_ should name a model service of instance {declared.instance}, got "
            f"'{wanted}': there is none. Correct the id, or remove import_ to create a new "
            "service."
        )
    shown = shown or ModelServiceDetails(wanted)
    if shown.phase in (Phase.FAILED, Phase.LEAVING):
        yield (
            "import_ should name a model service that is active or on its way, got "
            f"'{wanted}': {shown.why_not_active}."
        )
    elif not holds_unknown(declared.inputs):
        spec, secret = state.spec_from(declared.inputs), declared.secret
        found = differences(wanted, spec, shown, secret)
        if found:
            yield (
                f"import_ should name a model service that is as declared, got '{wanted}': "
                f"{'; '.join(found)}. Declare what is there."
                f"{where_it_shows(wanted, found)}"
            )


def _unusable_nodes(
    declared: Declared,
    shown: Sequence[AiNode] | None,
    holders: Mapping[str, ModelServiceDetails],
    *,
    freed: Collection[str],
) -> Iterator[str | None]:
    adopted, others = declared.adopted, declared.others
    replaced = declared.owners.old_nodes(declared.urn) or ()
    names = [node.name for node in shown or ()]
    bound = {node.name: node.bound_to for node in shown or () if node.bound}
    free = [name for name in names if name not in {*bound, *holders, *others}]
    choice = "" if shown is None else f"Free AI nodes: {first_of(free)}."
    for label, node in declared.nodes:
        holder = holders.get(node)
        taken = f"{label} should be a free AI node, got {node!r}: it is"
        if shown is not None and node not in names and holder is None:
            yield (
                f"{label} should be an AI node of instance {declared.instance}, got {node!r}. "
                f"{_all_or_nearest(node, names, hint='ai_nodes' not in declared.secret)}"
            )
        elif node in others:
            continue
        elif holder is not None:
            if holder.id != adopted:
                yield from _held(declared, taken, holder, node, choice)
        elif node in bound and not (
            adopted or node in freed or (declared.instance, node) in replaced
        ):
            by = f" to {bound[node]}" if bound[node] else ""
            yield _joined(f"{taken} bound{by}.", _UNLESS, choice)


def _held(
    declared: Declared, taken: str, holder: ModelServiceDetails, node: str, choice: str
) -> Iterator[str | None]:
    owners, urn = declared.owners, declared.urn
    if holder.phase is Phase.LEAVING or owners.meets(urn, holder.id, node):
        return
    standing = owners.standing(urn, holder.id, node)
    if standing.leaves:
        return
    if standing.wait_s:  # its resource may be declared yet, on another node
        yield None
        return
    runs = f", which runs {holder.model_name}" if holder.model_name else ""
    unless = _UNLESS if standing.unowned else ""
    yield _joined(
        f"{taken} held by model service {holder.id}{runs}.", unless, choice, standing.advice
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _by_node(services: Iterable[ModelServiceDetails]) -> dict[str, ModelServiceDetails]:
    return {node: service for service in services for node in service.ai_nodes or ()}


def _nearest(name: str, names: Iterable[str]) -> str:
    """The names most like this one, whatever their case, as a sentence; empty without any."""
    by_lower = {each.lower(): each for each in names}
    near = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, 3)]
    return f"Nearest: {', '.join(near)}." if near else ""


def _all_or_nearest(name: str, names: Sequence[str], *, hint: bool) -> str:
    """What there is instead. A hint at what was meant would tell a secret."""
    if not names:
        return "The instance shows no AI nodes."
    near = _nearest(name, names) if hint and len(names) > MOST_NAMES else ""
    return near or f"Its AI nodes: {first_of(names)}."
