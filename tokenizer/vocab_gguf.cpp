// The tables of this file are facts about GGUF files in the wild, as llama.cpp's converters write
// and its loader reads them (src/llama-vocab.cpp).
#include "tokenizer/vocab_gguf.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "gguf/reader.h"
#include "tokenizer/pretokenizers.h"
#include "tokenizer/token_index.h"

namespace hearth {
namespace {

using gguf::Reader;
using gguf::Value;

// tokenizer.ggml.model, and what holds where the file does not say otherwise.
struct ModelRow {
  std::string_view model;
  std::string_view pre;  // overrides the file's, if not empty
  TokenizerKind kind;
  bool add_bos = false, add_eos = false, add_sep = false, add_space_prefix = false,
       clean_up_spaces = false;
  TokenId bos = kNoToken, eos = kNoToken, unk = kNoToken, sep = kNoToken, pad = kNoToken,
          mask = kNoToken;
};
constexpr ModelRow kModels[] = {
    {.model = "llama",
     .pre = "",
     .kind = TokenizerKind::sentencepiece,
     .add_bos = true,
     .add_space_prefix = true,
     .bos = 1,
     .eos = 2,
     .unk = 0},
    {.model = "t5",
     .pre = "",
     .kind = TokenizerKind::unigram,
     .add_eos = true,
     .eos = 1,
     .unk = 2,
     .pad = 0},
    {.model = "gpt2", .pre = "", .kind = TokenizerKind::bpe},          // for the rest see the
    {.model = "gemma4", .pre = "gemma4", .kind = TokenizerKind::bpe},  // pre-tokenizer's row
    {.model = "bert",
     .pre = "",
     .kind = TokenizerKind::wordpiece,
     .add_bos = true,
     .add_sep = true,
     .clean_up_spaces = true,
     .bos = 101,
     .unk = 100,
     .sep = 102,
     .pad = 0,
     .mask = 103},
};

struct IdKey {
  std::string_view key;
  TokenId Vocab::*id;
  bool must_exist;  // a wrong number is an error; otherwise it means none
};
constexpr IdKey kIdKeys[] = {
    {"tokenizer.ggml.bos_token_id", &Vocab::bos, true},
    {"tokenizer.ggml.eos_token_id", &Vocab::eos, true},
    {"tokenizer.ggml.eot_token_id", &Vocab::eot, true},
    {"tokenizer.ggml.eom_token_id", &Vocab::eom, true},
    {"tokenizer.ggml.unknown_token_id", &Vocab::unk, true},
    {"tokenizer.ggml.seperator_token_id", &Vocab::sep, true},  // spelt so in the format
    {"tokenizer.ggml.padding_token_id", &Vocab::pad, false},
    {"tokenizer.ggml.mask_token_id", &Vocab::mask, false},
};

struct FlagKey {
  std::string_view key;
  bool Vocab::*flag;
};
constexpr FlagKey kFlagKeys[] = {
    {"tokenizer.ggml.add_bos_token", &Vocab::add_bos},
    {"tokenizer.ggml.add_eos_token", &Vocab::add_eos},
    {"tokenizer.ggml.add_sep_token", &Vocab::add_sep},
    {"tokenizer.ggml.add_space_prefix", &Vocab::add_space_prefix},
    {"tokenizer.ggml.remove_extra_whitespaces", &Vocab::remove_extra_whitespaces},
    {"tokenizer.ggml.normalizer.lowercase", &Vocab::lowercase},
    {"tokenizer.ggml.normalizer.strip_accents", &Vocab::strip_accents},
};

// Roles that a token has by its text when the file names no id for it. Such a token is a control
// token whatever type the file gives it. The first text found in the vocabulary counts.
struct RoleRow {
  std::string_view key;
  TokenId Vocab::*id;  // nullptr: only the type, and the end of generation, are of interest
  bool ends_generation;
  std::array<std::string_view, 11> texts;
};
constexpr RoleRow kRoles[] = {
    {"tokenizer.ggml.eot_token_id",
     &Vocab::eot,
     true,
     {"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>",
      "<EOT>", "_<EOT>", "[EOT]", "<｜end▁of▁sentence｜>", "<end_of_utterance>"}},
    {"tokenizer.ggml.eom_token_id", &Vocab::eom, true, {"<|eom_id|>"}},
    {"tokenizer.ggml.fim_pre_token_id",
     nullptr,
     false,
     {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>",
      "<|code_prefix|>", "<|prefix|>"}},
    {"tokenizer.ggml.fim_suf_token_id",
     nullptr,
     false,
     {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>",
      "<|code_suffix|>", "<|suffix|>"}},
    {"tokenizer.ggml.fim_mid_token_id",
     nullptr,
     false,
     {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>",
      "<|code_middle|>", "<|middle|>"}},
    {"tokenizer.ggml.fim_pad_token_id",
     nullptr,
     true,
     {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"}},
    {"tokenizer.ggml.fim_rep_token_id",
     nullptr,
     true,
     {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
    {"tokenizer.ggml.fim_sep_token_id", nullptr, true, {"<|file_sep|>"}},
};

// Texts that end a model's turn wherever they are tokens.
constexpr std::string_view kEndTexts[] = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
};

// Texts that must be seen in decoded text: the channels of gpt-oss.
constexpr std::string_view kAlwaysShown[] = {"<|channel|>", "<|message|>", "<|start|>",
                                             "<|constrain|>"};

// A text that does not end a turn after all when these other texts are tokens too.
struct NotAnEnd {
  std::string_view text;
  std::array<std::string_view, 2> beside;
  TokenType type;
};
constexpr NotAnEnd kNotEnds[] = {
    {"<|end|>", {"<|return|>", "<|call|>"}, TokenType::user_defined},
    {"<|end|>", {"<|return|>", "<|calls|>"}, TokenType::user_defined},
    {"<|end|>", {"<|flush|>", "<|call|>"}, TokenType::user_defined},
    {"<|end|>", {"<|flush|>", "<|calls|>"}, TokenType::user_defined},
    {"</s>", {"<|tool_response>", "<|tool_response>"}, TokenType::normal},
};

// Special tokens that swallow white space beside them: the format has no key for it.
enum class Side : std::uint8_t { left, right };
struct StripRow {
  std::string_view key;   // a string of the file …
  std::string_view part;  // … that contains this, in lower case
  Side side;
  std::string_view token;  // the one that does; empty: every special token except
  std::array<std::string_view, 3> except;
};
constexpr std::array<std::string_view, 3> kPhi3Keeps = {"<unk>", "<s>", "<|endoftext|>"};
constexpr StripRow kStrips[] = {
    {"general.name", "phi-3", Side::right, "", kPhi3Keeps},
    {"general.name", "phi3", Side::right, "", kPhi3Keeps},
    {"general.name", "modern-bert", Side::left, "[MASK]", {}},
    {"tokenizer.ggml.pre", "jina-v2-de", Side::left, "<mask>", {}},
    {"tokenizer.ggml.pre", "jina-v2-es", Side::left, "<mask>", {}},
    {"tokenizer.ggml.pre", "jina-v2-code", Side::left, "<mask>", {}},
    {"general.architecture", "nomic-bert-moe", Side::left, "<mask>", {}},
    {"general.architecture", "jina-bert-v3", Side::left, "<mask>", {}},
};

class VocabReader {
 public:
  VocabReader(const Reader& reader, std::string_view pre) : reader_(reader), pre_(pre) {}

  Vocab read() {
    const ModelRow& model = read_model();
    read_tokens();
    read_ids(model);
    read_flags();
    read_roles();
    find_ends();
    find_strips();
    if (const Value* value = reader_.find("tokenizer.chat_template"))
      vocab_.chat_template = value->as_string();
    return std::move(vocab_);
  }

 private:
  const ModelRow& read_model();
  void read_tokens();
  void read_charsmap();
  void read_types();
  void read_ids(const ModelRow& model);
  void read_flags();
  void read_roles();
  void find_ends();
  void find_strips();

  std::string string_or_empty(std::string_view key) const;
  TokenId token(std::string_view text) const;
  TokenType& type(TokenId id) { return vocab_.types[static_cast<std::size_t>(id)]; }
  void check_count(std::string_view key, std::size_t got) const;
  void add_end(TokenId id);

  const Reader& reader_;
  std::string_view pre_;  // overrides the file's, if not empty
  Vocab vocab_;
  std::optional<TokenIndex> by_text_;  // of vocab_.tokens
};

const ModelRow& VocabReader::read_model() {
  const std::string_view name = reader_.at("tokenizer.ggml.model").as_string();
  const auto* row =
      std::find_if(std::begin(kModels), std::end(kModels),
                   [name](const ModelRow& candidate) { return candidate.model == name; });
  if (row == std::end(kModels)) {
    std::vector<std::string_view> known;
    for (const ModelRow& model : kModels) known.push_back(model.model);
    throw Error({.where = reader_.name(),
                 .what = "tokenizer.ggml.model is of a kind that is not supported",
                 .expected = fmt::format("one of {}", fmt::join(known, ", ")),
                 .got = fmt::format("\"{}\"", name)});
  }
  vocab_.kind = row->kind;
  vocab_.pre = !pre_.empty()       ? std::string(pre_)
               : !row->pre.empty() ? std::string(row->pre)
                                   : string_or_empty("tokenizer.ggml.pre");
  if (vocab_.pre.empty()) vocab_.pre = "default";
  vocab_.add_bos = row->add_bos;
  vocab_.add_eos = row->add_eos;
  vocab_.add_sep = row->add_sep;
  vocab_.add_space_prefix = row->add_space_prefix;
  vocab_.clean_up_spaces = row->clean_up_spaces;
  if (row->kind == TokenizerKind::bpe) {
    const PreTokenizer& pre = find_pre_tokenizer(vocab_.pre);
    vocab_.add_bos = pre.bos != Bos::if_file_says;
    vocab_.clean_up_spaces = pre.clean_up_spaces;
  }
  return *row;
}

void VocabReader::read_tokens() {
  const auto strings = [this](std::string_view key) {
    const std::vector<std::string_view> views = reader_.at(key).as_strings();
    return std::vector<std::string>(views.begin(), views.end());
  };
  vocab_.tokens = strings("tokenizer.ggml.tokens");
  if (vocab_.tokens.empty())
    throw Error({.where = reader_.name(),
                 .what = "tokenizer.ggml.tokens is empty",
                 .expected = "at least one token",
                 .got = "none"});
  by_text_.emplace(vocab_.tokens);

  if (const Value* scores = reader_.find("tokenizer.ggml.scores")) {
    check_count("tokenizer.ggml.scores", scores->count());
    vocab_.scores = scores->as_floats();
    vocab_.scores.resize(vocab_.tokens.size());
  }
  // Without them every text would be spelt in bytes, which no model expects.
  if (vocab_.kind == TokenizerKind::bpe) vocab_.merges = strings("tokenizer.ggml.merges");
  read_charsmap();
  read_types();
}

void VocabReader::read_charsmap() {
  const Value* value = reader_.find("tokenizer.ggml.precompiled_charsmap");
  if (!value) return;
  const bool is_bytes =
      value->element_type() == gguf::ValueType::u8 || value->element_type() == gguf::ValueType::i8;
  if (!value->is_array() || !is_bytes)
    throw Error({.where = reader_.name(),
                 .what = "tokenizer.ggml.precompiled_charsmap is of the wrong type",
                 .expected = "an array of bytes",
                 .got = gguf::type_name(value->type())});
  const std::span<const std::byte> bytes = value->bytes();
  vocab_.charsmap.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void VocabReader::read_types() {
  vocab_.types.assign(vocab_.tokens.size(), TokenType::normal);
  const Value* value = reader_.find("tokenizer.ggml.token_type");
  if (!value) return;
  check_count("tokenizer.ggml.token_type", value->count());
  const std::vector<std::int64_t> types = value->as_ints();
  for (std::size_t i = 0; i < vocab_.types.size(); ++i) {
    const bool known = types[i] >= 0 && types[i] <= static_cast<std::int64_t>(TokenType::byte);
    vocab_.types[i] = known ? static_cast<TokenType>(types[i]) : TokenType::undefined;
  }
}

// Files whose arrays are longer than the vocabulary exist (padding); shorter ones cannot be meant.
void VocabReader::check_count(std::string_view key, std::size_t got) const {
  if (got >= vocab_.tokens.size()) return;
  throw Error({.where = reader_.name(),
               .what = fmt::format("{} has fewer entries than tokenizer.ggml.tokens", key),
               .expected = fmt::format("{}", vocab_.tokens.size()),
               .got = fmt::format("{}", got)});
}

void VocabReader::read_ids(const ModelRow& model) {
  const auto n = static_cast<std::int64_t>(vocab_.tokens.size());
  const auto if_exists = [n](TokenId id) { return id < n ? id : kNoToken; };
  vocab_.bos = if_exists(model.bos);
  vocab_.eos = if_exists(model.eos);
  vocab_.unk = if_exists(model.unk);
  vocab_.sep = if_exists(model.sep);
  vocab_.pad = if_exists(model.pad);
  vocab_.mask = if_exists(model.mask);
  // A WordPiece file's BOS is its [CLS], by whichever key.
  if (vocab_.kind == TokenizerKind::wordpiece) {
    if (const Value* cls = reader_.find("tokenizer.ggml.cls_token_id"))
      vocab_.bos = if_exists(static_cast<TokenId>(std::clamp<std::int64_t>(cls->as_int(), -1, n)));
  }
  for (const IdKey& row : kIdKeys) {
    const Value* value = reader_.find(row.key);
    if (!value) continue;
    const std::int64_t id = value->as_int();
    const bool exists = id >= 0 && id < n;
    if (!exists && row.must_exist)
      throw Error({.where = reader_.name(),
                   .what = fmt::format("{} is not a token of the vocabulary", row.key),
                   .expected = fmt::format("0 to {}", n - 1),
                   .got = fmt::format("{}", id)});
    vocab_.*row.id = exists ? static_cast<TokenId>(id) : kNoToken;
  }
}

void VocabReader::read_flags() {
  for (const FlagKey& row : kFlagKeys) {
    if (const Value* value = reader_.find(row.key)) vocab_.*row.flag = value->as_bool();
  }
  if (!reader_.find("tokenizer.ggml.normalizer.strip_accents"))
    vocab_.strip_accents = vocab_.lowercase;  // as BERT's own normaliser has it
  if (vocab_.kind == TokenizerKind::wordpiece) {
    vocab_.add_bos = vocab_.add_sep = true;  // an encoder's text without its frame is no text
    vocab_.add_eos = false;
    const Value* whole = reader_.find("tokenizer.ggml.normalizer.whole_decomposition");
    vocab_.first_of_decomposition = !whole || !whole->as_bool();
    if (const Value* most = reader_.find("tokenizer.ggml.wordpiece.max_word_characters")) {
      constexpr std::int64_t kMost = 1 << 20;
      vocab_.most_word_characters =
          static_cast<int>(std::clamp<std::int64_t>(most->as_int(), 0, kMost));
    }
  } else {
    vocab_.add_sep = false;  // separates the parts of a pair; a single text has none
  }
  if (vocab_.kind == TokenizerKind::bpe && find_pre_tokenizer(vocab_.pre).bos == Bos::always)
    vocab_.add_bos = true;
  if (vocab_.kind != TokenizerKind::sentencepiece && vocab_.kind != TokenizerKind::unigram)
    vocab_.add_space_prefix = false;
  vocab_.add_bos = vocab_.add_bos && vocab_.bos != kNoToken;
  vocab_.add_eos = vocab_.add_eos && vocab_.eos != kNoToken;
  vocab_.add_sep = vocab_.add_sep && vocab_.sep != kNoToken;
}

void VocabReader::read_roles() {
  for (const RoleRow& row : kRoles) {
    TokenId id = kNoToken;
    if (const Value* value = reader_.find(row.key)) {
      const std::int64_t given = value->as_int();
      if (given >= 0 && given < static_cast<std::int64_t>(vocab_.tokens.size()))
        id = static_cast<TokenId>(given);
    } else {
      for (const std::string_view text : row.texts) {
        if (id == kNoToken && !text.empty()) id = token(text);
      }
      if (id != kNoToken) type(id) = TokenType::control;
    }
    if (id == kNoToken) continue;
    if (row.id) vocab_.*row.id = id;
    if (row.ends_generation) add_end(id);
  }
}

void VocabReader::find_ends() {
  for (const std::string_view text : kEndTexts) {
    if (const TokenId id = token(text); id != kNoToken) {
      type(id) = TokenType::control;
      add_end(id);
    }
  }
  for (const std::string_view text : kAlwaysShown) {
    if (const TokenId id = token(text); id != kNoToken) type(id) = TokenType::user_defined;
  }
  if (vocab_.eos != kNoToken) add_end(vocab_.eos);

  std::vector<TokenId>& ends = vocab_.end_of_generation;
  const auto is_end = [this, &ends](std::string_view text) {
    return std::find(ends.begin(), ends.end(), token(text)) != ends.end();
  };
  for (const NotAnEnd& row : kNotEnds) {
    if (!is_end(row.text) || !is_end(row.beside[0]) || !is_end(row.beside[1])) continue;
    const TokenId id = token(row.text);
    ends.erase(std::remove(ends.begin(), ends.end(), id), ends.end());
    type(id) = row.type;
  }
  std::sort(ends.begin(), ends.end());
}

void VocabReader::find_strips() {
  for (const StripRow& row : kStrips) {
    std::string text = string_or_empty(row.key);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (text.find(row.part) == std::string::npos) continue;
    auto& ids = row.side == Side::left ? vocab_.strip_left : vocab_.strip_right;
    for (std::size_t i = 0; i < vocab_.tokens.size(); ++i) {
      const std::string& candidate = vocab_.tokens[i];
      const TokenType t = vocab_.types[i];
      const bool special =
          t == TokenType::control || t == TokenType::user_defined || t == TokenType::unknown;
      const bool excepted =
          std::find(row.except.begin(), row.except.end(), candidate) != row.except.end();
      if (row.token.empty() ? special && !excepted : candidate == row.token)
        ids.push_back(static_cast<TokenId>(i));
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
}

std::string VocabReader::string_or_empty(std::string_view key) const {
  const Value* value = reader_.find(key);
  return value ? std::string(value->as_string()) : std::string();
}

TokenId VocabReader::token(std::string_view text) const {
  return by_text_->find(text);
}

void VocabReader::add_end(TokenId id) {
  auto& ends = vocab_.end_of_generation;
  if (std::find(ends.begin(), ends.end(), id) == ends.end()) ends.push_back(id);
}

}  // namespace

Vocab vocab_from_gguf(const Reader& reader, std::string_view pre) {
  return VocabReader(reader, pre).read();
}

}  // namespace hearth
