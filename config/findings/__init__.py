"""What `tocsin check` finds in a valid configuration: dead routes, inhibition that eats itself, and so on.

Each file here holds one family, whose codes share their first digit:

    1 routes   2 inhibition   3 receivers, policies, teams, severities   4 times and groups
    5 secrets and templates   6 against rule files   7 an Alertmanager in front

A finding is a `Code` (its page), directly below it a function that takes the `Subject` and yields
`subject.finding(CODE, path, reason, advice)`, and a line in the tuple `CHECKS` at the end of the file. A new
file adds its `CHECKS` to `families.py`, or, where it needs the receivers, to `gateway/cli/findings.py`.
A check that needs files beside the configuration asks the subject for them and is silent without.

Two rules. What is said must be true: where it cannot be proved (an expression too rich to compare, a
variable without a value), a check is silent. And 1,000 routes with 1,000 rules take less than two seconds
together: no check compares everything with everything.
"""
