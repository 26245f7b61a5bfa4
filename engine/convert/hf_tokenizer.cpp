#include "engine/convert/hf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/convert/hf_pretokenizer.h"
#include "engine/convert/sentencepiece_model.h"

namespace hearth {
namespace {

using Json = nlohmann::json;

// As they stand in tokenizer.ggml.token_type.
constexpr std::int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5,
                       kByte = 6;

constexpr std::size_t kMostTokens = 1 << 24;

/// A special token's role: its name in tokenizer_config.json, its key, and what WordPiece calls it
/// where the file does not say.
struct Role {
  std::string_view name;
  std::string_view key;
  std::string_view usual;
  std::string_view number;  // of config.json, for decoders
};
constexpr Role kRoles[] = {
    {"bos_token", "tokenizer.ggml.bos_token_id", "", "bos_token_id"},
    {"eos_token", "tokenizer.ggml.eos_token_id", "", "eos_token_id"},
    {"unk_token", "tokenizer.ggml.unknown_token_id", "[UNK]", ""},
    {"sep_token", "tokenizer.ggml.seperator_token_id", "[SEP]", ""},
    {"pad_token", "tokenizer.ggml.padding_token_id", "[PAD]", "pad_token_id"},
    {"cls_token", "tokenizer.ggml.cls_token_id", "[CLS]", ""},
    {"mask_token", "tokenizer.ggml.mask_token_id", "[MASK]", ""},
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

  /// Exactly n: without those that the model has no row for, with unused ones for rows that no
  /// token has.
  void fit(std::size_t n) {
    std::erase_if(ids, [n](const auto& token) { return token.second >= n; });
    texts.resize(n);
    types.resize(n, kUnused);
    for (std::size_t i = 0; i < n; ++i) {
      if (types[i] == kUnused && texts[i].empty()) texts[i] = fmt::format("[PAD{}]", i);
    }
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
  TokenizerWriter(const Checkpoint& checkpoint, const HfFamily& family, std::uint64_t n_rows,
                  gguf::Writer& writer)
      : checkpoint_(checkpoint), family_(family), n_rows_(n_rows), writer_(writer) {
    config_ = checkpoint.json("tokenizer_config.json").value_or(Json::object());
    whole_ = checkpoint.json("tokenizer.json").value_or(Json::object());
  }

  void run() {
    if (n_rows_ == 0 || n_rows_ > kMostTokens) {
      refuse("", "has no embeddings of tokens that can be",
             fmt::format("1 to {} rows", kMostTokens), fmt::format("{}", n_rows_));
    }
    if (family_.is_encoder) {
      wordpiece();
    } else if (checkpoint_.has("tokenizer.model")) {
      sentencepiece();
    } else {
      of_json();
    }
    writer_.set_array("tokenizer.ggml.tokens", tokens_.texts);
    writer_.set_array("tokenizer.ggml.token_type", tokens_.types);
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
  }

  void add(const std::string& text, const Json& id, std::int32_t type) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= kMostTokens) {
      refuse("tokenizer.json", fmt::format("token \"{}\" has no id that can be", text), "a number",
             id.dump());
    }
    tokens_.set(id.get<std::size_t>(), text, type);
  }

  /// Tokens that are not of the vocabulary's own making, wherever a checkpoint lists them.
  void read_added() {
    const Json none = Json::object();
    if (const auto older = checkpoint_.json("added_tokens.json"); older && older->is_object()) {
      for (const auto& [text, id] : older->items()) add(text, id, kUserDefined);
    }
    const auto decoder = config_.find("added_tokens_decoder");
    for (const auto& [id, token] : (decoder == config_.end() ? none : *decoder).items()) {
      const bool is_number =
          !id.empty() && id.size() < 9 && id.find_first_not_of("0123456789") == std::string::npos;
      if (is_number) add_object(token, Json(std::stoull(id)));
    }
    for (const Json& token : part("added_tokens")) {
      if (token.is_object() && token.contains("id")) add_object(token, token["id"]);
    }
  }

  void add_object(const Json& token, const Json& id) {
    const std::optional<std::string> text = text_of(token);
    if (!text || !token.is_object()) return;
    const auto known = tokens_.ids.find(*text);
    if (known != tokens_.ids.end() && tokens_.types[known->second] == kUnknown) return;
    add(*text, id, token.value("special", false) ? kControl : kUserDefined);
  }

  void wordpiece() {
    if (checkpoint_.has("vocab.txt")) {
      read_lines(checkpoint_.text("vocab.txt"));
    } else {
      read_vocabulary("WordPiece");
      read_added();
    }
    tokens_.fit(n_rows_);
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

  static constexpr float kLowest = -1e6F;  // of tokens that nothing is joined to

  void sentencepiece() {
    const auto pieces = parse_sentencepiece(checkpoint_.text("tokenizer.model"),
                                            (checkpoint_.folder() / "tokenizer.model").string());
    std::vector<float> scores;
    for (const SentencePiece& piece : pieces.pieces) {
      tokens_.set(scores.size(), piece.text, piece.type);
      scores.push_back(piece.score);
    }
    write_sentencepiece(std::move(scores), pieces.add_dummy_prefix);
  }

  void write_sentencepiece(std::vector<float> scores, bool adds_space) {
    read_added();
    tokens_.fit(n_rows_);
    scores.resize(n_rows_, kLowest);
    writer_.set("tokenizer.ggml.model", "llama");
    writer_.set("tokenizer.ggml.pre", "default");
    writer_.set_array("tokenizer.ggml.scores", scores);
    writer_.set("tokenizer.ggml.add_space_prefix", adds_space);
    write_decoder_roles();
  }

  /// BPE: over bytes, or over characters as SentencePiece has it.
  void of_json() {
    read_vocabulary("BPE");
    const std::vector<Merge> merges = read_merges();
    if (part("model").value("byte_fallback", false)) return sentencepiece_of(merges);
    std::vector<std::string> lines;
    for (const auto& [left, right] : merges) lines.push_back(left + " " + right);
    read_added();
    tokens_.fit(n_rows_);
    writer_.set("tokenizer.ggml.model", "gpt2");
    writer_.set("tokenizer.ggml.pre", pre_tokenizer());
    writer_.set_array("tokenizer.ggml.merges", lines);
    write_decoder_roles();
  }

  using Merge = std::pair<std::string, std::string>;

  std::vector<Merge> read_merges() const {
    const Json& model = part("model");
    std::vector<Merge> merges;
    for (const Json& merge : model.contains("merges") ? model["merges"] : Json::array()) {
      const std::string text = merge.is_string() ? merge.get<std::string>() : std::string();
      const std::size_t space = text.find(' ');
      const bool is_pair =
          merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
      if (is_pair) {
        merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
      } else if (space != std::string::npos) {
        merges.emplace_back(text.substr(0, space), text.substr(space + 1));
      } else {
        refuse("tokenizer.json", "has a merge that is none", "two texts", merge.dump());
      }
    }
    return merges;
  }

  /// SentencePiece joins what makes the piece of the highest score, tokenizer.json has the joins in
  /// that order: the first that makes a piece gives its score.
  void sentencepiece_of(const std::vector<Merge>& merges) {
    std::vector<float> scores(tokens_.texts.size(), kLowest);
    for (std::size_t i = merges.size(); i-- > 0;) {
      const auto made = tokens_.ids.find(merges[i].first + merges[i].second);
      if (made != tokens_.ids.end()) scores[made->second] = -static_cast<float>(i);
    }
    for (std::size_t i = 0; i < tokens_.texts.size(); ++i) {
      const std::string& text = tokens_.texts[i];
      const bool is_byte = text.size() == 6 && text.starts_with("<0x") && text.ends_with('>');
      if (is_byte) tokens_.types[i] = kByte;
    }
    const Json unknown = part("model").value("unk_token", Json());
    const auto id =
        unknown.is_string() ? tokens_.ids.find(unknown.get<std::string>()) : tokens_.ids.end();
    if (id != tokens_.ids.end()) {
      tokens_.types[id->second] = kUnknown;
      writer_.set("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(id->second));
    }
    write_sentencepiece(std::move(scores), adds_space());
  }

  /// Whether a text gets a space in front: by its normaliser, or by what cuts it.
  bool adds_space() const {
    const Json& normalizer = part("normalizer");
    const Json alone = Json::array({normalizer});
    const bool is_list = normalizer.is_object() && normalizer.contains("normalizers");
    for (const Json& step : is_list ? normalizer["normalizers"] : alone) {
      if (step.is_object() && step.value("type", "") == "Prepend") return true;
    }
    const Json& cut = part("pre_tokenizer");
    if (!cut.is_object() || cut.value("type", "") != "Metaspace") return false;
    return cut.value("prepend_scheme", cut.value("add_prefix_space", true) ? "always" : "never") !=
           "never";
  }

  /// As tokenizer.json cuts, or, where it does not say, as the family's files do.
  std::string_view pre_tokenizer() const {
    const Json& cut = part("pre_tokenizer");
    if (!cut.is_null()) {
      if (const std::string_view name = gguf_pre_tokenizer(cut); !name.empty()) return name;
      refuse("tokenizer.json", "cuts its texts in a way that is not known",
             "a pre_tokenizer of GPT-2, Llama 3, Qwen 2, Tekken, GPT-4o or SmolLM", cut.dump());
    }
    if (family_.arch == "qwen2" || family_.arch == "qwen3") return "qwen2";
    if (family_.arch == "gpt2") return "gpt-2";
    if (family_.arch == "llama") return "llama-bpe";
    refuse("tokenizer.json", "how its texts are cut is not known for this family",
           "tokenizer.model in the same folder", std::string(family_.model_type));
  }

  void write_decoder_roles() {
    for (const Role& role : kRoles) {
      if (const auto id = id_of(role)) writer_.set(role.key, static_cast<std::uint32_t>(*id));
    }
    for (const auto& [name, key] : {std::pair("add_bos_token", "tokenizer.ggml.add_bos_token"),
                                    std::pair("add_eos_token", "tokenizer.ggml.add_eos_token")}) {
      const auto found = config_.find(name);
      if (found != config_.end() && found->is_boolean()) writer_.set(key, found->get<bool>());
    }
    write_frame();
    if (const std::string chat = chat_template(); !chat.empty()) {
      writer_.set("tokenizer.chat_template", chat);
    }
  }

  /// A role's token by its text, else by its number in config.json, the first of several.
  std::optional<std::size_t> id_of(const Role& role) const {
    const auto given = config_.find(role.name);
    const std::optional<std::string> text = given != config_.end() ? text_of(*given) : std::nullopt;
    const auto named = text ? tokens_.ids.find(*text) : tokens_.ids.end();
    if (named != tokens_.ids.end()) return named->second;
    const Json number = checkpoint_.config().value(std::string(role.number), Json());
    const Json& first = number.is_array() && !number.empty() ? number[0] : number;
    const bool is_one = first.is_number_unsigned() && first.get<std::uint64_t>() < n_rows_;
    return is_one ? std::optional(first.get<std::size_t>()) : std::nullopt;
  }

  /// What tokenizer.json puts around a text: a first special token, and a last one, which then is
  /// the end of a text whatever tokenizer_config.json calls so.
  void write_frame() {
    Json single = part("post_processor");
    if (single.is_object() && single.contains("processors")) {
      const Json all = single["processors"];
      for (const Json& one : all) {
        if (one.is_object() && one.contains("single")) single = one;
      }
    }
    if (!single.is_object() || !single.contains("single") || !single["single"].is_array() ||
        single["single"].size() < 2) {
      return;
    }
    const auto id_at = [&](const Json& item) -> std::optional<std::size_t> {
      if (!item.is_object() || !item.contains("SpecialToken")) return std::nullopt;
      const auto found = tokens_.ids.find(item["SpecialToken"].value("id", ""));
      return found == tokens_.ids.end() ? std::nullopt : std::optional(found->second);
    };
    if (const auto first = id_at(single["single"].front())) {
      writer_.set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(*first));
      writer_.set("tokenizer.ggml.add_bos_token", true);
    }
    if (const auto last = id_at(single["single"].back())) {
      writer_.set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(*last));
      writer_.set("tokenizer.ggml.add_eos_token", true);
    }
  }

  /// In a file of its own, in tokenizer_config.json, of which several may have names, or in that of
  /// the part that sees.
  std::string chat_template() const {
    if (checkpoint_.has("chat_template.jinja")) return checkpoint_.text("chat_template.jinja");
    const auto text = [](const Json& of, const char* name) {
      const auto found = of.find(name);
      return found != of.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    const Json listed = config_.value("chat_template", Json());
    if (listed.is_string()) return listed.get<std::string>();
    for (const Json& one : listed.is_array() ? listed : Json::array()) {
      if (one.is_object() && text(one, "name") == "default") return text(one, "template");
    }
    const auto beside = checkpoint_.json("chat_template.json");
    return beside && beside->is_object() ? text(*beside, "chat_template") : std::string();
  }

  const Checkpoint& checkpoint_;
  const HfFamily& family_;
  std::uint64_t n_rows_;
  gguf::Writer& writer_;
  Json config_;  // tokenizer_config.json
  Json whole_;   // tokenizer.json
  Tokens tokens_;
};

}  // namespace

void write_tokenizer(const Checkpoint& checkpoint, const HfFamily& family, std::uint64_t n_rows,
                     gguf::Writer& writer) {
  try {
    TokenizerWriter(checkpoint, family, n_rows, writer).run();
  } catch (const Json::exception& error) {
    checkpoint.refuse("tokenizer.json", "is not as Hugging Face writes it", {}, error.what());
  }
}

}  // namespace hearth
