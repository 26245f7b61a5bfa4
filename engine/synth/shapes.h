// The shapes of published models: the numbers of their configuration files, without their weights.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hearth {

/// How the made-up vocabulary of a shape is written; its texts are bytes in every kind.
enum class SynthVocab : std::uint8_t { bpe, sentencepiece, wordpiece };

/// A number that only some families have: "{family}.suffix" = value, in the type that the table of
/// metadata keys gives it.
struct ShapeKey {
  std::string_view suffix;
  double value;
};

struct Shape {
  std::string_view name;    // as the user types it
  std::string_view family;  // general.architecture
  int n_layer;
  int n_embd;
  int n_head;
  int n_head_kv;
  int head_dim = 0;  // 0: n_embd / n_head
  int n_ff;
  int n_vocab;
  int n_ctx;
  double norm_eps;
  double rope_base = 0.0;  // 0: positions are not rotated
  bool tied = false;       // the embedding is the head
  bool fused_gate_up = false;
  SynthVocab vocab = SynthVocab::bpe;
  int n_token_types = 0;                             // of an encoder that has a table of them
  std::string_view pre = {};                         // tokenizer.ggml.pre
  std::span<const ShapeKey> keys = {};               // further metadata
  std::span<const std::string_view> optionals = {};  // tensors that the family may leave out
};

std::span<const Shape> all_shapes();

/// The shape with this name, or nullptr.
const Shape* find_shape(std::string_view name);

}  // namespace hearth
