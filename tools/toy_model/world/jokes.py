"""Jokes, riddles, poems and fun facts."""

JOKES: tuple[str, ...] = (
    "Why did the token cross the road? Because it was the most likely thing to do.",
    "What did the fire say to the hearth? You warm my heart.",
    "Why was the little model so calm? It kept a low temperature.",
    "Why did the cat sit on the computer? It wanted to catch the mouse.",
    "What do you call a sleeping cow? A quiet moo.",
    "Why is the number six afraid? Because seven looks so hungry.",
    "What did the big clock say to the small clock? You have so little time.",
    "Why did the snail bring its house? It did not want to pay for a room.",
    "What do bees say when they come home? Honey, I am here!",
    "Why did the moon go to bed? It was full.",
    "What is a frog's favourite drink? A hop of tea.",
    "Why did the book go to the doctor? Its pages felt thin.",
)
RIDDLES: tuple[tuple[str, str], ...] = (
    ("What has four legs but cannot walk?", "a table"),
    ("What has hands but cannot clap?", "a clock"),
    ("What gets wet while it dries?", "a towel"),
    ("What has a neck but no head?", "a bottle"),
    ("What is full of holes but holds water?", "a sponge"),
    ("What goes up when the rain comes down?", "an umbrella"),
    ("What has many leaves but is not a tree?", "a book"),
    ("What can run but has no legs?", "a river"),
    ("What has one eye but cannot see?", "a needle"),
    ("What has teeth but cannot bite?", "a comb"),
)
POEMS: tuple[str, ...] = (
    "The fire is warm, the night is deep, the cat lies down and falls asleep.",
    "A little mouse, a little cheese, a little song upon the breeze.",
    "The moon is high, the stars are bright, I wish you all a good, good night.",
    "The rain comes down, the wind goes by, but soon the sun is in the sky.",
    "A small red fox, a big green tree, a quiet place for you and me.",
)
FUN_FACTS: tuple[str, ...] = (
    "A snail can sleep for a very long time.", "An octopus has three hearts.", "A bee visits many flowers in one day.",
    "A giraffe has a very long tongue.", "Honey can be kept for many years.",
    "A cat sleeps for more than half of the day.",
    "Penguins cannot fly, but they swim very well.", "An ant can carry things that are heavier than itself.",
    "A group of wolves is called a pack.", "The light of the sun needs about eight minutes to reach us.",
)
JOKE_ASKS = (
    "{tell|say|give}{ me|} {a|one|a good|a funny|a short} joke",
    "{tell|say} me {something funny|a joke please|another funny joke}",
    "{do|can} you {know|tell|tell me|make} {a joke|jokes|any jokes|some jokes|a good joke}?", "make me {laugh|smile}",
    "joke{ please|}", "I want {a joke|to hear a joke|to laugh}", "{something funny|be funny|a joke}",
    "can you make me laugh?", "cheer me up", "tell me a joke about {cats|computers|animals|a cow}",
)
RIDDLE_ASKS = (
    "{tell|give|ask}{ me|} a{ good| hard| funny|} riddle",
    "{do you know|can you tell me} {a riddle|riddles|any riddles}?", "riddle{ please|}", "I want a riddle",
    "let us play a riddle game", "give me a puzzle",
)
POEM_ASKS = (
    "{tell|write|say|read|make|recite}{ me|} a{ short| little| nice|} {poem|rhyme|verse}{ about the moon| about a cat| for me|}",
    "{do|can} you {know|write} {a poem|poems|any poems}?", "poem{ please|}", "I want a poem", "can you rhyme?",
)
FACT_ASKS = (
    "tell me {a|one|some} {fun fact|fact|interesting fact|fun facts}{ please|}",
    "{do you know|give me} {a|any|some} {fun fact|interesting fact|fun facts|facts}", "fun fact{ please|}",
    "teach me something{ new|}", "tell me something {I do not know|new|interesting}", "what is something interesting?",
)
ANOTHER_ASKS = (
    "{another|another one|one more|again|more|next|next one}{ please|}",
    "tell me {another|another one|one more|more}{ please|}",
    "{do you have|do you know|can you tell me} {another|another one|more|one more}?",
    "{give me|i want} {another|another one|one more}", "can I have another{ one|}?", "do another", "and another one?",
    "keep going", "i want more", "yes please, another one",
)
