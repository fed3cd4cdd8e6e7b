"""Training: recipes that fit a model to a list of names and report their progress."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.training.classic import (
        PRINT_EVERY as PRINT_EVERY,
        ClassicRun as ClassicRun,
        clip_elements as clip_elements,
        course_network as course_network,
        sample_course_name as sample_course_name,
    )
    from dinogen.training.default import DefaultRun as DefaultRun
    from dinogen.training.halves import Halves as Halves
    from dinogen.training.origin import (
        MIN_GAIN as MIN_GAIN,
        MIN_SHARE as MIN_SHARE,
        TRIAL_NAMES as TRIAL_NAMES,
        Origin as Origin,
        choose_origin as choose_origin,
        load_origin as load_origin,
    )
    from dinogen.training.run import (
        PREPARATIONS as PREPARATIONS,
        Progress as Progress,
        Run as Run,
        add_row as add_row,
        check_plan as check_plan,
        check_resumable as check_resumable,
    )
    from dinogen.training.selection import (
        DEFAULT_ORDER as DEFAULT_ORDER,
        ORDERS as ORDERS,
        TEXT_ORDERS as TEXT_ORDERS,
        TOLERANCE as TOLERANCE,
        Selected as Selected,
        Selection as Selection,
    )
    from dinogen.training.settings import (
        BASE as BASE,
        BOUNDS as BOUNDS,
        CHOICES as CHOICES,
        MAX_NAMES as MAX_NAMES,
        NO_ORIGIN as NO_ORIGIN,
        STARTS as STARTS,
        WRITTEN as WRITTEN,
        Settings as Settings,
    )
    from dinogen.training.sgd import (
        Dropout as Dropout,
        clip_by_global_norm as clip_by_global_norm,
        descend as descend,
        rate_factor as rate_factor,
    )
    from dinogen.training.teaching import (
        LIST_SHARE as LIST_SHARE,
        TRUST as TRUST,
        Lessons as Lessons,
        Teaching as Teaching,
        join_lessons as join_lessons,
        lessons_of_list as lessons_of_list,
        names_to_write as names_to_write,
        write_lessons as write_lessons,
    )
    from dinogen.training.trainer import Trainer as Trainer

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "classic": [
            "ClassicRun",
            "PRINT_EVERY",
            "clip_elements",
            "course_network",
            "sample_course_name",
        ],
        "default": ["DefaultRun"],
        "halves": ["Halves"],
        "origin": [
            "MIN_GAIN",
            "MIN_SHARE",
            "Origin",
            "TRIAL_NAMES",
            "choose_origin",
            "load_origin",
        ],
        "run": ["PREPARATIONS", "Progress", "Run", "add_row", "check_plan", "check_resumable"],
        "selection": [
            "DEFAULT_ORDER",
            "ORDERS",
            "Selected",
            "Selection",
            "TEXT_ORDERS",
            "TOLERANCE",
        ],
        "settings": [
            "BASE",
            "BOUNDS",
            "CHOICES",
            "MAX_NAMES",
            "NO_ORIGIN",
            "STARTS",
            "Settings",
            "WRITTEN",
        ],
        "sgd": ["Dropout", "clip_by_global_norm", "descend", "rate_factor"],
        "teaching": [
            "LIST_SHARE",
            "Lessons",
            "TRUST",
            "Teaching",
            "join_lessons",
            "lessons_of_list",
            "names_to_write",
            "write_lessons",
        ],
        "trainer": ["Trainer"],
    },
)
