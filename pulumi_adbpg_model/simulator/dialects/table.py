"""Every dialect by name with its sentence, and which of them exclude each other."""

from __future__ import annotations

from collections.abc import Iterable

DIALECTS: dict[str, str] = {
    # A service that is gone, described
    "describe-gone-400": "Describing an unknown service answers 400 with the same code.",
    "describe-gone-empty": "Describing an unknown service answers 200 with only a RequestId.",
    "describe-gone-terminal": (
        "Describing a deleted service answers 200 with all its fields and Status 'deleted'."
    ),
    "describe-gone-released": (
        "Describing a deleted service answers 200 with all its fields and Status 'Released'."
    ),
    "describe-gone-metadb": "Describing an unknown service answers 400 MetaDBApiCalled.Failed.",
    "describe-gone-unknown-code": (
        "Describing an unknown service answers 400 ModelServiceNotExist, a code of no document."
    ),
    "instance-404-forbidden": "An unknown instance answers 404 Forbidden.InstanceNotFound.",
    # Being seen
    "invisible-after-create": "For a second after its creation, no read shows a service.",
    "invisible-20s": "For 20 seconds after its creation, no read shows a service.",
    "describe-flaps": (
        "Every third describe of a service answers as if it were unknown; lists show it."
    ),
    # Words for a status
    "status-capitalised": "Status words are Deploying, Active, Deleting.",
    "status-deploying": "A service being provisioned is 'deploying', not 'deployming'.",
    "status-unknown-words": (
        "A service is 'initializing', half way 'PREPARING', then 'active'; deleting it is "
        "'Terminating'."
    ),
    "status-missing": "While a service is being provisioned, Status is left out.",
    "failure-failed": "A failed deployment has the status 'Failed'.",
    "failure-create-failed": "A failed deployment has the status 'CreateFailed'.",
    "failure-error": "A failed deployment has the status 'error'.",
    "failure-abnormal": "A failed deployment has the status 'abnormal'.",
    # Client tokens; by default one counts for ever and replays the id of a deleted service
    "tokens-ignored": "ClientToken is accepted and has no effect: each create makes a service.",
    "tokens-forget-dead": "A ClientToken whose service was deleted makes a new service.",
    "tokens-forgotten": "A ClientToken counts for 60 seconds, then it makes a new service.",
    # Deleting
    "slow-delete": "Deleting takes two seconds, with status 'deleting' meanwhile.",
    "delete-refused-while-deploying": (
        "Deleting a service that is not active yet answers OperationDenied.DBInstanceStatus."
    ),
    "delete-of-gone-succeeds": "Deleting an unknown service of a known instance answers 200.",
    "delete-again-refused": (
        "Deleting what is being deleted answers OperationDenied.DBInstanceStatus."
    ),
    "delete-seen-late": (
        "For a second after an accepted delete the status is what it was; then deleting begins."
    ),
    "busy-after-delete": (
        "For two seconds after a service is gone, creates in its instance answer "
        "OperationDenied.DBInstanceStatus."
    ),
    "nodes-bound-after-delete": (
        "For two seconds after a service is gone its nodes stay bound, though no list shows it."
    ),
    # Lists
    "list-reordered": "Lists are newest first, not oldest first.",
    "list-paged-at-20": "A PageSize above 20 is silently taken as 20.",
    "list-stale": "Lists show the services of an instance as they were three seconds ago.",
    "list-status-success": "List shows 'success' or 'fail' as its page says, not the state.",
    "list-without-total": "Lists have no TotalRecordCount.",
    "list-null-when-empty": (
        "When there is no service, ModelServices is null and TotalRecordCount 0."
    ),
    "list-keeps-deleted": (
        "Deleted services stay listed with Status 'deleted'; their nodes are free."
    ),
    # Texts and names
    "description-stripped": "Descriptions come back without white space around them.",
    "description-padded": "Descriptions come back with a space in front and a newline behind.",
    "description-lf": r"Line ends in descriptions come back as \n.",
    "description-crlf": r"Line ends in descriptions come back as \r\n.",
    "names-padded": "Names of models and AI nodes come back with a space on each side.",
    "model-lower-case": "A service's model comes back in lower case; supported models do not.",
    "model-upper-case": "A service's model comes back in upper case; supported models do not.",
    # AI nodes and whitelists
    "nodes-reordered": "AiNodes come back in the reverse of sorted order, not as sent.",
    "nodes-bind-object-service": (
        "BindObject of a bound node is 'ModelService', not 'model_serving'."
    ),
    "nodes-namespace-instance": (
        "The Namespace of a node is the id of its instance, not 'adbpg-ainode'."
    ),
    "nodes-pool-of-instance": (
        "The id of a pool is 'ainp-' and that of the instance, not 'aipool-' and nine characters."
    ),
    "whitelist-canonical": (
        "Whitelists come back with host bits cleared, /32 dropped, sorted, de-duplicated."
    ),
    "whitelist-reordered": "Whitelists come back in the reverse of sorted order.",
    "whitelist-slash-32": "Whitelists come back with /32 after single addresses.",
    "whitelist-deduplicated": "Whitelists come back without duplicates, the first ones kept.",
    "whitelist-spaced": "Whitelists come back with a space after each comma.",
    "whitelist-default-added": (
        "Whitelists come back with 127.0.0.1 in front, unless it is among them."
    ),
    "whitelist-open-default": "A service created without SecurityIPList has 0.0.0.0/0.",
    "whitelist-empty-default": (
        "A service created without SecurityIPList has an empty list, described as ''."
    ),
    "modify-not-reaching": "ModifySecurityIps sets its group and no service's list.",
    "modify-slow": "A service shows what ModifySecurityIps set two seconds later.",
    # Fields of reads
    "fields-missing": (
        "Description, AiNodes, ModelName, ModelParams, CreateTime, the public URL and the "
        "whitelist are left out of reads."
    ),
    "fields-null": "The fields that fields-missing leaves out are null.",
    "fields-empty": "The fields that fields-missing leaves out are '', [] or {}.",
    "fields-extra": "Reads and their list items have unknown fields of several types.",
}

# At most one of each can be in force: two would say different things of one answer.
EXCLUSIVE: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "describe-gone-400",
            "describe-gone-empty",
            "describe-gone-terminal",
            "describe-gone-released",
            "describe-gone-metadb",
            "describe-gone-unknown-code",
        }
    ),
    frozenset({"invisible-after-create", "invisible-20s"}),
    frozenset({"status-capitalised", "status-deploying", "status-unknown-words", "status-missing"}),
    frozenset({"failure-failed", "failure-create-failed", "failure-error", "failure-abnormal"}),
    frozenset({"tokens-ignored", "tokens-forget-dead", "tokens-forgotten"}),
    frozenset({"list-status-success", "list-keeps-deleted"}),
    frozenset({"list-without-total", "list-null-when-empty"}),
    frozenset({"description-stripped", "description-padded"}),
    frozenset({"description-lf", "description-crlf"}),
    frozenset({"model-lower-case", "model-upper-case"}),
    frozenset({"whitelist-canonical", "whitelist-reordered", "whitelist-slash-32"}),
    frozenset({"whitelist-default-added", "whitelist-open-default", "whitelist-empty-default"}),
    frozenset({"modify-not-reaching", "modify-slow"}),
    frozenset({"fields-missing", "fields-null", "fields-empty"}),
)


def clashing(names: Iterable[str]) -> list[str]:
    """Return the first of these names that exclude each other, sorted; none if they go together."""
    groups = (sorted(group.intersection(names)) for group in EXCLUSIVE)
    return next((clash for clash in groups if len(clash) > 1), [])
