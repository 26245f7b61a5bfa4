#include "engine/convert/hf_metadata.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace hearth {
namespace {

using Json = nlohmann::json;

class MetadataWriter {
 public:
  MetadataWriter(const Checkpoint& checkpoint, const HfFamily& family,
                 const std::function<std::uint64_t(std::string_view)>& rows_of,
                 gguf::Writer& writer)
      : checkpoint_(checkpoint), family_(family), rows_of_(rows_of), writer_(writer) {}

  void run() {
    writer_.set("general.architecture", family_.arch);
    const auto folder = std::filesystem::absolute(checkpoint_.folder() / "").parent_path();
    writer_.set("general.name", folder.filename().string());
    check_demands();
    for (const ConfigRule& rule : family_.config) write(rule);
    if (family_.is_encoder) {
      encoder();
    } else {
      decoder();
    }
  }

 private:
  std::string key(std::string_view suffix) const {
    return fmt::format("{}.{}", family_.arch, suffix);
  }

  /// A value of config.json; null if it is not there.
  const Json& value(std::string_view name) const {
    static const Json kNone;
    const auto found = checkpoint_.config().find(name);
    return found == checkpoint_.config().end() ? kNone : *found;
  }

  [[noreturn]] void refuse(std::string_view name, std::string what, std::string expected) const {
    checkpoint_.refuse("config.json", fmt::format("{} {}", name, what), std::move(expected),
                       value(name).dump());
  }

  void write(const ConfigRule& rule) {
    const Json& found = value(rule.from);
    if (found.is_null() && !rule.required) return;
    if (!found.is_number()) refuse(rule.from, "is not there", "a number");
    if (rule.kind == ConfigKind::real) {
      writer_.set(key(rule.to), found.get<float>());
    } else if (found.is_number_unsigned() && found.get<std::uint64_t>() <= 0xFFFFFFFFu) {
      writer_.set(key(rule.to), found.get<std::uint32_t>());
    } else {
      refuse(rule.from, "is not a count", "a whole number");
    }
  }

  void check_demands() const {
    if (checkpoint_.config().contains("quantization_config")) {
      checkpoint_.refuse("config.json", "is of a quantised checkpoint; convert the original",
                         "weights of F32, F16 or BF16", value("quantization_config").dump());
    }
    for (const ConfigValue& demand : family_.demands) {
      if (!checkpoint_.config().contains(demand.name)) continue;
      std::string wanted;
      bool holds = false;
      for (const ConfigValue& other : family_.demands) {
        if (other.name != demand.name) continue;
        holds = holds || value(demand.name) == Json::parse(other.json);
        wanted += fmt::format("{}{}", wanted.empty() ? "" : " or ", other.json);
      }
      if (!holds) refuse(demand.name, "is not one that the engine has for this family", wanted);
    }
  }

  void encoder() {
    const auto positions = static_cast<std::uint32_t>(rows_of_("position_embd.weight"));
    if (positions > 0) writer_.set(key("context_length"), positions);
    writer_.set(key("attention.causal"), false);
    if (const std::uint64_t types = rows_of_("token_types.weight")) {
      writer_.set("tokenizer.ggml.token_type_count", static_cast<std::uint32_t>(types));
    }
    sentence_transformer();
  }

  static constexpr std::uint32_t kMean = 1, kCls = 2, kLast = 3;

  /// What sentence-transformers' files say. An encoder without them gives the mean, normalised.
  void sentence_transformer() {
    std::uint32_t pooling = kMean;
    bool normalize = true;
    if (const auto modules = checkpoint_.json("modules.json")) {
      normalize = false;
      for (const Json& module : *modules) {
        const std::string type = module.value("type", "");
        if (type.ends_with(".Normalize")) normalize = true;
        if (type.ends_with(".Dense")) {
          checkpoint_.refuse("modules.json",
                             "has a layer after the pooling, which cannot be "
                             "converted yet",
                             "Transformer, Pooling, Normalize", type);
        }
        if (!type.ends_with(".Pooling")) continue;
        const auto how = checkpoint_.json(module.value("path", "1_Pooling") + "/config.json");
        if (how) pooling = pooling_of(*how);
      }
    }
    writer_.set(key("pooling_type"), pooling);
    writer_.set(key("embedding.normalize"), normalize);
    if (const auto bert = checkpoint_.json("sentence_bert_config.json")) {
      const auto most = bert->find("max_seq_length");
      if (most != bert->end() && most->is_number_unsigned()) {
        constexpr std::uint64_t kMost = 1 << 28;  // the context length, if shorter, counts
        const auto tokens = std::min(most->get<std::uint64_t>(), kMost);
        writer_.set(key("embedding.max_tokens"), static_cast<std::uint32_t>(tokens));
      }
    }
    prompts();
  }

  /// Several at once would give the vectors one after the other.
  std::uint32_t pooling_of(const Json& config) const {
    std::vector<std::string> chosen;
    std::uint32_t pooling = kMean;
    for (const auto& [name, is_on] : config.items()) {
      if (!name.starts_with("pooling_mode_") || is_on != true) continue;
      chosen.push_back(name);
      if (name == "pooling_mode_cls_token") pooling = kCls;
      if (name == "pooling_mode_lasttoken") pooling = kLast;
    }
    const bool is_known =
        chosen.empty() || chosen[0] == "pooling_mode_mean_tokens" || pooling != kMean;
    if (chosen.size() > 1 || !is_known) {
      checkpoint_.refuse("modules.json", "pools as the engine cannot", "mean, cls or last",
                         fmt::format("{}", fmt::join(chosen, ", ")));
    }
    return pooling;
  }

  void prompts() {
    const auto config = checkpoint_.json("config_sentence_transformers.json");
    if (!config) return;
    const auto found = config->find("prompts");
    if (found == config->end() || !found->is_object()) return;
    const auto set = [&](const char* name, const char* suffix) {
      const auto prompt = found->find(name);
      if (prompt == found->end() || !prompt->is_string()) return;
      const std::string text = prompt->get<std::string>();
      if (!text.empty()) writer_.set(key(suffix), text);
    };
    set("query", "embedding.query_prefix");
    set("passage", "embedding.document_prefix");
    set("document", "embedding.document_prefix");
  }

  void decoder() {
    const Json& scalar = value("query_pre_attn_scalar");
    if (scalar.is_number()) {
      writer_.set(key("attention.scale"),
                  static_cast<float>(1.0 / std::sqrt(scalar.get<double>())));
    }
    if (value("intermediate_size").is_null()) {
      const std::uint64_t n_ff = rows_of_("blk.0.ffn_up.weight");
      writer_.set(key("feed_forward_length"), static_cast<std::uint32_t>(n_ff));
    }
    windows();
    if (checkpoint_.has("modules.json")) sentence_transformer();
  }

  /// Which layers see a window only: a list of kinds, or each n-th sees everything, or the first n
  /// do.
  void windows() {
    const Json& window = value("sliding_window");
    const Json& used = value("use_sliding_window");
    if (!window.is_number_unsigned() || (used.is_boolean() && !used.get<bool>())) return;
    writer_.set(key("attention.sliding_window"), window.get<std::uint32_t>());
    const Json& kinds = value("layer_types");
    const Json& period = value("sliding_window_pattern");
    const Json& first = value("max_window_layers");
    if (kinds.is_array()) {
      std::vector<bool> windowed;
      for (const Json& kind : kinds) windowed.push_back(kind == "sliding_attention");
      writer_.set_array(key("attention.sliding_window_pattern"), windowed);
    } else if (period.is_number_unsigned()) {
      writer_.set(key("attention.sliding_window_pattern"), period.get<std::uint32_t>());
    } else if (first.is_number_unsigned()) {
      std::vector<bool> windowed;
      for (std::uint64_t il = 0; il < n_layer(); ++il) {
        windowed.push_back(il >= first.get<std::uint64_t>());
      }
      writer_.set_array(key("attention.sliding_window_pattern"), windowed);
    }
  }

  std::uint64_t n_layer() const {
    constexpr std::uint64_t kMost = 4096;
    const Json& n = value("num_hidden_layers");
    return n.is_number_unsigned() ? std::min(n.get<std::uint64_t>(), kMost) : 0;
  }

  const Checkpoint& checkpoint_;
  const HfFamily& family_;
  const std::function<std::uint64_t(std::string_view)>& rows_of_;
  gguf::Writer& writer_;
};

}  // namespace

void write_metadata(const Checkpoint& checkpoint, const HfFamily& family,
                    const std::function<std::uint64_t(std::string_view name)>& rows_of,
                    gguf::Writer& writer) {
  MetadataWriter(checkpoint, family, rows_of, writer).run();
}

}  // namespace hearth
