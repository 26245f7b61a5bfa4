"""Names of people; the toy learns to repeat a name that it has just heard."""

GIRLS = ("Mia", "Anna", "Lily", "Emma", "Sophie", "Clara", "Nora", "Ella", "Ida", "Rosa", "Lena", "Ruby", "Maya",
    "Alice", "Eva", "Zoe", "Hanna", "Marie", "Julia", "Sara")
BOYS = ("Tom", "Ben", "Max", "Leo", "Paul", "Sam", "Finn", "Jack", "Noah", "Emil", "Oscar", "Tim", "Jonas", "Henry",
    "Hugo", "Adam", "David", "Felix", "Luke", "Peter")
OTHERS = (
    "Alex", "Chris", "Robin", "Kim", "John", "Mary", "James", "Robert", "Michael", "William", "Linda", "Susan", "Karen",
    "Lisa", "Nancy", "Mark",
    "Steven", "Andrew", "Kevin", "Brian", "George", "Edward", "Laura", "Amy", "Angela", "Helen", "Carol", "Ruth",
    "Diana", "Olivia", "Ava", "Isabella",
    "Liam", "Ethan", "Mason", "Logan", "Lucas", "Daniel", "Matthew", "Joseph", "Carlos", "Maria", "Jose", "Juan", "Ana",
    "Elena", "Ivan", "Olga",
    "Natasha", "Dmitri", "Yuki", "Kenji", "Wei", "Ling", "Raj", "Priya", "Amir", "Fatima", "Omar", "Layla", "Ahmed",
    "Pierre", "Claire", "Hans",
    "Greta", "Klaus", "Heidi", "Lars", "Ingrid", "Erik", "Sven", "Astrid", "Marco", "Giulia", "Luca", "Sofia", "Stefan",
    "Martin", "Thomas", "Simon",
    "Patrick", "Sean", "Nick", "Tony", "Joe", "Bob", "Bill", "Jim", "Dave", "Mike", "Steve", "Dan", "Matt", "Kate",
    "Jane", "Beth", "Meg", "Grace",
    "Jan", "Piotr", "Katya", "Tara", "Nina", "Vera", "Iris", "Stella", "Vincent", "Victor", "Walter", "Arthur", "Frank",
    "Harry", "Ron", "Gina",
    "Jenny", "Sally", "Wendy", "Zack", "Ted", "Gary", "Larry", "Philip", "Ralph", "Roger", "Scott", "Keith", "Dylan",
    "Ryan", "Jason", "Justin",
)
# Syllables of made-up names: those that sound like names,
FIRST = ("Ka", "Mi", "To", "Sa", "Re", "Ly", "Jo", "Ve", "Na", "El", "Ar", "Bre", "Do", "Fi", "Ge", "Ha", "Is", "Ke",
    "Lo", "Ma", "Ni", "Or", "Pe", "Ra", "Si", "Ta", "Ul", "Vi", "Wa", "Za", "Che", "Sha", "Tri", "Gra")
MIDDLE = ("ra", "li", "na", "mo", "ri", "ve", "da", "se", "lo", "mi", "ta", "ni", "be", "lla", "ro", "")
LAST = ("n", "a", "ka", "ra", "s", "l", "na", "th", "my", "o", "x", "ne", "ric", "dan", "lla", "ton", "bert", "ie",
    "sh", "ja")
# and any letters that can be said: whatever pieces a real name falls into, they have stood side by side before.
ONSETS = ("", "b", "bl", "br", "c", "ch", "cl", "cr", "d", "dr", "f", "fl", "fr", "g", "gl", "gr", "gw", "h", "j", "k",
    "kn", "kr", "l", "m", "n", "p", "ph", "pl", "pr", "qu", "r", "rh", "s", "sch", "sh", "sl", "st", "sv", "t", "th",
    "tr", "v", "w", "x", "y", "z", "zh")
VOWELS = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "y", "ai", "au", "ay", "ea", "ee", "ei", "ia", "ie", "io",
    "oo", "ou", "ue")
CODAS = ("", "", "", "", "n", "r", "l", "s", "t", "m", "k", "d", "b", "ck", "th", "nd", "nn", "rt", "rd", "ll", "ss", "x",
    "tz", "ng", "sk", "lm")
