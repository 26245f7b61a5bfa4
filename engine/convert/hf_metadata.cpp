#include "engine/convert/hf_metadata.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

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

  void encoder() {
    const std::string act =
        value("hidden_act").is_string() ? value("hidden_act").get<std::string>() : "gelu";
    if (act != "gelu") refuse("hidden_act", "is not one of this family", "gelu");
    const Json& positions = value("position_embedding_type");
    if (positions.is_string() && positions != "absolute") {
      refuse("position_embedding_type", "is not one that the engine knows", "absolute");
    }
    const auto n_ctx = static_cast<std::uint32_t>(rows_of_("position_embd.weight"));
    writer_.set(key("context_length"), n_ctx);
    writer_.set(key("attention.causal"), false);
    if (const std::uint64_t types = rows_of_("token_types.weight")) {
      writer_.set("tokenizer.ggml.token_type_count", static_cast<std::uint32_t>(types));
    }
    sentence_transformer(n_ctx);
  }

  void sentence_transformer(std::uint32_t n_ctx) {
    constexpr std::uint32_t kMean = 1, kCls = 2, kLast = 3;
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
        if (!how) continue;
        if (how->value("pooling_mode_cls_token", false)) pooling = kCls;
        if (how->value("pooling_mode_lasttoken", false)) pooling = kLast;
        for (const char* other : {"pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens"}) {
          if (!how->value(other, false)) continue;
          checkpoint_.refuse("modules.json", "pools as the engine cannot", "mean, cls or last",
                             other);
        }
      }
    }
    writer_.set(key("pooling_type"), pooling);
    writer_.set(key("embedding.normalize"), normalize);
    if (const auto bert = checkpoint_.json("sentence_bert_config.json")) {
      const auto most = bert->find("max_seq_length");
      if (most != bert->end() && most->is_number_unsigned()) {
        const auto tokens = std::min<std::uint64_t>(most->get<std::uint64_t>(), n_ctx);
        writer_.set(key("embedding.max_tokens"), static_cast<std::uint32_t>(tokens));
      }
    }
    prompts();
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
  }

  /// Which layers see a window only: a list of kinds, or each n-th sees everything.
  void windows() {
    const Json& window = value("sliding_window");
    const Json& used = value("use_sliding_window");
    if (!window.is_number_unsigned() || (used.is_boolean() && !used.get<bool>())) return;
    writer_.set(key("attention.sliding_window"), window.get<std::uint32_t>());
    const Json& kinds = value("layer_types");
    const Json& period = value("sliding_window_pattern");
    if (kinds.is_array()) {
      std::vector<bool> windowed;
      for (const Json& kind : kinds) windowed.push_back(kind == "sliding_attention");
      writer_.set_array(key("attention.sliding_window_pattern"), windowed);
    } else if (period.is_number_unsigned()) {
      writer_.set(key("attention.sliding_window_pattern"), period.get<std::uint32_t>());
    }
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
