#include "engine/model/tensor_rules.h"

#include <fmt/format.h>

namespace hearth {
namespace {

/// A size that depends on the model.
enum class Dim : std::uint8_t {
  one,
  n_embd,
  n_vocab,
  n_ctx_train,
  n_token_types,
  n_rot_half,
  n_head,
  n_rel_buckets,
  n_q,
  n_k,
  n_v,
  n_qkv,
  n_attn_out,
  q_norm_columns,
  q_norm_rows,
  k_norm_columns,
  k_norm_rows,
  n_ff,
  n_up,  // n_ff, or twice that where gate and up are one matrix
  n_expert,
  n_ff_expert,
  n_ff_shared_expert,
};

/// What makes a tensor required.
enum class When : std::uint8_t {
  always,
  optional,
  norm_before,      // by the row's norm_place …
  norm_before_ffn,  // … but a parallel block may share its norm
  norm_of_branch,
  norm_after_residual,
  causal,  // decoders; encoders end without it
  qk_norm,
  gated,  // unless gate and up are one matrix
  learned_positions,
  token_types,
  relative_bias,
  experts,
  shared_experts,
};

template <class Owner>
struct Rule {
  std::string_view stem;
  std::array<Dim, 3> shape;  // fastest first: inputs, outputs, how many such matrices
  When when;
  std::string_view unless;  // not required where the layer has this one
  decltype(TensorSpec::field) field;
};

using enum Dim;
using L = LayerWeights;
using M = ModelWeights;

const Rule<M> kModelRules[] = {
    {"token_embd", {n_embd, n_vocab, one}, When::always, "", &M::token_embd},
    {"position_embd", {n_embd, n_ctx_train, one}, When::learned_positions, "", &M::position_embd},
    {"token_types", {n_embd, n_token_types, one}, When::token_types, "", &M::token_types},
    {"token_embd_norm", {n_embd, one, one}, When::norm_after_residual, "", &M::token_embd_norm},
    {"output_norm", {n_embd, one, one}, When::causal, "", &M::output_norm},
    {"output", {n_embd, n_vocab, one}, When::optional, "", &M::output},
    {"rope_freqs", {n_rot_half, one, one}, When::optional, "", &M::rope_freqs},
    {"rope_factors_long", {n_rot_half, one, one}, When::optional, "", &M::rope_factors_long},
    {"rope_factors_short", {n_rot_half, one, one}, When::optional, "", &M::rope_factors_short},
    {"attn_rel_b", {n_head, n_rel_buckets, one}, When::relative_bias, "", &M::attn_rel_b},
};

const Rule<L> kLayerRules[] = {
    {"attn_norm", {n_embd, one, one}, When::norm_before, "", &L::attn_norm},
    {"attn_norm_2", {n_embd, one, one}, When::optional, "", &L::attn_norm_2},
    {"attn_qkv", {n_embd, n_qkv, one}, When::optional, "", &L::attn_qkv},
    {"attn_q", {n_embd, n_q, one}, When::always, "attn_qkv", &L::attn_q},
    {"attn_k", {n_embd, n_k, one}, When::always, "attn_qkv", &L::attn_k},
    {"attn_v", {n_embd, n_v, one}, When::always, "attn_qkv", &L::attn_v},
    {"attn_q_norm", {q_norm_columns, q_norm_rows, one}, When::qk_norm, "", &L::attn_q_norm},
    {"attn_k_norm", {k_norm_columns, k_norm_rows, one}, When::qk_norm, "", &L::attn_k_norm},
    {"attn_output", {n_attn_out, n_embd, one}, When::always, "", &L::attn_output},
    {"post_attention_norm", {n_embd, one, one}, When::norm_of_branch, "", &L::post_attention_norm},
    {"attn_output_norm", {n_embd, one, one}, When::norm_after_residual, "", &L::attn_output_norm},
    {"ffn_norm", {n_embd, one, one}, When::norm_before_ffn, "", &L::ffn_norm},
    {"ffn_gate", {n_embd, n_ff, one}, When::gated, "ffn_gate_inp", &L::ffn_gate},
    {"ffn_up", {n_embd, n_up, one}, When::always, "ffn_gate_inp", &L::ffn_up},
    {"ffn_down", {n_ff, n_embd, one}, When::always, "ffn_gate_inp", &L::ffn_down},
    {"post_ffw_norm", {n_embd, one, one}, When::norm_of_branch, "", &L::post_ffw_norm},
    {"layer_output_norm", {n_embd, one, one}, When::norm_after_residual, "", &L::layer_output_norm},
    {"ffn_gate_inp", {n_embd, n_expert, one}, When::experts, "ffn_up", &L::ffn_gate_inp},
    {"ffn_gate_exps", {n_embd, n_ff_expert, n_expert}, When::experts, "ffn_up", &L::ffn_gate_exps},
    {"ffn_up_exps", {n_embd, n_ff_expert, n_expert}, When::experts, "ffn_up", &L::ffn_up_exps},
    {"ffn_down_exps", {n_ff_expert, n_embd, n_expert}, When::experts, "ffn_up", &L::ffn_down_exps},
    {"ffn_gate_inp_shexp", {n_embd, one, one}, When::optional, "", &L::ffn_gate_inp_shexp},
    {"ffn_gate_shexp",
     {n_embd, n_ff_shared_expert, one},
     When::shared_experts,
     "ffn_up",
     &L::ffn_gate_shexp},
    {"ffn_up_shexp",
     {n_embd, n_ff_shared_expert, one},
     When::shared_experts,
     "ffn_up",
     &L::ffn_up_shexp},
    {"ffn_down_shexp",
     {n_ff_shared_expert, n_embd, one},
     When::shared_experts,
     "ffn_up",
     &L::ffn_down_shexp},
};

/// Evaluates rules for one layer (or for the whole model: layer -1).
class Resolver {
 public:
  Resolver(const Family& family, const HParams& hparams, const FindDims& find, int layer)
      : family_(family), hparams_(hparams), find_(find), il_(layer) {}

  std::string name(std::string_view stem, std::string_view part) const {
    return il_ < 0 ? fmt::format("{}.{}", stem, part)
                   : fmt::format("blk.{}.{}.{}", il_, stem, part);
  }

  std::optional<Dims> find(std::string_view stem) const { return find_(name(stem, "weight")); }

  std::uint64_t size(Dim dim) const;
  bool required(When when) const;

  template <class Owner>
  void append(const Rule<Owner>& rule, std::vector<TensorSpec>& specs) const;

 private:
  const LayerHParams& layer() const { return hparams_.layers[static_cast<std::size_t>(il_)]; }

  bool gate_is_in_up() const {
    const std::optional<Dims> up = find("ffn_up");
    return family_.feed_forward == FeedForward::gated && !find("ffn_gate") && up &&
           (*up)[1] == 2 * static_cast<std::uint64_t>(layer().n_ff);
  }

  bool has_scale(std::string_view stem) const {
    if (stem.ends_with("_exps")) return false;  // one per expert: of a quant type we do not have
    return family_.scale_tensors == ScaleTensors::all || !stem.starts_with("ffn");
  }

  /// A head's width, or the whole row's where the family or the tensor says so.
  int qk_norm_columns(std::string_view stem, int row) const {
    const std::optional<Dims> found = find(stem);
    const bool whole =
        family_.qk_norm == QkNorm::whole_row || (family_.qk_norm == QkNorm::as_found && found &&
                                                 (*found)[0] == static_cast<std::uint64_t>(row));
    return whole ? row : hparams_.head_dim_k;
  }

  /// One weight for all heads, or a row for each.
  int qk_norm_rows(std::string_view stem, int n_head) const {
    const std::optional<Dims> found = find(stem);
    const bool each = found && (*found)[1] == static_cast<std::uint64_t>(n_head) && (*found)[1] > 1;
    return each ? n_head : 1;
  }

  const Family& family_;
  const HParams& hparams_;
  const FindDims& find_;
  int il_;
};

std::uint64_t Resolver::size(Dim dim) const {
  const HParams& h = hparams_;
  const auto of = [&]() -> int {
    switch (dim) {
      case one:
        return 1;
      case n_embd:
        return h.n_embd;
      case n_vocab:
        return h.n_vocab;
      case n_ctx_train:
        return h.n_ctx_train;
      case n_token_types:
        return h.n_token_types;
      case n_rot_half:
        return h.n_rot / 2;
      case n_head:
        return h.layers.front().n_head;
      case n_rel_buckets:
        return h.n_rel_buckets;
      case n_q:
        return h.n_q(layer());
      case n_k:
        return h.n_k(layer());
      case n_v:
        return h.n_v(layer());
      case n_qkv:
        return h.n_q(layer()) + h.n_k(layer()) + h.n_v(layer());
      case n_attn_out:
        return h.n_attn_out(layer());
      case q_norm_columns:
        return qk_norm_columns("attn_q_norm", h.n_q(layer()));
      case q_norm_rows:
        return qk_norm_rows("attn_q_norm", layer().n_head);
      case k_norm_columns:
        return qk_norm_columns("attn_k_norm", h.n_k(layer()));
      case k_norm_rows:
        return qk_norm_rows("attn_k_norm", layer().n_head_kv);
      case n_ff:
        return layer().n_ff;
      case n_up:
        return gate_is_in_up() ? 2 * layer().n_ff : layer().n_ff;
      case n_expert:
        return h.n_expert;
      case n_ff_expert:
        return h.n_ff_expert;
      case n_ff_shared_expert:
        return h.n_ff_shared_expert;
    }
    return 0;
  };
  return static_cast<std::uint64_t>(of());
}

bool Resolver::required(When when) const {
  const NormPlace place = family_.norm_place;
  const bool before = place == NormPlace::before || place == NormPlace::before_and_after;
  switch (when) {
    case When::always:
      return true;
    case When::optional:
      return false;
    case When::norm_before:
      return before;
    case When::norm_before_ffn:
      return before && !hparams_.parallel_residual &&
             family_.residual != Residual::parallel_without_ffn_norm;
    case When::norm_of_branch:
      return place == NormPlace::after || place == NormPlace::before_and_after;
    case When::norm_after_residual:
      return place == NormPlace::after_residual;
    case When::causal:
      return family_.causal;
    case When::qk_norm:
      return family_.qk_norm != QkNorm::as_found;
    case When::gated:
      return family_.feed_forward == FeedForward::gated && !gate_is_in_up();
    case When::learned_positions:
      return family_.position == Position::learned;
    case When::token_types:
      return hparams_.n_token_types > 0;
    case When::relative_bias:
      return hparams_.n_rel_buckets > 0;
    case When::experts:
      return hparams_.n_expert > 0;
    case When::shared_experts:
      return hparams_.n_ff_shared_expert > 0;
  }
  return false;
}

template <class Owner>
void Resolver::append(const Rule<Owner>& rule, std::vector<TensorSpec>& specs) const {
  const bool replaced = !rule.unless.empty() && find(rule.unless);
  TensorSpec weight{.name = name(rule.stem, "weight"),
                    .dims = {size(rule.shape[0]), size(rule.shape[1]), size(rule.shape[2])},
                    .required = required(rule.when) && !replaced,
                    .part = TensorPart::weight,
                    .layer = il_,
                    .field = rule.field};
  if (weight.dims[0] == 0 || weight.dims[1] == 0 || weight.dims[2] == 0) return;  // no such part
  specs.push_back(weight);
  if (std::holds_alternative<HostVector M::*>(rule.field)) return;
  const bool is_norm = std::holds_alternative<Norm L::*>(rule.field) ||
                       std::holds_alternative<Norm M::*>(rule.field);
  const bool is_qk_norm = rule.when == When::qk_norm;
  TensorSpec bias = weight;
  bias.name = name(rule.stem, "bias");
  bias.part = TensorPart::bias;
  if (!is_norm) bias.dims = {weight.dims[1], weight.dims[2], 1};
  bias.required = (weight.required || find(rule.stem)) && !is_qk_norm &&
                  (is_norm ? family_.biases != Biases::as_found
                           : family_.biases == Biases::everywhere && il_ >= 0);
  specs.push_back(bias);
  if (is_norm || !has_scale(rule.stem)) return;
  TensorSpec scale = weight;
  scale.name = name(rule.stem, "scale");
  scale.part = TensorPart::scale;
  scale.dims = {1, 1, 1};
  scale.required = false;
  specs.push_back(scale);
}

}  // namespace

std::vector<TensorSpec> tensor_specs(const Family& family, const HParams& hparams,
                                     const FindDims& find) {
  std::vector<TensorSpec> specs;
  const Resolver whole(family, hparams, find, -1);
  for (const Rule<M>& rule : kModelRules) whole.append(rule, specs);
  for (int il = 0; il < hparams.n_layer; ++il) {
    const Resolver layer(family, hparams, find, il);
    for (const Rule<L>& rule : kLayerRules) layer.append(rule, specs);
  }
  return specs;
}

std::string describe(const Dims& dims) {
  if (dims[2] > 1) return fmt::format("[{}, {}, {}]", dims[2], dims[1], dims[0]);
  if (dims[1] > 1) return fmt::format("[{}, {}]", dims[1], dims[0]);
  return fmt::format("[{}]", dims[0]);
}

}  // namespace hearth
