// The numbers of one model, read from its metadata and checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/families.h"
#include "gguf/reader.h"

namespace hearth {

enum class RopeScaling : std::uint8_t { none, linear, yarn };

enum class Pooling : std::uint8_t { none, mean, cls, last };

/// What may differ from layer to layer.
struct LayerHParams {
  int n_head = 0;
  int n_head_kv = 0;
  int n_ff = 0;
  int window = 0;  // 0: sees everything before it
  bool has_rope = true;
};

struct HParams {
  int n_vocab = 0;
  int n_ctx_train = 0;
  int n_embd = 0;
  int n_layer = 0;
  int head_dim_k = 0;
  int head_dim_v = 0;
  int n_token_types = 0;
  std::vector<LayerHParams> layers;  // [n_layer]

  float norm_eps = 0.0F;
  bool parallel_residual = false;
  bool causal = true;
  Pooling pooling = Pooling::none;

  int n_rot = 0;  // dimensions of a head that rotate
  double rope_base = 10000.0;
  double rope_base_local = 10000.0;  // of windowed layers
  RopeScaling rope_scaling = RopeScaling::none;
  double rope_factor = 1.0;  // the context is stretched by this factor
  double rope_attn_factor = 1.0;
  int rope_original_ctx = 0;  // context before stretching
  double yarn_beta_fast = 32.0;
  double yarn_beta_slow = 1.0;
  double yarn_log_multiplier = 0.0;
  double yarn_ext_factor = 1.0;

  int n_rel_buckets = 0;  // of a relative position bias; 0: none
  int rel_max_distance = 0;

  float attention_scale = 0.0F;
  float max_alibi_bias = 0.0F;
  float attn_softcap = 0.0F;  // 0: none, here and below
  float final_softcap = 0.0F;
  float embedding_scale = 1.0F;
  float residual_scale = 1.0F;
  float logit_scale = 1.0F;

  int n_expert = 0;
  int n_expert_used = 0;
  int n_ff_expert = 0;
  int n_ff_shared_expert = 0;
  bool expert_weights_norm = false;
  bool expert_sigmoid = false;
  float expert_weights_scale = 1.0F;

  int n_q(const LayerHParams& layer) const { return layer.n_head * head_dim_k; }
  int n_k(const LayerHParams& layer) const { return layer.n_head_kv * head_dim_k; }
  int n_v(const LayerHParams& layer) const { return layer.n_head_kv * head_dim_v; }
  int n_attn_out(const LayerHParams& layer) const { return layer.n_head * head_dim_v; }
};

/// The row of the file's general.architecture. Throws Error on an unknown one, naming the known.
const Family& family_of(const gguf::Reader& file);

/// Reads and checks. Throws one Error that lists every number that is missing or impossible.
HParams read_hparams(const gguf::Reader& file, const Family& family);

}  // namespace hearth
