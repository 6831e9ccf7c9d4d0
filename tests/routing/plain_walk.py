"""The walk through the routing tree as Alertmanager does it, route by route: the second implementation.

Rule: Alertmanager's `dispatch/route.go`. `routing.tree.Tree` must give the same answers, only sooner.
"""


def plain_walk(root, labels):
    """Every route that is told, in the tree's order."""
    found = []
    _collect(root, labels, found)
    return tuple(found)


def _collect(route, labels, found):
    for matcher in route.matchers:
        if not matcher.matches(labels):
            return False
    before = len(found)
    for child in route.children:
        if _collect(child, labels, found) and not child.continue_:
            break
    if len(found) == before:
        found.append(route)
    return True
