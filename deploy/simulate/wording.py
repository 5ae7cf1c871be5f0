"""One matter put into the words of one speaker: openings, places, times, slips of the thumb."""

import random
import re
from collections.abc import Sequence

from deploy.simulate.material import Matter, places, speakers, speech

_CHINESE_DIGITS = "一二三四五六"
_SIDES = ("东侧", "西侧", "南侧", "北侧", "东头", "西头", "南面", "北面")
# Shares in all messages, by what a duty officer would call usual: most write plainly, some few do not.
SHORT, LONG, TYPO, DIALECT, TRADITIONAL, ENGLISH, NO_STOPS, EMOJI = 0.16, 0.012, 0.05, 0.10, 0.012, 0.01, 0.04, 0.25
_NAMES_PLACE = re.compile(
    "厕所|操场|楼梯口|门口|校门|食堂|教室里|寝室|宿舍|走廊|仓库|浴室|岗亭|车库|门厅|电梯里|草坪|楼顶|班上"
)
_SPEAKS_DIALECT = ("guard", "cleaner", "cook", "parent")


class Slots(dict[str, object]):
    """Values of a template's slots, drawn when first asked for and then kept."""

    def __init__(self, rng: random.Random, hour: int) -> None:
        super().__init__(h=hour)
        self._rng = rng

    def __missing__(self, key: str) -> object:
        rng = self._rng
        value: object
        if key == "n":
            value = rng.randint(2, 9)
        elif key == "m":
            value = rng.randint(10, 58)
        elif key == "b":
            value = rng.randint(1, 15)
        elif key in "fg":
            value = _CHINESE_DIGITS[rng.randrange(6)]
        elif key == "s":
            value = _SIDES[rng.randrange(8)]
        elif key == "r":
            value = rng.randint(1, 6) * 100 + rng.randint(1, 28)
        elif key == "mi":
            value = f"{rng.randrange(60):02d}"
        elif key == "mm":
            value = f"{rng.randrange(10_000):04d}"
        elif key == "pct":
            value = rng.randint(70, 99)
        else:
            value = rng.randrange(600, 2600, 10)
        self[key] = value
        return value


def fill(template: str, slots: Slots) -> str:
    """A template with its slots filled."""
    return template.format_map(slots) if "{" in template else template


def a_place(matter: Matter, stage: str, rng: random.Random, hour: int) -> str:
    """A place where the matter can be; empty where it has none (a call, a website) or the stage has no such place."""
    groups = [group for group in matter.places if stage in places()[group]]
    if not groups:
        return ""
    return fill(rng.choice(places()[rng.choice(groups)][stage]), Slots(rng, hour))


def spoken(core: str, matter: Matter, place: str, speaker: str, rng: random.Random, hour: int) -> str:
    """A report's text: ``core`` with place, time and worry around it, as the speaker would write it."""
    common = speech()["common"]
    slots = Slots(rng, hour)
    # A clause that names its place needs no second one; the record's place field still holds it.
    where = place if place and rng.random() < 0.75 and not _NAMES_PLACE.search(core) else ""
    if rng.random() < SHORT:
        return _slipped(where + core + rng.choice(common["short_end"]), speaker, rng)
    said = speakers()[speaker]
    parts = [rng.choice(said.open)]
    if rng.random() < 0.35:
        parts.append(fill(rng.choice([word for start, end, word in common["when"] if start <= hour < end]), slots))
    if where and rng.random() < 0.8:
        parts += [where, rng.choice(common["link"]), core]
    else:
        parts += [core, f"，位置在{where}" if where else ""]
    if rng.random() < 0.45:
        parts.append("，" + fill(rng.choice(matter.more), slots))
    if rng.random() < LONG:
        told = rng.sample(common["filler"], rng.randint(3, len(common["filler"])))
        parts += ["。", *(fill(sentence, slots) for sentence in told), fill(rng.choice(matter.more), slots)]
    parts.append(rng.choice(said.end))
    if said.emoji and rng.random() < EMOJI:
        parts.append(rng.choice(said.emoji) * rng.choice((1, 1, 2, 3)))
    return _slipped("".join(parts), speaker, rng)


def reworded(core: str, rng: random.Random) -> str:
    """The same clause as another witness would put it."""
    for here, there in speech()["common"]["synonyms"]:
        if rng.random() < 0.5:
            if here in core:
                core = core.replace(here, there, 1)
            elif there in core:
                core = core.replace(there, here, 1)
    clauses = core.split("，")
    if len(clauses) > 1 and len(clauses[0]) >= 12 and rng.random() < 0.2:
        return clauses[0]
    return core


def _slipped(text: str, speaker: str, rng: random.Random) -> str:
    slips = speech()["slips"]
    if rng.random() < TYPO:
        text = _one_of(text, slips["typo"], rng)
    if speaker in _SPEAKS_DIALECT and rng.random() < DIALECT:
        for here, there in slips["dialect"]:
            text = text.replace(here, there)
    chance = rng.random()
    if chance < TRADITIONAL:
        for here, there in slips["traditional"]:
            text = text.replace(here, there)
    elif chance < TRADITIONAL + ENGLISH:
        text += rng.choice(speech()["common"]["english"])
    elif chance < TRADITIONAL + ENGLISH + NO_STOPS:
        text = text.replace("，", " ").replace("。", " ").strip()
    return text


def _one_of(text: str, pairs: Sequence[Sequence[str]], rng: random.Random) -> str:
    fitting = [pair for pair in pairs if pair[0] in text]
    if not fitting:
        return text
    here, there = rng.choice(fitting)
    return text.replace(here, there, 1)
