// Which tensor of a model gets which quant type. A mix ("Q4_K_M") is a base type and a list of
// rules that give more bits to the tensors that need them. The mixes are those of llama.cpp, so
// that a file made here has the types that people know under that name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gguf/reader.h"
#include "kernels/quant_types.h"

namespace hearth {

/// What a tensor is for, as far as its bits are concerned; recognised by its name.
enum class TensorRole {
  kOutput,     // output.weight, and the embedding where there is none: they share it
  kEmbedding,  // token_embd.weight beside an output.weight
  kAttnV,      // attn_v, attn_qkv, attn_kv_b: the most sensitive matrices of a layer
  kAttnK,
  kAttnOutput,
  kFfnDown,
  kOther,
};

/// When a rule applies, besides the role.
enum class When {
  kAlways,
  kMoreBits,  // first and last eighth of the layers, and every third between
  kFirstTwo,  // of the tensors of this role
  kFirstFour,
  kFirstEighth,     // layers below n_layer / 8
  kFirstSixteenth,  // layers below n_layer / 16
  kSharedKv,        // at least four heads share a key-value head: attn_v is small
  kEightExperts,    // exactly eight experts (Mixtral): the attention is small beside them
  kEightyLayers,    // a model of 80 layers whose heads share key-value heads (Llama 70B)
  kStacked,         // the tensor has three dimensions: one matrix per expert
};

struct MixRule {
  TensorRole role;
  When when;
  QuantType type;
};

struct Mix {
  std::string_view name;           // as the user types it
  std::uint32_t file_type;         // what general.file_type says (llama.cpp's numbers)
  QuantType base;                  // of every tensor that no rule names
  QuantType output;                // of the output matrix
  std::span<const MixRule> rules;  // the first one that applies wins
  std::string_view hint;           // for the help text
};

/// All mixes, the largest files first.
std::span<const Mix> all_mixes();

/// The mix with this name (any letter case), or nullptr.
const Mix* find_mix(std::string_view name);

/// Why a tensor has the type that it gets.
enum class TypeReason {
  kMix,       // the mix says so
  kKept,      // it is not quantised: one dimension, a norm, not a weight …
  kFallback,  // its rows are no multiple of the block of the type that the mix wants
};

struct PlannedType {
  QuantType type;
  TypeReason reason;
};

/// What the rules ask of the model as a whole; from the metadata.
struct MixModel {
  std::uint64_t n_layer = 0;
  std::uint64_t n_head = 0;
  std::uint64_t n_head_kv = 0;
  std::uint64_t n_expert = 0;
};
MixModel mix_model(const gguf::Reader& reader);

/// The type of every tensor, in the order of `tensors`. A pure function of names, shapes and types.
std::vector<PlannedType> plan_types(std::span<const gguf::Tensor> tensors, const MixModel& model,
                                    const Mix& mix);

}  // namespace hearth
