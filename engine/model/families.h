// The model families: one row each, with what a GGUF file cannot say about itself. Numbers come
// from the file's metadata, optional parts from the presence of its tensors. No other file knows a
// family's name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/device/device.h"

namespace hearth {

struct HParams;

enum class NormKind : std::uint8_t { rms, layer };

/// Where a branch (attention, feed-forward) of a block is normalised. Says which norm tensors a
/// file must have; the walk follows those that it has.
enum class NormPlace : std::uint8_t {
  before,            // x + f(norm(x))
  before_and_after,  // x + norm(f(norm(x)))
  after,             // x + norm(f(x))
  after_residual,    // norm(x + f(x))
};

/// How the two branches of a block are joined.
enum class Residual : std::uint8_t {
  sequential,                 // x += attention(x); x += feed_forward(x)
  parallel,                   // x + attention(x) + feed_forward(x)
  key_says,                   // parallel if use_parallel_residual
  parallel_without_ffn_norm,  // layers without a norm of their own before the feed-forward
};

enum class Position : std::uint8_t { rope_interleaved, rope_halves, learned, alibi };

/// Layers that rotate; the others know no positions. Windowed: all of them in a model without
/// windows. Key says: all, unless rope.scaling.finetuned is false.
enum class RopeLayers : std::uint8_t { all, windowed, three_of_four, key_says };

/// Layers that see only a window of the attention.sliding_window last tokens, where the file says
/// nothing of the pattern.
enum class Windows : std::uint8_t {
  none,
  all_layers,
  one_of_two,     // layers 0, 2, 4 …
  three_of_four,  // all but layers 3, 7, 11 …
  five_of_six,
};

/// Matrices whose factor, the tensor NAME.scale beside NAME.weight, counts. Most families' files
/// were made for programs that read those of attention only.
enum class ScaleTensors : std::uint8_t { of_attention, all };

enum class FeedForward : std::uint8_t { gated, plain };

enum class Biases : std::uint8_t {
  as_found,
  everywhere,  // every matrix of a block and every norm must have one
  norms,       // every norm must have one
};

/// Norms of queries and keys. As found: per head or over the whole row, as the tensors' shapes say.
enum class QkNorm : std::uint8_t { as_found, per_head, whole_row, per_head_after_rope };

/// How windowed layers rotate: like the others, or without their scaling, from a base of their own
/// where the key rope.freq_base_swa gives one.
enum class LocalRope : std::uint8_t { as_global, unscaled, unscaled_base_10000 };

/// Weights of the experts chosen for a token.
enum class ExpertWeights : std::uint8_t { sum_to_one, as_they_are, key_says };

enum class EmbeddingScale : std::uint8_t { none, sqrt_n_embd };

/// Which of the keys attn_logit_softcapping and final_logit_softcapping count.
enum class Softcaps : std::uint8_t { none, final_logits, attention_and_final };

/// What the key logit_scale does.
enum class LogitScale : std::uint8_t { none, multiply, divide };

/// Factor of q . k when the file has no attention.scale.
using AttentionScaleRule = float (*)(const HParams&);
float one_over_sqrt_head_dim(const HParams& hparams);

struct Family {
  std::string_view name;  // general.architecture
  NormKind norm = NormKind::rms;
  NormPlace norm_place = NormPlace::before;
  Residual residual = Residual::sequential;
  Position position = Position::rope_interleaved;
  RopeLayers rope_layers = RopeLayers::all;
  Windows windows = Windows::none;
  LocalRope local_rope = LocalRope::as_global;
  FeedForward feed_forward = FeedForward::gated;
  Activation activation = Activation::silu;
  Biases biases = Biases::as_found;
  QkNorm qk_norm = QkNorm::as_found;
  EmbeddingScale embedding_scale = EmbeddingScale::none;
  AttentionScaleRule attention_scale = one_over_sqrt_head_dim;
  Softcaps softcaps = Softcaps::none;
  LogitScale logit_scale = LogitScale::none;
  ScaleTensors scale_tensors = ScaleTensors::of_attention;
  ExpertWeights expert_weights = ExpertWeights::sum_to_one;
  bool causal = true;  // false: an encoder, whose result is a pooled embedding
};

std::span<const Family> all_families();

/// The row for this general.architecture, or nullptr.
const Family* find_family(std::string_view name);

}  // namespace hearth
