// A second forward pass, in double, over whole sequences, without a cache, devices or a table of
// families: the formulas of the papers once more, so that the engine has something to be compared
// with. What a model does is said by the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "gguf/reader.h"

namespace hearth::test {

struct PlainModel {
  enum class Norm { rms, layer };
  enum class Block { sequential, parallel };
  enum class Positions { interleaved, halves, learned, alibi };

  int n_layer = 3;
  int n_head = 4;
  int n_head_kv = 2;
  int n_rot = 8;
  int n_experts_used = 0;
  Norm norm = Norm::rms;
  double eps = 1e-5F;
  Block block = Block::sequential;
  Positions positions = Positions::interleaved;
  double rope_base = 10000.0;
  bool norm_heads_after_rope = false;
  bool experts_sum_to_one = true;
  double embedding_scale = 1.0;
  double residual_scale = 1.0;
  double logit_scale = 1.0;
  double attention_scale = 0.0;                   // 0: 1 / sqrt(head size)
  std::function<double(double)> activation = {};  // without one: silu
  std::function<bool(int layer)> rotates = {};    // without one: every layer
  std::function<int(int layer)> window = {};      // without one: no windows
};

/// Logits of every position, [n_tokens][n_vocab]. Tensors are looked up by their GGUF names; those
/// that the file does not have are not used.
std::vector<double> plain_logits(const gguf::Reader& file, const PlainModel& model,
                                 const std::vector<std::int32_t>& tokens);

}  // namespace hearth::test
