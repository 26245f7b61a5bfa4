#include "engine/convert/hf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/convert/sentencepiece_model.h"

namespace hearth {
namespace {

using Json = nlohmann::json;

// As they stand in tokenizer.ggml.token_type.
constexpr std::int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5;

constexpr std::size_t kMostTokens = 1 << 24;

/// A special token's role: its name in tokenizer_config.json, its key, and what WordPiece calls it
/// where the file does not say.
struct Role {
  std::string_view name;
  std::string_view key;
  std::string_view usual;
};
constexpr Role kRoles[] = {
    {"bos_token", "tokenizer.ggml.bos_token_id", ""},
    {"eos_token", "tokenizer.ggml.eos_token_id", ""},
    {"unk_token", "tokenizer.ggml.unknown_token_id", "[UNK]"},
    {"sep_token", "tokenizer.ggml.seperator_token_id", "[SEP]"},
    {"pad_token", "tokenizer.ggml.padding_token_id", "[PAD]"},
    {"cls_token", "tokenizer.ggml.cls_token_id", "[CLS]"},
    {"mask_token", "tokenizer.ggml.mask_token_id", "[MASK]"},
};

struct Tokens {
  std::vector<std::string> texts;
  std::vector<std::int32_t> types;
  std::map<std::string, std::size_t, std::less<>> ids;

  void set(std::size_t id, std::string text, std::int32_t type) {
    if (id >= texts.size()) {
      texts.resize(id + 1);
      types.resize(id + 1, kUnused);
    }
    // Of a text that stands twice the last one counts, as in the original's dictionary.
    const auto before = ids.find(text);
    if (before != ids.end() && before->second != id) {
      texts[before->second] = fmt::format("[unused token {}]", before->second);
      types[before->second] = kUnused;
    }
    ids[text] = id;
    texts[id] = std::move(text);
    types[id] = type;
  }
};

/// A token of tokenizer_config.json: its text, or an object with its content.
std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) {
    return value["content"].get<std::string>();
  }
  return std::nullopt;
}

class TokenizerWriter {
 public:
  TokenizerWriter(const Checkpoint& checkpoint, const HfFamily& family, gguf::Writer& writer)
      : checkpoint_(checkpoint), family_(family), writer_(writer) {
    config_ = checkpoint.json("tokenizer_config.json").value_or(Json::object());
    whole_ = checkpoint.json("tokenizer.json").value_or(Json::object());
  }

  std::size_t run() {
    if (family_.is_encoder) {
      wordpiece();
    } else if (checkpoint_.has("tokenizer.model")) {
      sentencepiece();
    } else {
      byte_level();
    }
    write_tokens();
    return tokens_.texts.size();
  }

 private:
  [[noreturn]] void refuse(const std::string& file, std::string what, std::string expected = {},
                           std::string got = {}) const {
    checkpoint_.refuse(file, std::move(what), std::move(expected), std::move(got));
  }

  bool flag(std::string_view name, bool otherwise) const {
    const auto found = config_.find(name);
    return found != config_.end() && found->is_boolean() ? found->get<bool>() : otherwise;
  }

  /// tokenizer.json's part, or null.
  const Json& part(std::string_view name) const {
    static const Json kNone;
    const auto found = whole_.find(name);
    return found == whole_.end() ? kNone : *found;
  }

  /// The vocabulary of tokenizer.json: text to id.
  void read_vocabulary(std::string_view type) {
    const Json& model = part("model");
    if (!model.is_object() || model.value("type", "") != type || !model.contains("vocab") ||
        !model["vocab"].is_object()) {
      refuse("tokenizer.json", fmt::format("holds no {} vocabulary", type),
             "vocab.txt, tokenizer.model or tokenizer.json");
    }
    for (const auto& [text, id] : model["vocab"].items()) add(text, id, kNormal);
    read_added();
  }

  void add(const std::string& text, const Json& id, std::int32_t type) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= kMostTokens) {
      refuse("tokenizer.json", fmt::format("token \"{}\" has no id that can be", text), "a number",
             id.dump());
    }
    tokens_.set(id.get<std::size_t>(), text, type);
  }

  void read_added() {
    for (const Json& token : part("added_tokens")) {
      if (!token.is_object() || !token.contains("content") || !token.contains("id")) continue;
      const bool is_special = token.value("special", false);
      add(token["content"].get<std::string>(), token["id"], is_special ? kControl : kUserDefined);
    }
  }

  void wordpiece() {
    if (checkpoint_.has("vocab.txt")) {
      read_lines(checkpoint_.text("vocab.txt"));
    } else {
      read_vocabulary("WordPiece");
    }
    std::vector<std::size_t> special;
    for (const Role& role : kRoles) {
      const auto given = config_.find(role.name);
      const std::optional<std::string> text =
          given != config_.end() ? text_of(*given) : std::optional<std::string>(role.usual);
      const auto id = text ? tokens_.ids.find(*text) : tokens_.ids.end();
      if (id == tokens_.ids.end()) continue;
      writer_.set(role.key, static_cast<std::uint32_t>(id->second));
      tokens_.types[id->second] = role.name == "unk_token" ? kUnknown : kControl;
    }
    for (std::size_t i = 0; i < tokens_.texts.size(); ++i) {
      if (tokens_.types[i] == kNormal) tokens_.texts[i] = as_in_gguf(tokens_.texts[i]);
    }
    const bool lowercase = normalizer_flag("lowercase", flag("do_lower_case", true));
    writer_.set("tokenizer.ggml.model", "bert");
    writer_.set("tokenizer.ggml.normalizer.lowercase", lowercase);
    writer_.set("tokenizer.ggml.normalizer.strip_accents",
                normalizer_flag("strip_accents", flag("strip_accents", lowercase)));
    writer_.set("tokenizer.ggml.normalizer.whole_decomposition", true);
    constexpr std::uint32_t kMostCharacters = 100;  // BERT's own tokenizer gives up on longer words
    writer_.set("tokenizer.ggml.wordpiece.max_word_characters", kMostCharacters);
  }

  bool normalizer_flag(std::string_view name, bool otherwise) const {
    const Json& normalizer = part("normalizer");
    if (!normalizer.is_object()) return otherwise;
    const auto found = normalizer.find(name);
    return found != normalizer.end() && found->is_boolean() ? found->get<bool>() : otherwise;
  }

  void read_lines(const std::string& text) {
    std::size_t id = 0;
    for (std::size_t begin = 0; begin < text.size(); ++id) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.pop_back();
      tokens_.set(id, std::move(line), kNormal);
      begin = end + 1;
    }
  }

  /// BERT marks what continues a word, GGUF what begins one.
  static std::string as_in_gguf(const std::string& token) {
    if (token.size() > 2 && token.starts_with("##")) return token.substr(2);
    return "\u2581" + token;
  }

  void sentencepiece() {
    const auto pieces = parse_sentencepiece(checkpoint_.text("tokenizer.model"),
                                            (checkpoint_.folder() / "tokenizer.model").string());
    std::vector<float> scores;
    for (const SentencePiece& piece : pieces.pieces) {
      tokens_.set(scores.size(), piece.text, piece.type);
      scores.push_back(piece.score);
    }
    read_added();
    scores.resize(tokens_.texts.size(), -1000.0F);
    writer_.set("tokenizer.ggml.model", "llama");
    writer_.set("tokenizer.ggml.pre", "default");
    writer_.set_array("tokenizer.ggml.scores", scores);
    writer_.set("tokenizer.ggml.add_space_prefix", pieces.add_dummy_prefix);
    write_decoder_roles();
  }

  void byte_level() {
    read_vocabulary("BPE");
    const Json& model = part("model");
    std::vector<std::string> merges;
    const Json pairs = model.contains("merges") ? model["merges"] : Json::array();
    for (const Json& merge : pairs) {
      if (merge.is_string()) {
        merges.push_back(merge.get<std::string>());
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
                 merge[1].is_string()) {
        merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
      } else {
        refuse("tokenizer.json", "has a merge that is none", "two texts", merge.dump());
      }
    }
    if (model.value("byte_fallback", false)) {
      refuse("tokenizer.json", "is a SentencePiece vocabulary, which is read from tokenizer.model",
             "tokenizer.model in the same folder");
    }
    writer_.set("tokenizer.ggml.model", "gpt2");
    writer_.set("tokenizer.ggml.pre", pre_tokenizer());
    writer_.set_array("tokenizer.ggml.merges", merges);
    write_decoder_roles();
  }

  /// By family: the patterns of tokenizer.json are those of their makers' other files.
  std::string_view pre_tokenizer() const {
    if (family_.arch == "qwen2" || family_.arch == "qwen3") return "qwen2";
    if (family_.arch == "gpt2") return "gpt-2";
    if (family_.arch == "llama") return "llama-bpe";
    refuse("tokenizer.json", "how its texts are cut is not known for this family",
           "tokenizer.model in the same folder", std::string(family_.model_type));
  }

  void write_decoder_roles() {
    for (const Role& role : kRoles) {
      const auto given = config_.find(role.name);
      const std::optional<std::string> text =
          given != config_.end() ? text_of(*given) : std::nullopt;
      const auto id = text ? tokens_.ids.find(*text) : tokens_.ids.end();
      if (id != tokens_.ids.end()) writer_.set(role.key, static_cast<std::uint32_t>(id->second));
    }
    for (const auto& [name, key] : {std::pair("add_bos_token", "tokenizer.ggml.add_bos_token"),
                                    std::pair("add_eos_token", "tokenizer.ggml.add_eos_token")}) {
      const auto found = config_.find(name);
      if (found != config_.end() && found->is_boolean()) writer_.set(key, found->get<bool>());
    }
    std::string chat = config_.value("chat_template", Json()).is_string()
                           ? config_["chat_template"].get<std::string>()
                           : std::string();
    if (chat.empty() && checkpoint_.has("chat_template.jinja")) {
      chat = checkpoint_.text("chat_template.jinja");
    }
    if (!chat.empty()) writer_.set("tokenizer.chat_template", chat);
  }

  void write_tokens() {
    if (tokens_.texts.empty()) refuse("", "has a tokenizer without tokens");
    for (std::size_t i = 0; i < tokens_.texts.size(); ++i) {
      if (tokens_.types[i] == kUnused && tokens_.texts[i].empty()) {
        tokens_.texts[i] = fmt::format("[PAD{}]", i);
      }
    }
    // A model may have rows for tokens that its tokenizer does not have.
    const auto size = checkpoint_.config().find("vocab_size");
    if (size != checkpoint_.config().end() && size->is_number_unsigned()) {
      const auto n = std::min<std::uint64_t>(size->get<std::uint64_t>(), kMostTokens);
      while (!family_.is_encoder && tokens_.texts.size() < n) {
        tokens_.set(tokens_.texts.size(), fmt::format("[PAD{}]", tokens_.texts.size()), kUnused);
      }
    }
    writer_.set_array("tokenizer.ggml.tokens", tokens_.texts);
    writer_.set_array("tokenizer.ggml.token_type", tokens_.types);
  }

  const Checkpoint& checkpoint_;
  const HfFamily& family_;
  gguf::Writer& writer_;
  Json config_;  // tokenizer_config.json
  Json whole_;   // tokenizer.json
  Tokens tokens_;
};

}  // namespace

std::size_t write_tokenizer(const Checkpoint& checkpoint, const HfFamily& family,
                            gguf::Writer& writer) {
  try {
    return TokenizerWriter(checkpoint, family, writer).run();
  } catch (const Json::exception& error) {
    checkpoint.refuse("tokenizer.json", "is not as Hugging Face writes it", {}, error.what());
  }
}

}  // namespace hearth
