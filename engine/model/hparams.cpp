#include "engine/model/hparams.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace hearth {
namespace {

// More than any model has, and small enough that no product of two of them overflows.
constexpr int kMostLayers = 4096;
constexpr int kMostHeads = 1 << 14;
constexpr int kMostExperts = 1 << 14;
constexpr int kMostColumns = 1 << 22;
constexpr int kMostTokens = 1 << 28;

/// Reads numbers of the keys "ARCH.…" and collects what is wrong with them.
class Keys {
 public:
  Keys(const gguf::Reader& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  const gguf::Value* find(std::string_view key) const {
    return file_.find(prefix_ + std::string(key));
  }

  /// An integer from `lowest` to `highest`. Without a fallback the key is required.
  int integer(std::string_view key, int lowest, int highest, std::optional<int> fallback = {}) {
    const gguf::Value* value = find(key);
    if (!value && !fallback) return missing(key, lowest);
    if (!value) return *fallback;
    return checked(key, lowest, highest, [&] { return value->as_int(); });
  }

  /// The same for every layer: the file has one number for all or an array with one for each.
  std::vector<int> per_layer(std::string_view key, int n_layer, int highest,
                             std::optional<int> fallback = {}) {
    const gguf::Value* value = find(key);
    const auto n = static_cast<std::size_t>(n_layer);
    if (!value || !value->is_array())
      return std::vector<int>(n, integer(key, 0, highest, fallback));
    std::vector<int> numbers;
    if (value->count() < n) {
      problem(key, fmt::format("at least {} numbers, one per layer", n),
              fmt::format("{}", value->count()));
      return std::vector<int>(n, 0);
    }
    const std::vector<std::int64_t> stored = guarded(key, [&] { return value->as_ints(); });
    for (std::size_t il = 0; il < n && il < stored.size(); ++il) {
      numbers.push_back(checked(key, 0, highest, [&] { return stored[il]; }));
    }
    numbers.resize(n);
    return numbers;
  }

  /// A finite number, at least `lowest`.
  double real(std::string_view key, double lowest, std::optional<double> fallback) {
    const gguf::Value* value = find(key);
    if (!value && !fallback) return missing(key, 0);
    if (!value) return *fallback;
    const double number = guarded(key, [&] { return value->as_float(); });
    if (std::isfinite(number) && number >= lowest) return number;
    problem(key, fmt::format("a finite number, at least {}", lowest), fmt::format("{}", number));
    return fallback.value_or(0.0);
  }

  /// As real(), with 0 in the file standing for the fallback.
  double real_or(std::string_view key, double fallback) {
    const double number = real(key, 0.0, fallback);
    return number == 0.0 ? fallback : number;
  }

  bool flag(std::string_view key, bool fallback) {
    const gguf::Value* value = find(key);
    return value ? guarded(key, [&] { return value->as_bool(); }) : fallback;
  }

  std::string text(std::string_view key) {
    const gguf::Value* value = find(key);
    return value ? std::string(guarded(key, [&] { return value->as_string(); })) : std::string();
  }

  void problem(std::string_view key, std::string_view expected, std::string_view got) {
    problems_.push_back(fmt::format("{}{}: expected {}, got {}", prefix_, key, expected, got));
  }

  void throw_problems() const {
    if (problems_.empty()) return;
    throw Error(Error::Parts{.where = file_.name(),
                             .what = "the metadata cannot describe a model",
                             .expected = {},
                             .got = fmt::format("{}", fmt::join(problems_, "; "))});
  }

 private:
  int missing(std::string_view key, int stand_in) {
    problems_.push_back(fmt::format("{}{} is missing", prefix_, key));
    return stand_in;
  }

  /// What `read` gives, or a default and a problem if the value has another type.
  template <class Read>
  auto guarded(std::string_view key, Read read) -> decltype(read()) {
    try {
      return read();
    } catch (const Error& error) {
      problem(key, error.parts().expected.empty() ? "another type" : error.parts().expected,
              error.parts().got.empty() ? error.parts().what : error.parts().got);
      return {};
    }
  }

  template <class Read>
  int checked(std::string_view key, int lowest, int highest, Read read) {
    const std::size_t before = problems_.size();
    const std::int64_t number = guarded(key, read);
    if (problems_.size() != before) return lowest;
    if (number >= lowest && number <= highest) return static_cast<int>(number);
    problem(key, fmt::format("a number from {} to {}", lowest, highest), fmt::format("{}", number));
    return lowest;
  }

  const gguf::Reader& file_;
  std::string prefix_;
  std::vector<std::string> problems_;
};

/// Tokens of the vocabulary, of the key, or of the embedding: whichever the file has.
int read_n_vocab(const gguf::Reader& file, Keys& keys) {
  const gguf::Value* tokens = file.find("tokenizer.ggml.tokens");
  const gguf::Value* kind = file.find("tokenizer.ggml.model");
  const bool has_vocabulary =
      tokens && tokens->is_array() && !(kind && kind->as_string() == "no_vocab");
  std::uint64_t n = 0;
  if (has_vocabulary) {
    n = tokens->count();
  } else if (keys.find("vocab_size")) {
    return keys.integer("vocab_size", 1, kMostTokens);
  } else if (const gguf::Tensor* embedding = file.find_tensor("token_embd.weight")) {
    n = embedding->rows();
  }
  if (n >= 1 && n <= kMostTokens) return static_cast<int>(n);
  keys.problem("vocab_size", fmt::format("1 to {} tokens", kMostTokens), fmt::format("{}", n));
  return 1;
}

bool rotates(const Family& family) {
  return family.position == Position::rope_interleaved || family.position == Position::rope_halves;
}

/// Whether layer `il` sees only a window, by the row's pattern.
bool is_windowed(Windows windows, int il) {
  switch (windows) {
    case Windows::none:
      return false;
    case Windows::all_layers:
      return true;
    case Windows::one_of_two:
      return il % 2 != 1;
    case Windows::three_of_four:
      return il % 4 != 3;
    case Windows::five_of_six:
      return il % 6 != 5;
  }
  return false;
}

/// attention.sliding_window_pattern: a period n (each n-th layer sees everything), or per layer
/// whether it is windowed.
void read_windows(HParams& hparams, Keys& keys, const Family& family) {
  const int window = keys.integer("attention.sliding_window", 0, kMostTokens, 0);
  if (window == 0 || family.windows == Windows::none) return;
  const gguf::Value* pattern = keys.find("attention.sliding_window_pattern");
  const std::vector<int> stored =
      pattern ? keys.per_layer("attention.sliding_window_pattern", hparams.n_layer, kMostLayers)
              : std::vector<int>();
  for (int il = 0; il < hparams.n_layer; ++il) {
    bool windowed = is_windowed(family.windows, il);
    if (pattern) {
      const int number = stored[static_cast<std::size_t>(il)];
      windowed = pattern->is_array() ? number != 0 : number == 0 || il % number != number - 1;
    }
    if (windowed) hparams.layers[static_cast<std::size_t>(il)].window = window;
  }
}

void read_rope_layers(HParams& hparams, Keys& keys, const Family& family) {
  const auto has_window = [](const LayerHParams& layer) { return layer.window > 0; };
  const bool any_window = std::any_of(hparams.layers.begin(), hparams.layers.end(), has_window);
  const bool finetuned = keys.flag("rope.scaling.finetuned", true);
  const auto turns = [&](const LayerHParams& layer, std::size_t il) {
    switch (family.rope_layers) {
      case RopeLayers::all:
        return true;
      case RopeLayers::windowed:
        return !any_window || has_window(layer);
      case RopeLayers::three_of_four:
        return il % 4 != 3;
      case RopeLayers::key_says:
        return finetuned;
    }
    return true;
  };
  for (std::size_t il = 0; il < hparams.layers.size(); ++il) {
    hparams.layers[il].has_rope = rotates(family) && turns(hparams.layers[il], il);
  }
}

void read_layers(HParams& hparams, Keys& keys, const Family& family) {
  const std::vector<int> n_head =
      keys.per_layer("attention.head_count", hparams.n_layer, kMostHeads);
  const bool has_kv = keys.find("attention.head_count_kv") != nullptr;
  const std::vector<int> n_head_kv =
      has_kv ? keys.per_layer("attention.head_count_kv", hparams.n_layer, kMostHeads) : n_head;
  const std::vector<int> n_ff =
      keys.per_layer("feed_forward_length", hparams.n_layer, kMostColumns,
                     hparams.n_expert > 0 ? std::optional<int>(0) : std::nullopt);
  for (std::size_t il = 0; il < hparams.layers.size(); ++il) {
    LayerHParams& layer = hparams.layers[il];
    layer = {.n_head = n_head[il], .n_head_kv = n_head_kv[il], .n_ff = n_ff[il]};
    if (layer.n_head < 1) {
      keys.problem("attention.head_count", "at least 1", "0");
      break;
    }
    if (layer.n_head_kv < 1 || layer.n_head % layer.n_head_kv != 0) {
      keys.problem("attention.head_count_kv",
                   fmt::format("a divisor of head_count {}", layer.n_head),
                   fmt::format("{}", layer.n_head_kv));
      break;
    }
    if (layer.n_ff < 1 && hparams.n_expert == 0) {
      keys.problem("feed_forward_length", "at least 1", "0");
      break;
    }
  }
  read_windows(hparams, keys, family);
  read_rope_layers(hparams, keys, family);
}

void read_head_sizes(HParams& hparams, Keys& keys) {
  const int n_head = hparams.layers.front().n_head;
  const bool has_key_length = keys.find("attention.key_length") != nullptr;
  if (!has_key_length && n_head > 0 && hparams.n_embd % n_head != 0) {
    keys.problem("attention.head_count",
                 fmt::format("a divisor of embedding_length {}", hparams.n_embd),
                 fmt::format("{}", n_head));
  }
  const int width = n_head > 0 ? std::max(1, hparams.n_embd / n_head) : 1;
  hparams.head_dim_k = keys.integer("attention.key_length", 1, kMostColumns, width);
  hparams.head_dim_v = keys.integer("attention.value_length", 1, kMostColumns, width);
  int most_heads = 1;
  for (const LayerHParams& layer : hparams.layers) most_heads = std::max(most_heads, layer.n_head);
  const int widest = std::max(hparams.head_dim_k, hparams.head_dim_v);
  if (widest > kMostColumns / most_heads) {
    keys.problem("attention.key_length", fmt::format("at most {}", kMostColumns / most_heads),
                 fmt::format("{}", widest));
  }
}

void read_rope(HParams& hparams, Keys& keys, const Family& family) {
  hparams.n_rot = keys.integer("rope.dimension_count", 0, kMostColumns, hparams.head_dim_k);
  hparams.rope_base = keys.real_or("rope.freq_base", 10000.0);
  hparams.rope_base_local =
      family.local_rope == LocalRope::unscaled_base_10000 ? 10000.0 : hparams.rope_base;
  if (family.local_rope != LocalRope::as_global) {
    hparams.rope_base_local = keys.real_or("rope.freq_base_swa", hparams.rope_base_local);
  }
  if (rotates(family) && (hparams.n_rot % 2 != 0 || hparams.n_rot > hparams.head_dim_k)) {
    keys.problem("rope.dimension_count",
                 fmt::format("an even number, at most the head's {}", hparams.head_dim_k),
                 fmt::format("{}", hparams.n_rot));
  }
  const std::string scaling = keys.text("rope.scaling.type");
  hparams.rope_factor = keys.real_or("rope.scaling.factor", keys.real_or("rope.scale_linear", 1.0));
  if (scaling.empty() || scaling == "linear") {
    hparams.rope_scaling = RopeScaling::linear;
  } else if (scaling == "yarn") {
    hparams.rope_scaling = RopeScaling::yarn;
  } else if (scaling != "none" && scaling != "longrope") {  // longrope's factors are tensors
    keys.problem("rope.scaling.type", "none, linear, yarn or longrope", scaling);
  }
  hparams.rope_attn_factor = keys.real_or("rope.scaling.attn_factor", 1.0);
  hparams.rope_original_ctx =
      keys.integer("rope.scaling.original_context_length", 0, kMostTokens, 0);
  if (hparams.rope_original_ctx == 0) hparams.rope_original_ctx = hparams.n_ctx_train;
  hparams.yarn_beta_fast = keys.real_or("rope.scaling.yarn_beta_fast", 32.0);
  hparams.yarn_beta_slow = keys.real_or("rope.scaling.yarn_beta_slow", 1.0);
  hparams.yarn_log_multiplier = keys.real("rope.scaling.yarn_log_multiplier", -1e9, 0.0);
  hparams.yarn_ext_factor = keys.real("rope.scaling.yarn_ext_factor", -1e9, -1.0);
  if (hparams.yarn_ext_factor < 0.0) hparams.yarn_ext_factor = 1.0;  // negative: as the type says
  hparams.rope_attn_factor *= keys.real_or("rope.scaling.yarn_attn_factor", 1.0);
}

/// A relative position bias is one table for all layers, which so have as many heads each.
void read_relative_bias(HParams& hparams, Keys& keys) {
  constexpr int kMostBuckets = 1 << 12;
  constexpr int kUsualDistance = 128;
  hparams.n_rel_buckets = keys.integer("attention.relative_buckets_count", 0, kMostBuckets, 0);
  if (hparams.n_rel_buckets == 0) return;
  if (hparams.n_rel_buckets % 4 != 0) {
    keys.problem("attention.relative_buckets_count", "a multiple of 4",
                 fmt::format("{}", hparams.n_rel_buckets));
  }
  hparams.rel_max_distance =
      keys.integer("attention.relative_max_distance", hparams.n_rel_buckets / 4 + 1, kMostTokens,
                   std::max(kUsualDistance, hparams.n_rel_buckets));
  const int n_head = hparams.layers.front().n_head;
  const bool same = std::all_of(hparams.layers.begin(), hparams.layers.end(),
                                [&](const LayerHParams& layer) { return layer.n_head == n_head; });
  if (!same) keys.problem("attention.head_count", "one number for all layers", "several");
}

/// Rows (of each stacked matrix) of the first tensor with this name in any layer; 0 if there is
/// none.
int rows_of_any(const gguf::Reader& file, std::string_view name) {
  for (const gguf::Tensor& tensor : file.tensors()) {
    if (!tensor.name.starts_with("blk.") || !tensor.name.ends_with(name)) continue;
    return static_cast<int>(std::min<std::uint64_t>(tensor.dims[1], kMostColumns));
  }
  return 0;
}

void read_experts(HParams& hparams, Keys& keys, const Family& family, const gguf::Reader& file) {
  hparams.n_expert = keys.integer("expert_count", 0, kMostExperts, 0);
  if (hparams.n_expert == 0) return;
  hparams.n_expert_used = keys.integer("expert_used_count", 1, hparams.n_expert);
  hparams.n_ff_expert = keys.integer("expert_feed_forward_length", 0, kMostColumns, 0);
  if (hparams.n_ff_expert == 0) hparams.n_ff_expert = rows_of_any(file, "ffn_up_exps.weight");
  hparams.n_ff_shared_expert =
      keys.integer("expert_shared_feed_forward_length", 0, kMostColumns, 0);
  if (hparams.n_ff_shared_expert == 0) {
    hparams.n_ff_shared_expert = rows_of_any(file, "ffn_up_shexp.weight");
  }
  hparams.expert_weights_scale = static_cast<float>(keys.real_or("expert_weights_scale", 1.0));
  hparams.expert_weights_norm = family.expert_weights == ExpertWeights::key_says
                                    ? keys.flag("expert_weights_norm", false)
                                    : family.expert_weights == ExpertWeights::sum_to_one;
  constexpr int kSigmoid = 2;  // 0 none, 1 softmax, 2 sigmoid (gguf's ExpertGatingFuncType)
  hparams.expert_sigmoid = keys.integer("expert_gating_func", 0, kSigmoid, 0) == kSigmoid;
}

void read_scales(HParams& hparams, Keys& keys, const Family& family) {
  const auto factor = [&](std::string_view key, double fallback) {
    return static_cast<float>(keys.real_or(key, fallback));
  };
  hparams.attention_scale = factor("attention.scale", family.attention_scale(hparams));
  hparams.max_alibi_bias =
      family.position == Position::alibi ? factor("attention.max_alibi_bias", 8.0) : 0.0F;
  if (family.softcaps == Softcaps::attention_and_final) {
    hparams.attn_softcap = factor("attn_logit_softcapping", 0.0);
  }
  if (family.softcaps != Softcaps::none) {
    hparams.final_softcap = factor("final_logit_softcapping", 0.0);
  }
  hparams.residual_scale = factor("residual_scale", 1.0);
  const double embedding_scale = family.embedding_scale == EmbeddingScale::sqrt_n_embd
                                     ? std::sqrt(static_cast<double>(hparams.n_embd))
                                     : 1.0;
  hparams.embedding_scale = factor("embedding_scale", embedding_scale);
  const float logit_scale = factor("logit_scale", 1.0);
  if (family.logit_scale == LogitScale::multiply) hparams.logit_scale = logit_scale;
  if (family.logit_scale == LogitScale::divide) hparams.logit_scale = 1.0F / logit_scale;
}

void read_pooling(HParams& hparams, Keys& keys, const Family& family) {
  hparams.causal = family.causal && keys.flag("attention.causal", true);
  constexpr Pooling kPoolings[] = {Pooling::none, Pooling::mean, Pooling::cls, Pooling::last};
  const gguf::Value* value = keys.find("pooling_type");
  constexpr std::uint64_t kUnset = 0xFFFFFFFF;
  if (!value || value->as_uint() == kUnset) {
    hparams.pooling = family.causal ? Pooling::none : Pooling::mean;
    return;
  }
  hparams.pooling = kPoolings[keys.integer("pooling_type", 0, 3)];
}

}  // namespace

const Family& family_of(const gguf::Reader& file) {
  const std::string_view name = file.at("general.architecture").as_string();
  if (const Family* family = find_family(name)) return *family;
  std::vector<std::string_view> known;
  for (const Family& family : all_families()) known.push_back(family.name);
  throw Error(Error::Parts{.where = file.name(),
                           .what = "this model family is not known",
                           .expected = fmt::format("one of {}", fmt::join(known, ", ")),
                           .got = std::string(name)});
}

HParams read_hparams(const gguf::Reader& file, const Family& family) {
  Keys keys(file, family.name);
  HParams hparams;
  hparams.n_layer = keys.integer("block_count", 1, kMostLayers);
  hparams.n_embd = keys.integer("embedding_length", 1, kMostColumns);
  hparams.n_ctx_train = keys.integer("context_length", 1, kMostTokens);
  hparams.n_vocab = read_n_vocab(file, keys);
  hparams.layers.resize(static_cast<std::size_t>(hparams.n_layer));
  hparams.norm_eps =
      static_cast<float>(keys.real(family.norm == NormKind::rms ? "attention.layer_norm_rms_epsilon"
                                                                : "attention.layer_norm_epsilon",
                                   0.0, std::nullopt));
  const gguf::Value* types = file.find("tokenizer.ggml.token_type_count");
  if (types)
    hparams.n_token_types =
        static_cast<int>(std::min<std::uint64_t>(types->as_uint(), kMostColumns));
  read_experts(hparams, keys, family, file);
  read_layers(hparams, keys, family);
  read_head_sizes(hparams, keys);
  keys.throw_problems();  // what follows computes with these numbers
  read_rope(hparams, keys, family);
  read_relative_bias(hparams, keys);
  read_scales(hparams, keys, family);
  read_pooling(hparams, keys, family);
  hparams.parallel_residual =
      family.residual == Residual::parallel ||
      (family.residual == Residual::key_says && keys.flag("use_parallel_residual", true));
  keys.throw_problems();
  return hparams;
}

}  // namespace hearth
