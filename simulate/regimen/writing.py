"""Prescriptions written in the words that `simulate.regimen.words` reads as the same plan."""

from __future__ import annotations

from fractions import Fraction

from simulate.regimen.doses import Course, Plan


def print_regimen(plan: Plan) -> str:
    """Words that `parse_regimen` reads as the same plan."""
    resets = [f"reset at {_length(time)}" for time in plan.resets]
    return " and ".join([*(_course_in_words(course) for course in plan.courses), *resets]) or "none"


def _course_in_words(course: Course) -> str:
    words = [f"{_number(course.amount)} {course.unit} {course.route}"]
    if course.every is not None:
        words.append(f"every {_length(course.every)}")
    if course.start:
        words.append(f"from {_length(course.start)}")
    if course.until is not None and course.every is not None and course.counted:
        words.append(f"x {_number((course.until - course.start) / course.every)}")
    elif course.until is not None:
        words.append(f"until {_length(course.until)}")
    if course.duration and course.rated:
        words.append(f"rate {_number(course.amount / course.duration / 24)} {course.unit}/h")
    elif course.duration:
        words.append(f"over {_length(course.duration)}")
    if course.lag:
        words.append(f"lag {_length(course.lag)}")
    if course.missing:
        words.append(f"missing {_number(course.missing * 100)} %")
    for interruption in course.interruptions:
        if interruption.end is None:
            words.append(f"stop at {_length(interruption.start)}")
        elif interruption.restart:
            words.append(f"stop at {_length(interruption.start)} restart at {_length(interruption.end)}")
        else:
            words.append(f"pause from {_length(interruption.start)} to {_length(interruption.end)}")
    words += [(), ("steady",), ("steady", "added")][course.steady]
    return " ".join(words)


def _length(days: Fraction) -> str:
    """A length of time in the largest of d and h in which it is a decimal number, else a fraction of days."""
    for unit_text, per_day in (("d", 1), ("h", 24)):
        if _is_decimal(days * per_day):
            return f"{_number(days * per_day)} {unit_text}"
    return f"{_number(days)} d"


def _is_decimal(number: Fraction) -> bool:
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _number(number: Fraction) -> str:
    """Exact decimal digits where they end, else a fraction."""
    if not _is_decimal(number):
        return f"{number.numerator}/{number.denominator}"
    places = 0
    while number.denominator != 1:
        number *= 10
        places += 1
    digits = str(number.numerator)
    if not places:
        return digits
    digits = digits.rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"
