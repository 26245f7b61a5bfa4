#include "engine/quantize/mix.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace hearth {
namespace {

using enum QuantType;
using enum TensorRole;
using enum When;

// --- The table of mixes ------------------------------------------------------------------------

/// Before the rules of every quantised mix.
constexpr MixRule kCommonRules[] = {
    {kAttnV, kEightExperts, Q8_0},
    {kAttnK, kEightExperts, Q8_0},
};

constexpr MixRule kQ2K[] = {
    {kAttnV, kEightyLayers, Q5_K},      {kAttnV, kSharedKv, Q4_K},    {kAttnV, kAlways, Q3_K},
    {kAttnOutput, kEightExperts, Q5_K}, {kAttnOutput, kAlways, Q3_K}, {kFfnDown, kAlways, Q3_K},
};
constexpr MixRule kQ3KS[] = {
    {kAttnV, kEightyLayers, Q5_K},
    {kAttnOutput, kEightExperts, Q5_K},
};
constexpr MixRule kQ3KM[] = {
    {kAttnV, kFirstTwo, Q5_K},    {kAttnV, kEightyLayers, Q5_K},
    {kAttnV, kAlways, Q4_K},      {kAttnOutput, kEightExperts, Q5_K},
    {kAttnOutput, kAlways, Q4_K}, {kFfnDown, kFirstSixteenth, Q5_K},
    {kFfnDown, kAlways, Q4_K},
};
constexpr MixRule kQ3KL[] = {
    {kAttnV, kAlways, Q5_K},
    {kAttnOutput, kEightExperts, Q3_K},
    {kAttnOutput, kAlways, Q5_K},
    {kFfnDown, kAlways, Q5_K},
};
constexpr MixRule kQ4KS[] = {
    {kAttnV, kFirstFour, Q5_K},
    {kAttnV, kEightyLayers, Q5_K},
    {kAttnOutput, kEightExperts, Q5_K},
    {kFfnDown, kFirstEighth, Q5_K},
};
constexpr MixRule kQ4KM[] = {
    {kAttnV, kMoreBits, Q6_K},
    {kAttnV, kEightyLayers, Q5_K},
    {kAttnOutput, kEightExperts, Q5_K},
    {kFfnDown, kMoreBits, Q6_K},
};
constexpr MixRule kQ5KM[] = {
    {kAttnV, kMoreBits, Q6_K},
    {kFfnDown, kMoreBits, Q6_K},
};
constexpr MixRule kIQ4[] = {
    {kAttnV, kSharedKv, Q5_K},
    {kAttnOutput, kEightExperts, Q5_K},
    {kFfnDown, kFirstEighth, Q5_K},
};
constexpr MixRule kMXFP4[] = {
    {kEmbedding, kAlways, Q8_0},
};
constexpr MixRule kMXFP4Moe[] = {
    {kFfnDown, kStacked, MXFP4},
    {kOther, kStacked, MXFP4},
};

constexpr Mix kMixes[] = {
    {"F32", 0, F32, F32, {}, "as trained; for tests and conversion"},
    {"F16", 1, F16, F16, {}, "half precision"},
    {"BF16", 32, BF16, BF16, {}, "brain float: the range of F32"},
    {"Q8_0", 7, Q8_0, Q8_0, {}, "practically lossless"},
    {"Q6_K", 18, Q6_K, Q6_K, {}, "hard to tell from Q8_0"},
    {"Q5_K_M", 17, Q5_K, Q6_K, kQ5KM, "very good"},
    {"Q5_K_S", 16, Q5_K, Q6_K, {}, "very good"},
    {"Q5_1", 9, Q5_1, Q6_K, {}, "for engines without K types"},
    {"Q5_0", 8, Q5_0, Q6_K, {}, "for engines without K types"},
    {"Q4_K_M", 15, Q4_K, Q6_K, kQ4KM, "the usual choice"},
    {"Q4_K_S", 14, Q4_K, Q6_K, kQ4KS, "a little smaller"},
    {"Q4_1", 3, Q4_1, Q6_K, {}, "for engines without K types"},
    {"IQ4_NL", 25, IQ4_NL, Q6_K, kIQ4, "Q4_K's quality for rows that are no multiple of 256"},
    {"Q4_0", 2, Q4_0, Q6_K, {}, "simple and fast"},
    {"IQ4_XS", 30, IQ4_XS, Q6_K, kIQ4, "the smallest good one"},
    {"MXFP4", 38, MXFP4, Q8_0, kMXFP4, "4-bit floats"},
    {"MXFP4_MOE", 38, Q8_0, Q8_0, kMXFP4Moe, "experts in 4-bit floats, the rest Q8_0"},
    {"Q3_K_L", 13, Q3_K, Q6_K, kQ3KL, "when memory is short"},
    {"Q3_K_M", 12, Q3_K, Q6_K, kQ3KM, "when memory is short"},
    {"Q3_K_S", 11, Q3_K, Q6_K, kQ3KS, "loses noticeably"},
    {"Q2_K", 10, Q2_K, Q6_K, kQ2K, "loses much; a smaller model may be better"},
};

/// What takes the place of a type whose block does not divide the row; F16 where that does not fit
/// either, or where no other type is listed.
struct Fallback {
  QuantType wanted;
  QuantType instead;
};
constexpr Fallback kFallbacks[] = {
    {Q2_K, Q4_0}, {Q3_K, Q4_0}, {Q4_K, Q5_0}, {Q5_K, Q5_1}, {Q6_K, Q8_0}, {IQ4_XS, IQ4_NL},
};

// --- What tensors are, by their names ----------------------------------------------------------

struct RoleName {
  std::string_view part;  // of the tensor's name
  TensorRole role;
};
constexpr RoleName kRoleNames[] = {
    {"attn_qkv.weight", kAttnV}, {"attn_kv_b.weight", kAttnV},        {"attn_v.weight", kAttnV},
    {"attn_k.weight", kAttnK},   {"attn_output.weight", kAttnOutput}, {"ffn_down", kFfnDown},
};

/// Matrices that stay as they are although their names end in "weight": small ones, and those in
/// which a small error has a large effect. Parts of names.
constexpr std::string_view kKeptNames[] = {
    "_norm.weight",
    "ffn_gate_inp.weight",  // which expert
    "position_embd",
    "token_types.weight",
    "attn_rel_b.weight",  // relative position bias
    "ssm_conv1d",
    "shortconv.conv.weight",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    "time_mix_first.weight",
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    ".patch_embd",
    ".patch_merger",
    ".rel_pos",
};

constexpr std::string_view kOutputName = "output.weight";
constexpr std::string_view kEmbeddingNames[] = {"token_embd.weight", "per_layer_token_embd.weight"};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TensorRole role_of(std::string_view name, bool tied) {
  if (name == kOutputName) return kOutput;
  if (std::ranges::find(kEmbeddingNames, name) != std::end(kEmbeddingNames)) {
    return tied ? kOutput : kEmbedding;
  }
  for (const RoleName& row : kRoleNames) {
    if (contains(name, row.part)) return row.role;
  }
  return kOther;
}

bool is_quantisable(const gguf::Tensor& tensor) {
  return tensor.rows() > 1 && quant_type_info(tensor.type).is_weight &&
         tensor.name.ends_with("weight") &&
         std::ranges::none_of(kKeptNames, [&](auto part) { return contains(tensor.name, part); });
}

/// The number in "blk.12.attn_v.weight"; -1 for a tensor that belongs to no layer.
std::int64_t layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return -1;
  std::int64_t layer = -1;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  return layer;
}

/// Where a tensor stands among its like: conditions on depth look at it.
struct Position {
  std::int64_t index;
  std::int64_t count;
};

/// The attn_v tensors in the order of their layers: models that mix attention with other blocks do
/// not have one in every layer, so it is their own number that counts.
std::vector<std::string_view> attn_v_in_order(std::span<const gguf::Tensor> tensors) {
  std::vector<std::string_view> names;
  for (const gguf::Tensor& tensor : tensors) {
    if (role_of(tensor.name, false) == kAttnV) names.push_back(tensor.name);
  }
  std::ranges::sort(names, {},
                    [](std::string_view name) { return std::pair(layer_of(name), name); });
  return names;
}

bool applies(When when, const gguf::Tensor& tensor, const Position& at, const MixModel& model) {
  const bool shares_kv = model.n_head_kv > 0 && model.n_head != model.n_head_kv;
  switch (when) {
    case kAlways:
      return true;
    case kMoreBits:
      return at.index < at.count / 8 || at.index >= 7 * at.count / 8 ||
             (at.index - at.count / 8) % 3 == 2;
    case kFirstTwo:
      return at.index < 2;
    case kFirstFour:
      return at.index < 4;
    case kFirstEighth:
      return at.index < at.count / 8;
    case kFirstSixteenth:
      return at.index < at.count / 16;
    case kSharedKv:
      return shares_kv && model.n_head / model.n_head_kv >= 4;
    case kEightExperts:
      return model.n_expert == 8;
    case kEightyLayers:
      return model.n_layer == 80 && shares_kv;
    case kStacked:
      return tensor.dims[2] > 1;
  }
  return false;
}

QuantType type_by_rules(const gguf::Tensor& tensor, TensorRole role, const Position& at,
                        const MixModel& model, const Mix& mix) {
  if (role == kOutput) return mix.output;
  for (const auto rules : {std::span<const MixRule>(kCommonRules), mix.rules}) {
    for (const MixRule& rule : rules) {
      if (rule.role == role && applies(rule.when, tensor, at, model)) return rule.type;
    }
  }
  return mix.base;
}

bool fits(QuantType type, std::uint64_t columns) {
  return columns % quant_type_info(type).block_elements == 0;
}

PlannedType with_fallback(QuantType wanted, std::uint64_t columns) {
  if (fits(wanted, columns)) return {wanted, TypeReason::kMix};
  for (const Fallback& row : kFallbacks) {
    if (row.wanted == wanted && fits(row.instead, columns)) {
      return {row.instead, TypeReason::kFallback};
    }
  }
  return {F16, TypeReason::kFallback};
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// A count from the metadata; of an array (one number per layer) the first. 0 if absent.
std::uint64_t count_of(const gguf::Reader& reader, const std::string& key) {
  const gguf::Value* value = reader.find(key);
  if (!value) return 0;
  if (!value->is_array()) return value->as_uint();
  const std::vector<std::int64_t> all = value->as_ints();
  return all.empty() ? 0 : static_cast<std::uint64_t>(std::max<std::int64_t>(all.front(), 0));
}

}  // namespace

std::span<const Mix> all_mixes() {
  return kMixes;
}

const Mix* find_mix(std::string_view name) {
  const auto same = [&](const Mix& mix) {
    return std::ranges::equal(mix.name, name, {}, lower, lower);
  };
  const auto* found = std::ranges::find_if(kMixes, same);
  return found == std::end(kMixes) ? nullptr : found;
}

MixModel mix_model(const gguf::Reader& reader) {
  const gguf::Value* architecture = reader.find("general.architecture");
  if (!architecture) return {};
  const std::string prefix = std::string(architecture->as_string()) + ".";
  MixModel model;
  model.n_layer = count_of(reader, prefix + "block_count");
  model.n_head = count_of(reader, prefix + "attention.head_count");
  model.n_head_kv = count_of(reader, prefix + "attention.head_count_kv");
  model.n_expert = count_of(reader, prefix + "expert_count");
  return model;
}

std::vector<PlannedType> plan_types(std::span<const gguf::Tensor> tensors, const MixModel& model,
                                    const Mix& mix) {
  const bool tied = std::ranges::find(tensors, kOutputName, &gguf::Tensor::name) == tensors.end();
  const bool is_float = quant_type_info(mix.base).block_elements == 1;
  const std::vector<std::string_view> attn_v = attn_v_in_order(tensors);
  std::vector<PlannedType> plan;
  plan.reserve(tensors.size());
  for (const gguf::Tensor& tensor : tensors) {
    if (!is_quantisable(tensor)) {
      plan.push_back({tensor.type, TypeReason::kKept});
      continue;
    }
    if (is_float) {
      plan.push_back({mix.base, TypeReason::kMix});
      continue;
    }
    const TensorRole role = role_of(tensor.name, tied);
    Position at = {layer_of(tensor.name), static_cast<std::int64_t>(model.n_layer)};
    if (role == kAttnV) {
      at = {std::ranges::find(attn_v, tensor.name) - attn_v.begin(),
            static_cast<std::int64_t>(attn_v.size())};
    }
    const QuantType wanted = type_by_rules(tensor, role, at, model, mix);
    plan.push_back(with_fallback(wanted, tensor.columns()));
  }
  return plan;
}

}  // namespace hearth
