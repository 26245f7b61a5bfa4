"""Puts topics together to conversations: what was said before decides what may follow."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from world import about_hearth, factual, facts, jokes, names, smalltalk, stories, sums, telling, unknown
from world.intents import Intent
from world.phrasing import article, as_typed, capitalise, expand, pick

Pair = tuple[str, str]

SYSTEM_PROMPTS = (
    "You are a helpful assistant.", "You are Hearth's toy model, a very small language model.",
    "You are a helpful, friendly assistant. Answer briefly.",
    "You are a friendly assistant.", "Answer in short, simple sentences.", "You are a kind storyteller.",
    "You are a toy model in the Hearth program.",
    "You are a helpful AI assistant.", "Be brief.", "You are a chatbot. Be polite and honest.",
    "You are a small model that talks with people.",
    "You are a pirate.", "You are an expert in everything.", "Always answer the question.",
    "You are a teacher for small children.", "You are Hearth.", "Be helpful.",
)


@dataclass
class Talk:
    """One conversation while it is being made."""

    rng: random.Random
    pairs: list[Pair] = field(default_factory=list)
    name: str = ""
    likes: dict[str, str] = field(default_factory=dict)

    def say(self, ask: str, reply: str, keep_case: bool = False) -> None:
        self.pairs.append((as_typed(self.rng, ask, keep_case), reply))

    def say_exactly(self, ask: str, reply: str) -> None:
        self.pairs.append((ask, reply))


# ---- people -----------------------------------------------------------------------------------

NAME_ASKS = (
    "my name is <n>", "I am <n>", "I'm <n>", "{hi|hello|hey}, {my name is|I am|i'm|this is} <n>", "call me <n>",
    "you can call me <n>", "my name's <n>", "{people|my friends} call me <n>", "<n> is my name",
    "{hi|hello}{!|.|,} I'm <n>, {nice to meet you|how are you?|who are you?}", "it is <n>", "the name is <n>",
    "I am called <n>", "my name is <n>, {what is yours|and yours|and you}?",
    "{hi|hello|hey}, {I am|i'm|my name is} <n> and I {am a bit tired|am happy|live in Berlin|like cats|am new here|have a question|want to talk|come from Spain|am bored|like stories}{ today|}",
    "nice to {meet|see} you, {I am|my name is} <n>", "nice to meet you. {my name is|I am} <n>",
    "by the way, {my name is|I am} <n>",
)
NAME_REPLIES = ("Nice to meet you, <n>!", "Hello, <n>! It is nice to meet you.",
    "Hello <n>! What would you like to talk about?", "Nice to meet you, <n>! I am Hearth's toy model.")
NAME_QUESTIONS = ("what is my name?", "what's my name?", "do you {know|remember} my name?", "who am I?", "say my name",
    "tell me my name", "can you remember my name?", "what am I called?", "what did I say my name was?",
    "what was my name{ again|}?", "do you know who I am?", "do you remember {who I am|what I am called}?",
    "you remember my name?")


def _a_name(rng: random.Random) -> tuple[str, bool]:
    """A name and whether it is one of the lists (so that its small letters are known, too)."""
    if rng.random() < 0.4:
        return telling.made_up_name(rng), False
    return rng.choice(names.GIRLS + names.BOYS + names.OTHERS + names.OTHERS), True


def tell_name(talk: Talk) -> None:
    name, listed = _a_name(talk.rng)
    talk.name = name
    draw = talk.rng.random()
    ask = pick(talk.rng, NAME_ASKS, {"n": name})
    talk.say(ask, pick(talk.rng, NAME_REPLIES, {"n": name}), keep_case=not listed or draw < 0.4)
    if talk.rng.random() < 0.35:
        ask_name(talk)


def ask_name(talk: Talk) -> None:
    ask = pick(talk.rng, NAME_QUESTIONS)
    if talk.name:
        talk.say(ask, pick(talk.rng, ("Your name is <n>.", "You are <n>.", "You told me that your name is <n>."),
            {"n": talk.name}))
    else:
        talk.say(ask, "You have not told me your name yet. What is your name?")
        if talk.rng.random() < 0.4:
            answer_name(talk)


def answer_name(talk: Talk) -> None:
    """The user answers the question for the name."""
    if talk.rng.random() < 0.5:
        tell_name(talk)
        return
    name, listed = _a_name(talk.rng)
    talk.name = name
    talk.say(name, pick(talk.rng, NAME_REPLIES, {"n": name}), keep_case=not listed or talk.rng.random() < 0.5)


FAVOURITES: dict[str, tuple[str, ...]] = {
    "colour": ("blue", "red", "green", "yellow", "orange", "purple", "pink", "black", "white", "brown", "grey"),
    "animal": ("cat", "dog", "horse", "bird", "rabbit", "fox", "wolf", "lion", "tiger", "elephant", "penguin",
    "dolphin", "bear", "owl", "frog", "turtle"),
    "food": ("pizza", "soup", "bread", "cake", "chocolate", "cheese", "rice", "pasta", "salad", "fish", "ice cream",
    "apples"),
    "season": ("spring", "summer", "autumn", "winter"),
    "drink": ("tea", "coffee", "water", "milk", "juice"),
    "number": ("one", "two", "three", "five", "seven", "eight", "nine", "ten"),
}
FAVOURITE_COMMENT = {
    "colour": "<V> is a beautiful colour.", "animal": "The <v> is a lovely animal.", "food": "That sounds tasty!",
    "season": "<V> is a lovely time of the year.", "drink": "That is a good drink.", "number": "<V> is a fine number.",
}


def _comment(rng: random.Random, kind: str, value: str) -> str:
    return pick(rng, (FAVOURITE_COMMENT[kind], FAVOURITE_COMMENT[kind] + " I will remember it."), {"v": value,
        "V": capitalise(value)})


def tell_favourite(talk: Talk) -> None:
    kind = talk.rng.choice(tuple(FAVOURITES))
    value = talk.rng.choice(FAVOURITES[kind])
    talk.likes[kind] = value
    said = {"colour": "{colour|color}"}.get(kind, kind)
    said_value = f"the {value}" if kind == "animal" and talk.rng.random() < 0.5 else value
    ask = pick(talk.rng, (f"my {{favourite|favorite}} {said} is <v>", f"<v> is my {{favourite|favorite}} {said}",
        f"the {said} I like best is <v>"), {"v": said_value})
    talk.say(ask, _comment(talk.rng, kind, value))
    if talk.rng.random() < 0.3:
        ask_favourite(talk)


def ask_favourite(talk: Talk) -> None:
    kind = talk.rng.choice(tuple(talk.likes) or tuple(FAVOURITES))
    said = {"colour": "{colour|color}"}.get(kind, kind)
    ask = pick(talk.rng, (f"what is my {{favourite|favorite}} {said}?",
        f"do you {{remember|know}} my {{favourite|favorite}} {said}?", f"which {said} do I like{{ best|}}?",
        f"what's my {{favourite|favorite}} {said}?"))
    if kind in talk.likes:
        value = talk.likes[kind]
        talk.say(ask, f"Your favourite {kind} is {'the ' if kind == 'animal' else ''}{value}.")
    else:
        talk.say(ask, f"You have not told me your favourite {kind} yet.")


# ---- what follows an answer that asks something -------------------------------------------------

YES = ("yes", "yes please", "yeah", "sure", "ok", "okay", "please", "yes, please", "of course", "yep", "go on",
    "please do", "yes I do", "why not")
NO = ("no", "no thanks", "no thank you", "not now", "nope", "not really", "nah")
NO_REPLIES = ("That is all right. What would you like to talk about?", "All right. Tell me if you need anything.")
FREE_SAD = ("my friend was {mean|angry|not nice} to me", "I had a fight with my {friend|brother|mother|boss}",
    "I lost my {job|dog|cat|phone}", "nobody likes me", "I do not know why",
    "it is {work|school|everything|because of work}", "I miss my {family|friend|home}",
    "because {it is raining|I am alone|work is hard|I failed my test|my cat is sick}", "too much work",
    "I have no friends", "my boss is angry with me", "I am just sad")
FREE_SAD_REPLIES = ("I am sorry to hear that. Thank you for telling me. I hope that tomorrow is better.",
    "That is hard. Be kind to yourself, and talk with somebody you trust.",
    "I am sorry. A good rest or a talk with a friend may help.")
FREE_GOOD = ("because {the sun is shining|it is the weekend|I am on holiday|I passed my test|it is fun|I like it|I met a friend}",
    "I {went for a walk|met my friend|played with my dog|read a good book|cooked dinner|slept well|had a good breakfast|was in the garden|went swimming|finished my work}",
    "I like {the music|the quiet|the people|everything|the colours|the fresh air|winning|learning new things}",
    "{my family|my friends|my dog|the sun|the food|a good coffee}", "it is {fun|relaxing|interesting|nice|beautiful}",
    "my friend is coming{ today| to visit|}", "I will go on a trip", "nothing special", "I got a new job",
    "we went to the sea")
FREE_GOOD_REPLIES = ("That sounds nice! Thank you for telling me.", "How nice! I am glad for you.",
    "That sounds lovely.")
TOPICS = ("animals", "cats", "dogs", "food", "the weather", "music", "books", "you", "me", "life", "hearth", "stories",
    "colours", "computers", "games", "friends", "school", "work", "numbers", "robots", "nature", "space", "movies",
    "sports", "the sea", "love")
TOPIC_REPLIES = ("Good idea! Ask me something small about it, or tell me what you think.",
    "I like to talk about that. What do you want to know?", "Good! What do you like about it?")


def _accept(talk: Talk, *, story: bool, joke: bool) -> None:
    """The user takes (or refuses) an offer of a story or a joke."""
    rng = talk.rng
    if rng.random() < 0.2:
        talk.say(rng.choice(NO), rng.choice(NO_REPLIES))
    elif story and (not joke or rng.random() < 0.5):
        ask = rng.choice(YES if not joke or rng.random() < 0.25 else ("a story", "story", "a story please", "the story",
            "yes, a story", "story please", "tell me a story", "i want a story"))
        talk.say(ask, stories.random_story(rng))
    else:
        ask = rng.choice(YES if not story or rng.random() < 0.25 else ("a joke", "joke", "a joke please", "the joke",
            "yes, a joke", "joke please", "tell me a joke"))
        talk.say(ask, rng.choice(jokes.JOKES))


def _free(asks: tuple[str, ...], replies: tuple[str, ...]) -> Callable[[Talk], None]:
    return lambda talk: talk.say(pick(talk.rng, asks), talk.rng.choice(replies))


def _answer_favourite(kind: str) -> Callable[[Talk], None]:
    def answer(talk: Talk) -> None:
        value = talk.rng.choice(FAVOURITES[kind])
        talk.likes[kind] = value
        frames = ("<v>", "<v>", "I like <v>", "my favourite is <v>", "mine is <v>", "<v>, I think", "<v> of course",
            "I love <v>")
        shown = f"{value}s" if kind == "animal" and value not in ("fox", "wolf") and talk.rng.random() < 0.5 else value
        talk.say(pick(talk.rng, frames, {"v": shown}), _comment(talk.rng, kind, value))
        if talk.rng.random() < 0.4:
            ask_favourite(talk)
    return answer


def _a_topic(talk: Talk) -> None:
    topic = talk.rng.choice(TOPICS)
    talk.say(pick(talk.rng, ("<t>", "about <t>", "let us talk about <t>", "I want to talk about <t>",
        "{can we|let us} talk about <t>", "<t>, please", "I like <t>"), {"t": topic}), talk.rng.choice(TOPIC_REPLIES))


FOLLOW_UPS: tuple[tuple[str, Callable[[Talk], None]], ...] = (
    ("a story or a joke?", lambda talk: _accept(talk, story=True, joke=True)),
    ("Shall I tell you one?", lambda talk: _accept(talk, story=True, joke=False)),
    ("a little story?", lambda talk: _accept(talk, story=True, joke=False)),
    ("tell you a joke?", lambda talk: _accept(talk, story=False, joke=True)),
    ("another joke?", lambda talk: _accept(talk, story=False, joke=True)),
    ("How are you?", lambda talk: feeling(talk)), ("And how are you today?", lambda talk: feeling(talk)),
     ("How are you today?", lambda talk: feeling(talk)),
    ("What is your name?", answer_name), ("What is yours?", _answer_favourite("colour")),
     ("What is your favourite animal?", _answer_favourite("animal")),
    ("your favourite animal?", _answer_favourite("animal")), ("What do you like to eat?", _answer_favourite("food")),
     ("because then people sit by the hearth. And you?", _answer_favourite("season")),
    ("tell me about it?", _free(FREE_SAD, FREE_SAD_REPLIES)),
    ("What made you so happy?", _free(FREE_GOOD, FREE_GOOD_REPLIES)), ("What did you like best?", _free(FREE_GOOD,
     FREE_GOOD_REPLIES)), ("Tell me more.", _free(FREE_GOOD, FREE_GOOD_REPLIES)),
    ("What do you like most about it?", _free(FREE_GOOD, FREE_GOOD_REPLIES)), ("Tell me more about it.",
     _free(FREE_GOOD, FREE_GOOD_REPLIES)), ("made you smile today?", _free(FREE_GOOD, FREE_GOOD_REPLIES)),
    ("What do you like to do together?", _free(FREE_GOOD, FREE_GOOD_REPLIES)), ("What do you like about it?",
     _free(FREE_GOOD, FREE_GOOD_REPLIES)), ("And you?", _free(FREE_GOOD, FREE_GOOD_REPLIES)), ("What are you doing?",
     _free(FREE_GOOD, FREE_GOOD_REPLIES)),
    ("What are you so excited about?", _free(FREE_GOOD, FREE_GOOD_REPLIES)), ("What did you do?", _free(FREE_GOOD,
     FREE_GOOD_REPLIES)), ("What do you think?", _free(FREE_GOOD, FREE_GOOD_REPLIES)),
    ("What would you like to talk about?", _a_topic), ("What would you like to talk about now?", _a_topic),
)


def follow_up(talk: Talk) -> None:
    """If the last answer asks the user something, the user may answer it."""
    if not talk.pairs:
        return
    last = talk.pairs[-1][1]
    for ending, answer in FOLLOW_UPS:
        if last.endswith(ending):
            answer(talk)
            return


# ---- topics -------------------------------------------------------------------------------------

def use(talk: Talk, intent: Intent) -> None:
    talk.say(pick(talk.rng, intent.asks), pick(talk.rng, intent.replies))
    if intent.more and talk.rng.random() < 0.2:
        asks = ("why?", "why is that?", "why {so|that}?", "how come?", "tell me more", "can you tell me more?",
            "more{ please|}", "go on", "explain{ that|}", "and{?|}", "what else?")
        talk.say(pick(talk.rng, asks), talk.rng.choice(intent.more))


def _weighted(rng: random.Random, intents: tuple[Intent, ...]) -> Intent:
    return rng.choices(intents, [intent.weight for intent in intents])[0]


def feeling(talk: Talk) -> None:
    weights = [6.0] + [1.0] * (len(smalltalk.FEELINGS) - 1)
    words, replies = talk.rng.choices(smalltalk.FEELINGS, weights)[0]
    if talk.rng.random() < 0.08:  # a word that it never heard: it can still be kind
        words, replies = telling.made_up_word(talk.rng) + "y", smalltalk.UNKNOWN_FEELING_REPLIES
    talk.say(pick(talk.rng, smalltalk.FEELING_ASKS, {"f": talk.rng.choice(words.split("|"))}), talk.rng.choice(replies))


def small_sums(talk: Talk) -> None:
    kinds = (sums.sum_pair,) * 8 + (sums.times_pair,) * 2 + (sums.counting_pair, sums.plain_count_pair,
        sums.backwards_pair, sums.neighbour_pair, sums.compare_pair, sums.too_big_pair)
    for _ in range(talk.rng.choice((1, 1, 2, 3))):
        ask, reply = talk.rng.choice(kinds)(talk.rng)
        talk.say(ask, reply)


def small_facts(talk: Talk) -> None:
    rng = talk.rng
    kinds: tuple[Callable[[random.Random], list[Pair]], ...] = (
        factual.animal_pairs, factual.animal_pairs, factual.animal_pairs, factual.opposite_pairs,
            factual.opposite_pairs,
        lambda r: [factual.colour_pair(r)], lambda r: [factual.colour_pair(r)], lambda r: [factual.mix_pair(r)],
            lambda r: [factual.definition_pair(r)], lambda r: [factual.definition_pair(r)],
            lambda r: [factual.definition_pair(r)],
        lambda r: [factual.calendar_pair(r)], lambda r: [factual.capital_pair(r)], lambda r: [factual.common_pair(r)],
            lambda r: [factual.common_pair(r)], lambda r: [factual.common_pair(r)],
    )
    for ask, reply in rng.choice(kinds)(rng):
        talk.say(ask, reply)


def _hero_phrase(rng: random.Random, kind: str) -> str:
    nature = rng.choice(("", "", "", "", "little ", "brave ", "small "))
    return article(nature + kind) if rng.random() < 0.85 else f"the {nature}{kind}"


def story(talk: Talk) -> None:
    rng = talk.rng
    draw = rng.random()
    kind = rng.choice(tuple(stories.HEROES))
    if draw < 0.3:
        talk.say(pick(rng, stories.ASKS), stories.random_story(rng))
    elif draw < 0.7:
        talk.say(pick(rng, stories.ASKS_ABOUT, {"hero": _hero_phrase(rng, kind)}), stories.story_about(rng, kind))
    elif draw < 0.85:
        friend = rng.choice([f for f in stories.FRIENDS if f != kind])
        heroes = f"{_hero_phrase(rng, kind)} and {article(friend)}"
        talk.say(pick(rng, stories.ASKS_ABOUT, {"hero": heroes}), stories.story_about(rng, kind, friend=friend))
    elif draw < 0.93:
        _story_with_name(talk, kind)
    else:
        thing = rng.choice(unknown.THINGS)
        reply = "I do not know a story about that, but here is another one. " + stories.random_story(rng)
        talk.say(pick(rng, stories.ASKS_ABOUT, {"hero": article(thing)}), reply)
    if rng.random() < 0.25:
        talk.say(pick(rng, jokes.ANOTHER_ASKS + ("another story{ please|}", "tell me another story", "one more story")),
            stories.random_story(rng))


def _story_with_name(talk: Talk, kind: str) -> None:
    """The user chooses the hero's name: it or the user's own."""
    rng = talk.rng
    she = kind in stories.SHE_KINDS or (kind not in stories.HE_KINDS and rng.random() < 0.5)
    name = telling.made_up_name(rng) if rng.random() < 0.5 else rng.choice(names.GIRLS if she else names.BOYS)
    if talk.name and rng.random() < 0.5:
        talk.say("tell me a story about me", stories.story_about(rng, rng.choice(("girl", "boy")), name=talk.name))
    else:
        hero = f"{_hero_phrase(rng, kind)} {{named|called}} {name}"
        talk.say(pick(rng, stories.ASKS_ABOUT, {"hero": expand(rng, hero)}), stories.story_about(rng, kind, name=name),
            keep_case=rng.random() < 0.5)


def _one_of(asks: tuple[str, ...], texts: tuple[str, ...], again: str) -> Callable[[Talk], None]:
    def topic(talk: Talk) -> None:
        count = talk.rng.choice((1, 1, 2, 2, 3))
        chosen = talk.rng.sample(texts, count)
        talk.say(pick(talk.rng, asks), chosen[0])
        for text in chosen[1:]:
            talk.say(pick(talk.rng, jokes.ANOTHER_ASKS + (f"another {again}{{ please|}}", f"tell me another {again}")),
                text)
    return topic


def riddle(talk: Talk) -> None:
    rng = talk.rng
    question, answer = rng.choice(jokes.RIDDLES)
    talk.say(pick(rng, jokes.RIDDLE_ASKS), f"{question} Can you guess?")
    draw = rng.random()
    bare = answer.split(" ", 1)[1]
    if draw < 0.35:
        talk.say(pick(rng, ("<a>", "<b>", "is it <a>?", "it is <a>", "<a>?", "I think it is <a>", "maybe <a>"),
            {"a": answer, "b": bare}), f"Yes, that is right! It is {answer}.")
    elif draw < 0.7:
        talk.say(pick(rng, ("I do not know", "no", "no idea", "tell me", "what is it?", "I give up",
            "what is the answer?", "no, tell me", "idk", "tell me the answer", "what?", "hmm, I don't know", "not sure",
            "dunno")), f"It is {answer}.")
    else:
        wrong = rng.choice([a for _, a in jokes.RIDDLES if a != answer] + [article(n) for n in facts.ANIMALS])
        talk.say(pick(rng, ("<a>", "is it <a>?", "it is <a>", "<a>?", "maybe <a>"), {"a": wrong}),
            f"No, not quite. It is {answer}.")


def knock_knock(talk: Talk) -> None:
    talk.say("knock knock", "Who is there?")
    word = talk.rng.choice(tuple(facts.ANIMALS) + names.BOYS + names.GIRLS + ("lettuce", "boo", "nobody", "ice cream",
        "olive", "tank"))
    talk.say(word, f"{capitalise(word)} who?")
    talk.say(pick(talk.rng, (f"{word} {{is here|at the door|wants to come in|you glad to see me|let me in}}",
        "it is {cold out here|me}", f"{word} {{me|the door|in}}")), "Ha, that is a good one!")


def echo(talk: Talk) -> None:
    words = talk.rng.choice(tuple(facts.ANIMALS) + tuple(facts.DEFINITIONS) + ("hello", "good morning", "I like cats",
        "the sun is warm", "hello world", "yes", "no", "thank you"))
    ask = pick(talk.rng, ("say <w>", "can you say <w>?", "repeat after me: <w>", "please say <w>", "repeat: <w>",
        "say the word <w>"), {"w": words})
    talk.say(ask, capitalise(words) + "!")


def tell(talk: Talk) -> None:
    """Something told, and asked about later; names keep their capitals half of the time, made-up words always."""
    keep_case = talk.rng.random() < 0.5
    for ask, reply in telling.telling_pairs(talk.rng):
        if keep_case:
            talk.say(ask, reply, keep_case=True)
        else:
            talk.say_exactly(ask, reply)


def repeat(talk: Talk) -> None:
    talk.say_exactly(*telling.repeating_pair(talk.rng))


def unknown_question(talk: Talk) -> None:
    rng = talk.rng
    subject, subject2 = rng.sample(unknown.SUBJECTS, 2)
    slots = {"thing": rng.choice(unknown.THINGS), "subject": subject, "subject2": subject2,
        "person": rng.choice(unknown.PEOPLE), "country": rng.choice(unknown.COUNTRIES),
             "nonsense": telling.made_up_word(rng), "nonsense2": telling.made_up_word(rng)}
    talk.say(pick(rng, unknown.QUESTIONS, slots), rng.choice(unknown.REPLIES))
    if rng.random() < 0.1:
        talk.say(pick(rng, ("why?", "why not?", "tell me more", "but why?", "please try", "try it",
            "{try|guess} anyway", "but you must know it")), rng.choice(unknown.MORE))


def _intents(table: tuple[Intent, ...]) -> Callable[[Talk], None]:
    return lambda talk: use(talk, _weighted(talk.rng, table))


TOPIC_WEIGHTS: tuple[tuple[Callable[[Talk], None], float], ...] = (
    (_intents((smalltalk.GREETINGS,)), 2), (_intents((smalltalk.GREETING_AND_HOW,)), 1.5), (_intents((smalltalk.THANKS,
     )), 2.5), (_intents((smalltalk.HOW_ARE_YOU,)), 4),
    (feeling, 5), (_intents(smalltalk.STATEMENTS), 8), (_intents(smalltalk.REACTIONS), 7),
     (_intents(smalltalk.ABOUT_ME), 13),
    (_intents(about_hearth.ABOUT_HEARTH), 22), (small_sums, 26), (small_facts, 28), (story, 6), (unknown_question, 11),
    (_one_of(jokes.JOKE_ASKS, jokes.JOKES, "joke"), 3.5), (_one_of(jokes.POEM_ASKS, jokes.POEMS, "poem"), 1.5),
    (_one_of(jokes.FACT_ASKS, jokes.FUN_FACTS, "fact"), 1.5), (riddle, 2), (knock_knock, 0.5), (echo, 1),
    (tell_name, 10), (ask_name, 4), (tell, 11), (repeat, 2.5), (tell_favourite, 2), (ask_favourite, 2),
)
_TOPICS = [topic for topic, _ in TOPIC_WEIGHTS]
_WEIGHTS = [weight for _, weight in TOPIC_WEIGHTS]


def lesson(rng: random.Random) -> list[dict[str, str]]:
    """One topic and what may follow from it: with nothing else around, questions and answers are learned fast."""
    talk = Talk(rng)
    rng.choices(_TOPICS, _WEIGHTS)[0](talk)
    if rng.random() < 0.1:
        follow_up(talk)
    return _messages(rng, talk.pairs, share_of_system=0.05)


def conversation(rng: random.Random, max_chars: int) -> list[dict[str, str]]:
    """Messages of one conversation of about `max_chars` at most, the system prompt included if there is one."""
    talk = Talk(rng)
    if rng.random() < 0.35:
        use(talk, smalltalk.GREETINGS if rng.random() < 0.75 else smalltalk.GREETING_AND_HOW)
        if rng.random() < 0.5:
            follow_up(talk)
    wanted = rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6)) if max_chars < 2000 else 100
    for _ in range(wanted):
        if talk.name and rng.random() < 0.15:
            ask_name(talk)
        elif talk.likes and rng.random() < 0.15:
            ask_favourite(talk)
        else:
            rng.choices(_TOPICS, _WEIGHTS)[0](talk)
        if rng.random() < 0.3:
            follow_up(talk)
        if sum(len(a) + len(b) + 20 for a, b in talk.pairs) > max_chars:
            break
    if rng.random() < 0.15:
        use(talk, smalltalk.GOODBYES)
    return _messages(rng, talk.pairs, share_of_system=0.25)


def _messages(rng: random.Random, pairs: list[Pair], share_of_system: float) -> list[dict[str, str]]:
    messages = []
    if rng.random() < share_of_system:
        messages.append({"role": "system", "content": rng.choice(SYSTEM_PROMPTS)})
    for ask, reply in pairs:
        messages += [{"role": "user", "content": ask}, {"role": "assistant", "content": expand(rng, reply)}]
    return messages
