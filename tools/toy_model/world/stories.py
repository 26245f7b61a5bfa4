"""Small stories: a hero, a place, a wish or a trouble, a friend, and a good end."""

from __future__ import annotations

import random

from world.names import BOYS, GIRLS
from world.phrasing import article, capitalise, pick
from world.telling import made_up_name

HEROES: dict[str, tuple[str, ...]] = {
    "cat": ("in a warm house", "on a farm", "near the harbour"), "dog": ("on a farm", "in a small village",
    "in a warm house"),
    "mouse": ("in an old mill", "under the kitchen floor", "in a garden"), "fox": ("in a deep forest",
    "near a quiet lake"),
    "bear": ("in a deep forest", "on a high mountain"), "rabbit": ("in a green field", "near the forest"),
    "owl": ("in an old tree", "in a tall tower"),
    "frog": ("near a quiet pond", "by the river"), "bird": ("in a tall tree", "in a garden"),
    "hedgehog": ("in a garden", "near the forest"),
    "duck": ("near a quiet pond", "by the river"), "snail": ("in a garden", "in a green field"), "horse": ("on a farm",
    "in a green field"),
    "penguin": ("on a cold island", "in the land of snow"), "elephant": ("in a hot country", "near a wide river"),
    "turtle": ("on a sunny island", "by the sea"),
    "bee": ("in a garden", "in a field of flowers"), "lion": ("in a hot country", "near a big rock"),
    "wolf": ("in a deep forest", "on a high mountain"),
    "robot": ("in a small workshop", "in a big city"), "dragon": ("on a high mountain", "in a dark cave"),
    "girl": ("in a small village", "by the sea", "in a big city"),
    "boy": ("in a small village", "by the sea", "on a farm"), "king": ("in a big castle", "in a tall tower"),
    "queen": ("in a big castle", "in a far country"),
    "princess": ("in a big castle", "in a tall tower"), "knight": ("in an old castle", "near a dark forest"),
    "witch": ("in a deep forest", "in a crooked house"),
    "baker": ("in a small village", "near the market"), "fisherman": ("by the sea", "on a small island"),
    "unicorn": ("in a magic forest", "near a silver lake"),
    "giant": ("on a high mountain", "behind the clouds"), "farmer": ("on a farm", "near a small village"),
    "monkey": ("in the jungle", "on a sunny island"),
    "squirrel": ("in a tall tree", "in a deep forest"), "pirate": ("on a small ship", "on a small island"),
    "star": ("high in the sky", "above a small village"),
    "fish": ("in the blue sea", "in a quiet lake"), "wizard": ("in a tall tower", "in a deep forest"),
    "cow": ("on a farm", "in a green field"),
    "ghost": ("in an old castle", "in an empty house"), "computer": ("in a quiet room", "in a small workshop"),
    "tree": ("in a green field", "on a hill"), "spider": ("in an old mill", "in a garden"),
}
SHE_KINDS = {"girl", "queen", "princess", "witch"}
HE_KINDS = {"boy", "king", "knight", "fisherman", "wizard"}
NATURES = ("little", "small", "brave", "clever", "shy", "kind", "curious", "young", "quiet", "cheerful")
FRIENDS = ("owl", "mouse", "fox", "hedgehog", "bird", "frog", "rabbit", "bear", "cat", "dog", "duck", "snail", "turtle",
    "squirrel")
THINGS = ("golden key", "red ball", "little bell", "warm hat", "silver coin", "old map", "small lamp", "blue stone",
    "wooden boat", "green umbrella")
FOODS = ("apple pie", "warm bread", "honey cake", "hot soup", "sweet berries", "fresh cheese")
ASKS = (
    "{tell|say|read|write|give}{ me|} a{ short| little| nice| new| small| good| bedtime|} story{ please|}",
    "{can|could|will|would} you {tell|write|read}{ me|} a{ short| bedtime|} story?",
    "{I want|I would like|i'd like}{ to hear|} a{ short| nice|} story{ please|}",
    "{story|a story|story time|story please|bedtime story|once upon a time}",
    "do you know {a story|stories|any stories|a good story}?", "{make up|invent} a story{ for me|}",
    "let me hear a story", "how about a story?", "tell a tale", "tell me a {fairy tale|tale}", "yes, tell me a story",
    "tell my {kid|child|son|daughter} a story", "{I wanna|i want to|let me} hear {a story|something|a tale}",
    "gimme a story", "a {nice|short|good|bedtime} {story|tale}{ please| for my daughter| for my son| for the kids|}",
)
ASKS_ABOUT = (
    "{tell|write|say|read|give}{ me|} a{ short| little| nice|} story about <hero>{ please|}",
    "{can|could} you tell{ me|} a{ short|} story about <hero>?", "{I want|I would like} a story about <hero>",
    "a story about <hero>{ please|}", "story about <hero>",
    "do you know a story about <hero>?", "{now |}{one|another one|another story} about <hero>",
    "tell me about <hero> in a story", "make up a story about <hero>", "write about <hero>, a short story",
    "{I wanna|i want to} hear {a story|something} about <hero>",
    "{could|can} you {tell|write} me a {nice|good|funny} {story|tale} {with|about} <hero>{ in it|}?",
    "a {nice|short|funny} {story|tale} {with|about} <hero>{ please|}", "something about <hero>, as a story",
    "gimme a story {with|about} <hero>",
)

_OPENINGS = (
    "Once upon a time there was <nature> <kind> {named|called} <name>. <Name> lived <place>.",
    "There once was <nature> <kind> {named|called} <name>, who lived <place>.",
    "Once there lived <nature> <kind> <place>. {His name was <name>.|The name of the <kind> was <name>.}",
)
# Each plot: sentences in order, each with its alternatives.
_PLOTS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (  # something is lost and found
        ("One {day|morning}, <name> {lost|could not find} <poss> <thing>.",
         "<Name> had a <thing> and loved it very much. But one {day|morning} it was gone."),
        ("<Pron> looked under the {bed|table|leaves} and behind the {door|big stone|old tree}, but it was not there.",
         "<Pron> looked {everywhere|here and there}, but could not find it."),
        ("Then a <friend> came {along|by}. \"Why are you so sad?\" asked the <friend>.",
         "A <friend> saw <obj> and asked: \"What is wrong?\""),
        ("\"I lost my <thing>,\" said <name>.", "\"My <thing> is gone,\" said <name>."),
        ("\"Do not cry,\" said the <friend>. \"We will look together.\"", "\"I will help you,\" said the <friend>."),
        ("They looked {until the evening|all day long}, and at last they found the <thing> {in the grass|by the river|under an old tree}.",
         ),
        ("<Name> was so happy that <pron> {danced|laughed out loud|sang a song}.",
         "<Name> thanked the <friend> and was very happy."),
        ("From that day on, <name> and the <friend> were {best friends|good friends}.",),
    ),
    (  # a storm and a shelter
        ("One {night|evening}, a big storm came. The wind was loud and the rain was cold.",),
        ("<Name> {was afraid|could not sleep}. Then there was a knock at the door.",
         "<Name> sat by the fire. Then there was a knock at the door."),
        ("It was a <friend>, wet and cold. \"May I come in?\" asked the <friend>.",
         "A wet <friend> stood outside. \"Please let me in,\" said the <friend>."),
        ("\"Come in,\" said <name>. \"The fire is warm.\"",
         "<Name> opened the door and said: \"Come in and sit by the fire.\""),
        ("They sat by the {hearth|fire} and ate <food>.", "<Name> made <food>, and they ate it together."),
        ("The <friend> told {funny|long|old} stories, and soon they {forgot the storm|were not afraid any more}.",),
        ("In the morning the sun was shining, and the storm was gone.",
         "When the sun came up, the sky was blue again."),
        ("\"Thank you,\" said the <friend>. \"A warm fire is good, but a friend is better.\"",
         "From that day on, they met every evening by the fire."),
    ),
    (  # a wish to do something hard
        ("<Name> had one big wish: <pron> wanted to {see the sea|climb the high mountain|touch the moon|learn to swim}.",
         ),
        ("\"You are too small,\" said the others. But <name> did not {listen|give up}.",
         "Everybody laughed. But <name> {smiled and packed a little bag|did not give up}."),
        ("<Pron> walked for {three days|a long time}, over hills and through the forest.",
         "So <name> went on a long walk, past fields and rivers."),
        ("On the way <pron> met a <friend> who was {hungry|lost|tired}.", "On the road sat a {hungry|tired} <friend>."),
        ("<Name> gave the <friend> some <food>, and the <friend> said: \"I know the way. Follow me.\"",),
        ("Together they went on, step by step.", "They walked side by side and sang a song."),
        ("And at last <name>'s wish came true.", "At last they were there, and the wish came true."),
        ("\"I am small,\" said <name>, \"but my wish was big.\"", "<Name> was very proud and very happy."),
    ),
    (  # helping with food
        ("One day, <name> wanted to {make|bake} something good to eat.",
         "It was a cold winter, and there was not much to eat."),
        ("<Pron> had {a little flour|only one apple|some milk}, but that was not enough.",
         "But in the kitchen there was almost nothing."),
        ("So <name> asked a <friend> for help.", "A <friend> came by and asked: \"What are you doing?\""),
        ("\"I have some honey,\" said the <friend>. \"Let us share.\"",
         "\"I have some nuts and berries,\" said the <friend>. \"We can share.\""),
        ("They worked all {morning|day}, and soon the whole house smelled of <food>.",),
        ("Then all the neighbours came, and everybody {brought something|ate and laughed}.",
         "They called all their friends and sat down at a big table."),
        ("There was enough for everyone.", "Nobody was hungry that day."),
        ("\"What we share tastes best,\" said <name>.", "And <name> learned that sharing makes a small meal big."),
    ),
    (  # a strange sound at night
        ("One night, <name> heard a strange sound. {Tap, tap, tap|Hoo, hoo, hoo|Knock, knock, knock}.",),
        ("\"Who is there?\" asked <name>. But nobody answered.", "<Pron> was afraid, but <pron> was also curious."),
        ("So <name> took a small lamp and went outside.", "<Name> took a small lamp and opened the door."),
        ("Behind {a tree|the house|a big stone} sat a little <friend>.", "There, in the dark, sat a little <friend>."),
        ("\"I am lost,\" said the <friend>. \"I cannot find my home.\"",
         "\"I fell and hurt my leg,\" said the <friend>."),
        ("<Name> was not afraid any more. \"Come with me,\" <pron> said.",
         "\"Do not worry,\" said <name>. \"I will help you.\""),
        ("They walked through the night, and the lamp showed them the way.",
         "<Name> carried the <friend> home under the stars."),
        ("Since then, when there is a strange sound, <name> only smiles.",
         "The <friend> said thank you, and <name> slept well that night."),
    ),
    (  # finding a treasure
        ("One day, <name> found a <thing> {in the grass|on the road|by the river}.",),
        ("\"Whose is this?\" asked <name>. {Nobody knew.|\"It is not mine,\" said the <friend>.}",),
        ("<Pron> went from house to house and asked everybody.", "So <name> went to the village and asked."),
        ("At last <pron> met an old {woman|man} who was looking for something.",
         "In the last house lived an old {woman|man}."),
        ("\"That is my <thing>!\" said the old one, and smiled.", "\"My <thing>! I have missed it for years.\""),
        ("<Name> gave it back at once.", "\"Then it is yours,\" said <name>."),
        ("To say thank you, the old one gave <obj> <food>.", "They sat down together and ate <food>."),
        ("\"You are honest,\" said the old one, \"and that is worth more than gold.\"",
         "And <name> went home with a happy heart."),
    ),
    (  # a race
        ("One summer there was a big race. Everybody wanted to win.", "One day the animals had a race."),
        ("<Name> was not fast, but <pron> wanted to try.", "\"I will run, too,\" said <name>. Some laughed."),
        ("One, two, three, and they ran!", "\"Go!\" said the old owl, and off they ran."),
        ("In the middle of the way, a <friend> fell down.", "Half way, <name> saw a <friend> who had hurt a foot."),
        ("The others ran on, but <name> stopped.", "Nobody stopped. Only <name> did."),
        ("\"Take my hand,\" said <name>, and they went on slowly.",
         "<Pron> helped the <friend> up, and they walked together."),
        ("They were the last ones to arrive.", "When they came to the end, the race was long over."),
        ("But everybody clapped, because <name> had the biggest heart.",
         "But the prize was for <name>, because kindness wins."),
    ),
    (  # growing something
        ("In spring, <name> {found|planted} a tiny seed.", "One day, <name> put a tiny seed into the ground."),
        ("Every day <pron> gave it a little water.", "<Name> watered it every morning and sang to it."),
        ("\"Nothing will grow there,\" said a <friend>.", "A <friend> laughed: \"You must wait too long.\""),
        ("But <name> waited. The rain came, and the sun came.", "<Name> only smiled and waited."),
        ("Then, one morning, there was a small green leaf.",
         "And one morning, something green looked out of the ground."),
        ("It grew and grew, until it was a {big tree|tall sunflower|beautiful flower}.",),
        ("Now everybody came to sit next to it, the <friend>, too.",
         "The <friend> came and said: \"You were right to wait.\""),
        ("\"Good things need time,\" said <name>.", "And every summer they sit there together."),
    ),
)
_ENDINGS = ("", "", " The end.", " And they lived happily ever after.", " That is the end of the story.")


def story_about(rng: random.Random, kind: str, *, name: str = "", friend: str = "") -> str:
    """A story whose hero is a `kind`, a key of HEROES; the hero's name and the friend are chosen unless given."""
    she = name in GIRLS or kind in SHE_KINDS or (kind not in HE_KINDS and name not in BOYS and rng.random() < 0.5)
    if not name:
        name = made_up_name(rng) if rng.random() < 0.08 else rng.choice(GIRLS if she else BOYS)
    pron = "she" if she else "he"
    friend = friend or rng.choice([f for f in FRIENDS if f != kind])
    slots = {
        "nature": article(rng.choice(NATURES)), "kind": kind, "name": name, "Name": name,
        "place": rng.choice(HEROES[kind]),
        "pron": pron, "Pron": pron.capitalize(), "poss": "her" if she else "his", "obj": "her" if she else "him",
        "friend": friend, "thing": rng.choice(THINGS), "food": rng.choice(FOODS),
    }
    opening = pick(rng, _OPENINGS, slots)
    if she:
        opening = opening.replace("His name", "Her name")
    sentences = [opening] + [pick(rng, choices, slots) for choices in rng.choice(_PLOTS)]
    return " ".join(capitalise(s) for s in sentences) + rng.choice(_ENDINGS)


def random_story(rng: random.Random) -> str:
    return story_about(rng, rng.choice(tuple(HEROES)))
