// The weights of a model, in the hands of its devices. Fields bear the GGUF tensor names; a part
// that the file does not have is empty.
#pragma once

#include <memory>
#include <vector>

#include "engine/device/device.h"

namespace hearth {

/// A small float tensor: a bias, or the weight of a norm.
struct Vector {
  std::unique_ptr<Buffer> buffer = {};
  std::string name = {};
  int rows = 0;
  int columns = 0;

  explicit operator bool() const { return buffer != nullptr; }
  Tensor view() const {
    return {
        .buffer = buffer.get(), .rows = rows, .columns = columns, .stride = columns, .name = name};
  }
};

struct Norm {
  Vector weight;
  Vector bias;

  explicit operator bool() const { return static_cast<bool>(weight); }
};

/// y = scale * (x times weight transposed) + bias
struct Linear {
  std::unique_ptr<Matrix> weight;  // [outputs][inputs]
  Vector bias;                     // [outputs]
  float scale = 1.0F;

  explicit operator bool() const { return weight != nullptr; }
};

/// Values that the host reads, such as the factors of rope frequencies.
using HostVector = std::vector<float>;

struct LayerWeights {
  Norm attn_norm, attn_norm_2;                 // before attention
  Linear attn_q, attn_k, attn_v;               // [n_q|n_k|n_v][n_embd], or …
  Linear attn_qkv;                             // … [n_q + n_k + n_v][n_embd]
  Norm attn_q_norm, attn_k_norm;               // per head, or over the row
  Linear attn_output;                          // [n_embd][n_head * head_dim_v]
  Norm post_attention_norm, attn_output_norm;  // of the branch; after it has been added
  Norm ffn_norm;                               // before the feed-forward
  Linear ffn_gate, ffn_up;                     // [n_ff][n_embd]; up alone: [2 n_ff][n_embd]
  Linear ffn_down;                             // [n_embd][n_ff]
  Norm post_ffw_norm, layer_output_norm;       // of the branch; after it has been added
  Linear ffn_gate_inp;                         // router [n_expert][n_embd]
  Linear ffn_gate_exps, ffn_up_exps;           // [n_expert][n_ff_expert][n_embd]
  Linear ffn_down_exps;                        // [n_expert][n_embd][n_ff_expert]
  Linear ffn_gate_inp_shexp;                   // [1][n_embd]
  Linear ffn_gate_shexp, ffn_up_shexp;         // [n_ff_shared_expert][n_embd]
  Linear ffn_down_shexp;                       // [n_embd][n_ff_shared_expert]
};

struct ModelWeights {
  Linear token_embd;     // [n_vocab][n_embd]
  Linear position_embd;  // [n_ctx_train][n_embd]
  Linear token_types;    // [n_token_types][n_embd]
  Norm token_embd_norm;
  Norm output_norm;
  Linear output;          // [n_vocab][n_embd]; token_embd again if tied
  HostVector rope_freqs;  // [n_rot / 2], divisors of the frequencies
  HostVector rope_factors_long, rope_factors_short;
  HostVector attn_rel_b;  // [n_rel_buckets][n_head], for every layer
  std::vector<LayerWeights> layers;
};

}  // namespace hearth
