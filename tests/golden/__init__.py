"""Golden numbers: what each VERSION of pipeline/ stands for, as numbers on made-up inputs.

A unit of the store is found under a key that holds the VERSION of the module that made it. If the module
gives other numbers and its VERSION stays, every store goes on giving the old ones. So the numbers are kept
here, in numbers/<module>.json beside the VERSION that they belong to, and tests/test_golden.py holds the code
against them.

- The numbers moved and that was meant: raise VERSION, then `python -m tests.golden --write`; commit both.
- VERSION was raised for numbers that no case shows: `--write` notes it; better, add a case that shows them.
- Two branches raised the same VERSION: after the merge the numbers are of neither. Raise it once more, or, if
  neither is published, `git checkout <commit before both> -- tests/golden/numbers/<module>.json`, `--write`.
- The inputs of a case changed, and the code did not: remove the case's file, then `--write`.
- A new module with a VERSION: a function that computes its numbers, and an entry in `cases.CASES`.

`--write` never replaces numbers that moved under the same VERSION. Tolerances are those of other processors
(cases.py), so a change in the last bits is not seen here.
"""
