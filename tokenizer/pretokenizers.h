// The pre-tokenizers: how byte-level BPE cuts a text into words before it merges inside them.
// One row per `tokenizer.ggml.pre` name. The cuts are those of llama.cpp, the program that nearly
// every GGUF file is made for and tried with, where it differs from the tokenizer.json it came
// from.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace hearth {

/// What a step does with each piece of text that the steps before it have left.
enum class CutKind : std::uint8_t {
  matches,        // every match of the pattern becomes a piece, and so does what lies between
  digit_groups,   // cut before every third of the digits 0-9 of a run, counted from its end
  number_groups,  // the same for any numbers (\p{N}), and also behind the run
};

/// Whether a text gets a BOS token in front.
enum class Bos : std::uint8_t {
  if_file_says,         // tokenizer.ggml.add_bos_token
  unless_file_forbids,  // files of this kind may not say so, and mean it
  always,               // files of this kind say otherwise by mistake
};

struct CutStep {
  constexpr CutStep() = default;
  constexpr CutStep(const char* regex) : pattern(regex) {}  // NOLINT: rows read as lists of regexes
  constexpr CutStep(CutKind cut_kind) : kind(cut_kind) {}   // NOLINT

  constexpr bool is_unused() const { return kind == CutKind::matches && pattern.empty(); }

  CutKind kind = CutKind::matches;
  std::string_view pattern;  // PCRE2; \s and \S mean Unicode's White_Space (see text_splitter.cpp)
};

struct PreTokenizer {
  std::array<std::string_view, 20> names;  // the first is the usual one; the rest are empty
  std::array<CutStep, 6> steps;

  bool ignore_merges = false;   // a word that is a token is that token, whatever the merges say
  bool clean_up_spaces = true;  // decoded text may be tidied: see DecodeOptions::clean_up_spaces
  Bos bos = Bos::if_file_says;
  bool sentencepiece_like = false;  // spaces are U+2581, tokens are plain UTF-8, bytes are <0x41>
  bool whole_newlines = false;      // a run of newlines that is a token is that token
  bool long_words = false;          // words are whole lines or sentences
};

/// All rows.
std::span<const PreTokenizer> pre_tokenizers();

/// The row of a `tokenizer.ggml.pre` name; an empty name is "default". Throws Error that lists the
/// known names.
const PreTokenizer& find_pre_tokenizer(std::string_view name);

}  // namespace hearth
