"""What is said in the demonstration, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Something that happened `after` so many hours: a decision, or edit, appeal, withdraw by the author."""

    what: str
    after: float
    words: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Said:
    """One comment. `to`: the name of whom it answers; `held`: why a person has to look at it."""

    who: str
    mailbox: str
    hours_ago: float
    text: str
    to: str = ""
    held: tuple[str, ...] = ("first",)
    flagged: bool = False
    audience: str = "public"
    by_the_blog: bool = False
    then: tuple[Step, ...] = ()


def approved(after: float) -> tuple[Step, ...]:
    """Published by a person, so many hours later."""
    return (Step("approve", after),)


CONVERSATION = (
    Said(
        "Marguerite",
        "marguerite",
        190,
        "The cup in the sink made me laugh, and then it did not.\n\nFor me it was a towel. I stood in the "
        "bathroom holding it and understood that I had not been asked a question in my "
        "own house since March.",
        then=approved(3),
    ),
    Said(
        "Tobias K.",
        "tobias",
        184,
        "*“I had not been asked a question”* is exactly it. Nobody was unkind. It was only that all the "
        "sentences went in one direction.",
        to="Marguerite",
        then=approved(5),
    ),
    Said(
        "Iris",
        "iris",
        171,
        "Did you tell them? I am where you were, with the towel so to speak, and I keep writing the sentence "
        "and not saying it.",
        to="Tobias K.",
        then=approved(2),
    ),
    Said(
        "The author",
        "author",
        150,
        "Thank you all three. Iris, it may help to say it badly. A sentence that is said badly can be said "
        "again; one that is only written cannot.",
        to="Iris",
        held=(),
        by_the_blog=True,
    ),
    Said(
        "Jörg",
        "joerg",
        160,
        "Ich habe lange gedacht, wer liebt, der zählt nicht. Heute würde ich sagen: Wer nie zählt, merkt nur "
        "später, dass etwas fehlt.\n\nDas Gespräch führe ich am Sonntag.",
        then=approved(7),
    ),
    Said(
        "Lucía Ferrer",
        "lucia",
        133,
        "Mi madre y yo tuvimos esa conversación el año pasado, en la cocina, sin "
        "mirarnos. Duró diez minutos. "
        "Llevábamos *veinte años* sin empezarla.",
        then=approved(4),
    ),
    Said(
        "Iris (again)",
        "iris",
        96,
        "I said it. Badly, as advised. He was quiet for so long that I counted the tiles, and then he said: "
        "“I thought you liked being the strong one.”\n\nSo that is where we begin.",
        to="The author",
        then=approved(1),
    ),
    Said(
        "سلمى",
        "salma",
        88,
        "أكثر ما أتعبني لم يكن العطاء، بل أنني كنت أعطي كي لا يُطلب مني شيء آخر. شكرًا على هذا النص.",
        then=approved(9),
    ),
    Said(
        "Deniz",
        "deniz",
        80,
        "I disagree a little. My grandmother gave for sixty years and got almost nothing back that one could "
        "name, and she was the least tired person I ever met.\n\n> What returns is the knowledge that "
        "somebody sees you\n\nPerhaps she had that. I never asked her.",
        then=approved(6),
    ),
    Said(
        "Old friend",
        "friend",
        74,
        "I should not have written this here.",
        to="Deniz",
        then=(*approved(2), Step("withdraw", 5)),
    ),
    Said(
        "Marguerite (later)",
        "marguerite",
        61,
        "“I never asked her” is the most honest line on this page.",
        to="Old friend",
        then=approved(4),
    ),
    Said(
        "千尋",
        "chihiro",
        52,
        "「二つ目の質問」という言葉が好きです。明日、私も誰かに聞いてみます。",
        then=approved(8),
    ),
    Said(
        "Sam",
        "sam",
        45,
        "Number four, with the stomach. I tried *“I will tell you tomorrow”* on my brother. He answered: "
        "“Sure.” Eleven years of dread, and the answer was “sure”.",
        then=(
            *approved(2),
            Step(
                "edit",
                1,
                "Number four, with the stomach. I tried *“I will tell you tomorrow”* "
                "on my sister. She answered: “Sure.” Eleven years of dread, and the answer was “sure”.",
            ),
        ),
    ),
    Said(
        "Growth Partner",
        "partner",
        40,
        "Great content! We help coaches like you to reach ten thousand leads a month.",
        held=("links",),
        then=(Step("reject", 3, reason="advertising"),),
    ),
    Said(
        "Realist",
        "realist",
        34,
        "People who count are simply cold. Marguerite should be ashamed, over a towel.",
        then=(
            Step(
                "reject",
                5,
                "You are welcome to disagree with the article. Please leave Marguerite out of it "
                "and send it again.",
                "unkind",
            ),
        ),
    ),
    Said("cheap-pills-4u", "pills", 30, "BEST PRICE no prescription!!! click now", flagged=True),
    Said("SEO Wizard", "wizard", 22, "Nice post. Buy followers, real and fast.", flagged=True),
    Said(
        "Pharmacist in Leeds",
        "leeds",
        20,
        "I count pills for a living and favours at home, and lately I am better at the "
        "pills. Your third step "
        "is the one I would prescribe.",
        flagged=True,
        then=(Step("appeal", 2, "I really am a pharmacist. There is no link in it, and nothing for sale."),),
    ),
    Said(
        "Noor",
        "noor",
        9,
        "Is there a sixth step, for when the other person is your child, and grown, and far away?",
        to="Deniz",
    ),
    Said(
        "Reading group Utrecht",
        "utrecht",
        6,
        "We read this together on Tuesday. Two texts that go well with it: https://example.org/debts and "
        "https://example.org/gifts.",
        held=("links", "first"),
    ),
    Said(
        "Paul",
        "paul",
        4,
        "A person and not a filter, please: it is about my wife, who reads here too. We have begun to ask "
        "each other the second question.",
        held=("no-akismet", "first"),
    ),
    Said(
        "A reader",
        "reader",
        2,
        "Only for you: I wrote down the name that came to me, and it was my own.",
        held=("private",),
        audience="private",
    ),
)
