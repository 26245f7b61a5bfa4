// The table of pre-tokenizers. Patterns and flags are facts of the models, as llama.cpp has them
// (src/llama-vocab.cpp, src/unicode.cpp); docs/tokenizers.md says how to add a row.
#include "tokenizer/pretokenizers.h"

#include <string>

#include "base/error.h"

namespace hearth {
namespace {

// What many patterns share. They are macros because patterns are string literals.
// Contractions are spelled out: (?i:'s) would take U+017F, the long s, too.
#define CONTRACTION R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))"
#define LETTERS R"([^\r\n\p{L}\p{N}]?\p{L}+)"
#define SYMBOLS R"( ?[^\s\p{L}\p{N}]+[\r\n]*)"
#define SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"

// A word that ends before a capital. Only a-z and A-Z have case; any other letter counts as both.
#define NOT_LOWER R"([^\P{L}a-z])"
#define NOT_UPPER R"([^\P{L}A-Z])"
// The same where combining marks are letters: what is in none of the other categories.
#define NOT_LOWER_MARKS R"([^\p{C}\p{N}\p{P}\p{S}\p{Z}a-z])"
#define NOT_UPPER_MARKS R"([^\p{C}\p{N}\p{P}\p{S}\p{Z}A-Z])"
#define CASED_WORD(upper, lower, end)             \
  R"([^\r\n\p{L}\p{N}]?)" upper "*" lower "+" end \
  "|"                                             \
  R"([^\r\n\p{L}\p{N}]?)" upper "+" lower "*" end

// Han ideographs by block: the unified ones, extensions A to F, the compatibility ideographs.
#define HAN                                                                   \
  R"(\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{20000}-\x{2A6DF})" \
  R"(\x{2A700}-\x{2B73F}\x{2B740}-\x{2EBEF}\x{2F800}-\x{2FA1F})"

constexpr const char* kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kLlama3 = CONTRACTION "|" LETTERS R"(|\p{N}{1,3}|)" SYMBOLS "|" SPACES;
constexpr const char* kQwen2 = CONTRACTION "|" LETTERS R"(|\p{N}|)" SYMBOLS "|" SPACES;
constexpr const char* kThreeDigits = "[0-9][0-9][0-9]";
constexpr const char* kLines = R"([^\n]+|\n+)";

// U+0800 to U+9FA5 and U+AC00 to U+D7FF, less the white space among them.
constexpr const char* kEastAsian = R"([^\s\x{0}-\x{7FF}\x{9FA6}-\x{ABFF}\x{E000}-\x{10FFFF}]+)";
constexpr const char* kHanOrKana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}]+)";

#define ASCII_PUNCTUATION R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])"
#define DEEPSEEK3_WORDS \
  ASCII_PUNCTUATION     \
  "[A-Za-z]+|"          \
  R"([^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
constexpr const char* kDeepseek3 = DEEPSEEK3_WORDS R"( ?[\p{P}\p{S}]+[\r\n]*|)" SPACES;

// The cased letters, as deepseek-llm lists them.
constexpr const char* kAlphabetic =
    R"(\s?[)"
    R"(A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})"
    R"(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386})"
    R"(\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F})"
    R"(\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA})"
    R"(\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15})"
    R"(\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B})"
    R"(\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4})"
    R"(\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4})"
    R"(\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124})"
    R"(\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F})"
    R"(\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F})"
    R"(\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17})"
    R"(\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3})"
    R"(\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF})"
    R"(\x{1E900}-\x{1E943})"
    "]+";

constexpr const char* kNotSentencePunctuation =
    R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)";

// Scripts that are written without spaces, as afmoe lists them.
constexpr const char* kUnspacedScripts =
    R"([\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{F900}-\x{FAFF}\x{3040}-\x{309F}\x{30A0}-\x{30FF})"
    R"(\x{FF65}-\x{FF9F}\x{2F00}-\x{2FDF}\x{E40}-\x{E7F}\x{E80}-\x{EFF}\x{1780}-\x{17FF})"
    R"(\x{1000}-\x{109F}\x{AA60}-\x{AA7F}\x{A9E0}-\x{A9FF}\x{AC00}-\x{D7AF}\x{1100}-\x{11FF}]+)";

constexpr PreTokenizer kRows[] = {
    {.names = {"default"}, .steps = {R"([\p{P}$+<=>^~|]+)", kGpt2, R"(\p{N}+)", kThreeDigits}},

    // Words of letters, of numbers, of the rest, each with the space before it.
    {.names = {"gpt-2", "gpt2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de",
               "jina-v1-en", "jina-v2-code", "roberta-bpe", "gigachat", "a.x-4.0", "mellum",
               "modern-bert", "mpt", "olmo", "jais", "exaone4"},
     .steps = {kGpt2}},
    {.names = {"trillion", "granite-docling"}, .steps = {kGpt2}, .clean_up_spaces = false},

    // The same with every number on its own.
    {.names = {"starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2"},
     .steps = {R"(\p{N})", kGpt2}},
    {.names = {"command-r", "smollm"}, .steps = {R"(\p{N})", kGpt2}, .clean_up_spaces = false},
    {.names = {"falcon"}, .steps = {R"([\p{P}$+<=>^~|`]+)", kGpt2, kThreeDigits}},

    // Any character may lead a word; newlines stay with what they end; up to three digits.
    {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0",
               "lfm2", "jina-v5-nano"},
     .steps = {kLlama3},
     .ignore_merges = true,
     .bos = Bos::unless_file_forbids},
    {.names = {"dbrx", "smaug-bpe", "chatglm-bpe", "chatglm4", "glm4"}, .steps = {kLlama3}},
    // White space by powers of two. Behind such a piece no newline is left to look for: the
    // lookbehind spares the search, which would be quadratic.
    {.names = {"jais-2"},
     .steps = {CONTRACTION
               "|" LETTERS R"(|\p{N}{1,3}|)" SYMBOLS R"(|(?:(?<!\s)|(?<=[\r\n]))\s*[\r\n]+)"
               R"(|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S))"
               R"(|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s)"}},
    {.names = {"minicpm5"},
     .steps = {R"(\p{N}{1,3})", CONTRACTION "|" LETTERS R"(|\p{N}+|)" SYMBOLS "|" SPACES},
     .ignore_merges = true},

    // The same with single digits.
    {.names = {"qwen2", "deepseek-r1-qwen", "hunyuan", "solar-open", "grok-2", "kormo", "f2llmv2"},
     .steps = {kQwen2},
     .clean_up_spaces = false},
    {.names = {"stablelm2", "megrez"}, .steps = {kQwen2}},
    {.names = {"laguna"}, .steps = {kLines, kQwen2}, .clean_up_spaces = false},
    {.names = {"qwen35"},
     .steps = {CONTRACTION R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|)"
                           R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" SPACES},
     .clean_up_spaces = false},
    {.names = {"ufakzeka"},
     .steps = {LETTERS R"(|\p{N}|)" SYMBOLS "|" SPACES},
     .clean_up_spaces = false},
    {.names = {"seed-coder"},
     .steps = {CONTRACTION "|" LETTERS R"(|\p{N}| ?[^\s\p{L}\p{N}]+|)" SPACES},
     .clean_up_spaces = false},
    {.names = {"bailingmoe", "bailingmoe2", "llada-moe"},
     .steps = {CONTRACTION "|" LETTERS R"(|\p{N}|)" SYMBOLS R"(|\s*[\r\n]|\s+(?!\S)|\s+)"},
     .clean_up_spaces = false},
    // Words may hold spaces. Possessive throughout, so that nothing is kept to come back to.
    {.names = {"exaone-moe"},
     .steps = {CONTRACTION R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*+(?: \p{L}\p{M}*+)*+)++|\p{N})"
                           R"(| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"}},

    // Words end before a capital; a slash goes with the newlines.
    {.names = {"tekken"},
     .steps = {CASED_WORD(NOT_LOWER, NOT_UPPER, "") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES},
     .ignore_merges = true,
     .clean_up_spaces = false,
     .bos = Bos::unless_file_forbids},
    {.names = {"gpt-4o", "o200k", "llama4", "kanana2", "talkie", "minimax-m2"},
     .steps = {CASED_WORD(NOT_LOWER, NOT_UPPER,
                          CONTRACTION "?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES},
     .clean_up_spaces = false},
    {.names = {"granite-embed-multi-97m"},
     .steps = {CASED_WORD(NOT_LOWER_MARKS, NOT_UPPER_MARKS,
                          CONTRACTION "?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES},
     .ignore_merges = true,
     .clean_up_spaces = false},
    {.names = {"tiny_aya", "cohere2moe"},
     .steps = {CutKind::number_groups, R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)" CONTRACTION
                                       R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES},
     .clean_up_spaces = false},
    {.names = {"kimi-k2"},
     .steps = {"[" HAN R"(]+|[^\r\n\p{L}\p{N}]?[^\P{L})" HAN "]+" CONTRACTION
               R"(?|\p{N}{1,3}|)" SYMBOLS "|" SPACES},
     .clean_up_spaces = false},

    {.names = {"deepseek-llm"},
     .steps = {"[\r\n]", kAlphabetic,
               R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3001}\x{3002}]+)",
               R"((?<!\s)\s+\z)", kEastAsian, R"(\p{N}+)"},
     .clean_up_spaces = false},
    {.names = {"deepseek-coder"},
     .steps = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kEastAsian, R"(\p{N})"},
     .clean_up_spaces = false},
    {.names = {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"},
     .steps = {R"(\p{N}{1,3})", kHanOrKana, kDeepseek3},
     .clean_up_spaces = false},
    {.names = {"spark2_5"},
     .steps = {R"(\p{N}{1,3})", kHanOrKana,
               DEEPSEEK3_WORDS R"( ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)", R"(\p{N})"},
     .clean_up_spaces = false},
    {.names = {"afmoe"},
     .steps = {CutKind::number_groups, kUnspacedScripts, kDeepseek3},
     .clean_up_spaces = false},
    {.names = {"youtu"},
     .steps = {R"([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+|)"
               R"([\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B})"
               R"(\x{FF0C}\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+|)"
               R"([\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}]+)",
               R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)" CONTRACTION
               R"(?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES},
     .ignore_merges = true,
     .clean_up_spaces = false},

    {.names = {"poro-chat"}, .steps = {kNotSentencePunctuation}, .clean_up_spaces = false},
    {.names = {"bloom", "gpt3-finnish"}, .steps = {kNotSentencePunctuation}},
    {.names = {"viking"}, .steps = {kNotSentencePunctuation, R"(\p{N})"}, .clean_up_spaces = false},

    // Tokens may span words: only numbers are cut out, and grouped as thousands are.
    {.names = {"superbpe"},
     .steps = {R"(\p{N}+)", CutKind::digit_groups},
     .clean_up_spaces = false,
     .long_words = true},

    {.names = {"chameleon"},
     .steps = {"<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", "[\t\n]|    |  ", R"(\p{N})",
               R"([\p{P}!-/:-@\[-`{-~])", kGpt2},
     .clean_up_spaces = false,
     .bos = Bos::unless_file_forbids},

    // BPE over a sentencepiece vocabulary: lines are the only words.
    {.names = {"gemma4", "granite-embed-multi-311m"},
     .steps = {kLines},
     .bos = Bos::always,
     .sentencepiece_like = true,
     .whole_newlines = true,
     .long_words = true},
    {.names = {"sarvam-moe"},
     .steps = {kLines},
     .clean_up_spaces = false,
     .sentencepiece_like = true,
     .long_words = true},
};

std::string known_names() {
  std::string list;
  for (const PreTokenizer& row : kRows) {
    for (const std::string_view name : row.names) {
      if (name.empty()) continue;
      if (!list.empty()) list += ", ";
      list += name;
    }
  }
  return list;
}

}  // namespace

std::span<const PreTokenizer> pre_tokenizers() {
  return kRows;
}

const PreTokenizer& find_pre_tokenizer(std::string_view name) {
  if (name.empty()) name = "default";
  for (const PreTokenizer& row : kRows) {
    for (const std::string_view known : row.names) {
      if (known == name) return row;
    }
  }
  throw Error({.where = "tokenizer.ggml.pre",
               .what = "the pre-tokenizer is not known, so the text would be cut into wrong words; "
                       "if a newer Hearth does not know it either, add a row to "
                       "tokenizer/pretokenizers.cpp",
               .expected = "one of " + known_names(),
               .got = "\"" + std::string(name) + "\""});
}

}  // namespace hearth
