// Small GGUF models with random weights, made from the engine's own tensor rules: one of any
// family, with any part spoiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tensor_rules.h"
#include "gguf/writer.h"

namespace hearth::test {

struct ToyOptions {
  std::string family = "llama";
  int n_layer = 3;
  int n_embd = 32;
  int n_head = 4;
  int n_head_kv = 2;
  int n_ff = 48;
  int n_vocab = 64;
  int n_ctx = 64;
  std::uint64_t seed = 1;
  /// Of the matrices whose rows are made of whole blocks of it; the others are F32.
  QuantType type = QuantType::F32;

  /// Optional tensors to have, by stem and part: "output.weight", "attn_qkv.weight", "attn_q.bias".
  std::set<std::string> with = {};
  /// Required tensors to leave out, by full name.
  std::set<std::string> without = {};
  /// Sizes to get wrong, by full name.
  std::map<std::string, Dims> misshapen = {};
  /// Last word on the metadata; keys are "family.…".
  std::function<void(gguf::Writer&)> metadata = {};
};

/// Those of a family, which may need some things that a plain toy does not have.
ToyOptions toy_of(const Family& family);

/// The bytes of the file.
std::vector<std::byte> toy_model(const ToyOptions& options);

}  // namespace hearth::test
