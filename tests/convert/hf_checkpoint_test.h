// Checkpoints whose every tensor is known by its elements, for tests of what becomes of each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/convert/convert.h"
#include "gguf/reader.h"
#include "tests/support/checkpoint_builder.h"
#include "tests/support/temp_dir.h"

namespace hearth::test {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// The decoders here: two layers of width 32, four heads of 12 on two, 24 of the feed-forward net.
inline constexpr std::uint64_t kWidth = 32, kHeads = 4, kKvHeads = 2, kHead = 12, kFf = 24,
                               kVocab = 8;
inline constexpr std::uint64_t kQ = kHeads * kHead, kKv = kKvHeads * kHead;

/// Element [r][c] of tensor number `mark`: exact in float32 for marks, rows and columns below 64.
inline float element(std::uint64_t mark, std::uint64_t r, std::uint64_t c) {
  return static_cast<float>(mark) + static_cast<float>(r) / 64 + static_cast<float>(c) / 4096;
}

/// Rows 2 j and 2 j + 1 of a head are its rows j and j + half: neighbours rotate together in GGUF,
/// halves in the checkpoint.
inline float interleaved(std::uint64_t mark, std::uint64_t r, std::uint64_t c) {
  const std::uint64_t head = r / kHead, j = r % kHead / 2, second = r % 2;
  return element(mark, head * kHead + second * kHead / 2 + j, c);
}

inline float plus_one(std::uint64_t mark, std::uint64_t r, std::uint64_t c) {
  return element(mark, r, c) + 1.0F;
}

using Element = std::function<float(std::uint64_t mark, std::uint64_t r, std::uint64_t c)>;

/// What the result's tensor must be, as long as one of the checkpoint.
struct Expected {
  std::string name;
  std::uint64_t mark;
  std::uint64_t rows, columns;  // of the result; a vector has one row
  Element element;
};

class HfCheckpoint : public testing::Test {
 protected:
  /// Adds a tensor of the checkpoint, and says what becomes of it.
  void tensor(const std::string& from, const std::string& to, std::uint64_t rows,
              std::uint64_t columns, const Element& becomes = element) {
    const std::uint64_t mark = ++n_;
    std::string bytes;
    for (std::uint64_t r = 0; r < rows; ++r) {
      for (std::uint64_t c = 0; c < columns; ++c) {
        const float v = element(mark, r, c);
        bytes.append(reinterpret_cast<const char*>(&v), sizeof v);
      }
    }
    made_.add(from, {rows, columns}, "F32", bytes);
    expected_.push_back({to, mark, rows, columns, becomes});
  }

  void vector(const std::string& from, const std::string& to, std::uint64_t n,
              const Element& becomes = element) {
    const std::uint64_t mark = ++n_;
    std::string bytes;
    for (std::uint64_t c = 0; c < n; ++c) {
      const float v = element(mark, 0, c);
      bytes.append(reinterpret_cast<const char*>(&v), sizeof v);
    }
    made_.add(from, {n}, "F32", bytes);
    expected_.push_back({to, mark, 1, n, becomes});
  }

  static Json config(const std::string& type) {
    return {{"model_type", type},
            {"hidden_size", kWidth},
            {"num_hidden_layers", 2},
            {"num_attention_heads", kHeads},
            {"num_key_value_heads", kKvHeads},
            {"head_dim", kHead},
            {"intermediate_size", kFf},
            {"max_position_embeddings", 4096},
            {"rms_norm_eps", 1e-6},
            {"rope_theta", 500000.0},
            {"vocab_size", kVocab}};
  }

  std::string il(int layer, const std::string& from) const {
    return prefix_ + "layers." + std::to_string(layer) + "." + from;
  }
  static std::string blk(int layer, const std::string& to) {
    return "blk." + std::to_string(layer) + "." + to;
  }

  /// What all decoders with separate q, k and v have, whose rows become what the arguments say.
  void decoder(const Element& q = element, const Element& k = element,
               const Element& norm = element) {
    tensor(prefix_ + "embed_tokens.weight", "token_embd.weight", kVocab, kWidth);
    vector(prefix_ + "norm.weight", "output_norm.weight", kWidth, norm);
    for (const int i : {0, 1}) {
      tensor(il(i, "self_attn.q_proj.weight"), blk(i, "attn_q.weight"), kQ, kWidth, q);
      tensor(il(i, "self_attn.k_proj.weight"), blk(i, "attn_k.weight"), kKv, kWidth, k);
      tensor(il(i, "self_attn.v_proj.weight"), blk(i, "attn_v.weight"), kKv, kWidth);
      tensor(il(i, "self_attn.o_proj.weight"), blk(i, "attn_output.weight"), kWidth, kQ);
      vector(il(i, "input_layernorm.weight"), blk(i, "attn_norm.weight"), kWidth, norm);
      tensor(il(i, "mlp.gate_proj.weight"), blk(i, "ffn_gate.weight"), kFf, kWidth);
      tensor(il(i, "mlp.up_proj.weight"), blk(i, "ffn_up.weight"), kFf, kWidth);
      tensor(il(i, "mlp.down_proj.weight"), blk(i, "ffn_down.weight"), kWidth, kFf);
    }
  }

  void ffn_norms(const std::string& from, const std::string& to, const Element& norm = element) {
    for (const int i : {0, 1}) vector(il(i, from), blk(i, to), kWidth, norm);
  }

  /// A decoder whose norms stand before what they norm, as Llama's.
  void llama_decoder(const Element& q = element, const Element& k = element) {
    decoder(q, k);
    ffn_norms("post_attention_layernorm.weight", "ffn_norm.weight");
  }

  /// One that has norms behind, too, and stores them less one.
  void gemma_decoder() {
    decoder(element, element, plus_one);
    ffn_norms("post_attention_layernorm.weight", "post_attention_norm.weight", plus_one);
    ffn_norms("pre_feedforward_layernorm.weight", "ffn_norm.weight", plus_one);
    ffn_norms("post_feedforward_layernorm.weight", "post_ffw_norm.weight", plus_one);
  }

  /// Of queries and of keys.
  void head_norms(const Element& norm = element) {
    for (const int i : {0, 1}) {
      vector(il(i, "self_attn.q_norm.weight"), blk(i, "attn_q_norm.weight"), kHead, norm);
      vector(il(i, "self_attn.k_norm.weight"), blk(i, "attn_k_norm.weight"), kHead, norm);
    }
  }

  void byte_level_tokenizer() {
    made_.file("tokenizer.json",
               R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"ab":3},"merges":["a b"]}})");
  }

  void sentencepiece_tokenizer() {
    made_.file("tokenizer.model",
               sentencepiece_model({"<unk>", "a", "b", "c", "d", "e", "f", "g"}));
  }

  /// Converts, and compares every tensor.
  gguf::Reader convert(const Json& config) {
    made_.file("config.json", config.dump());
    made_.finish();
    report_ = convert_checkpoint(folder_, out_, {});
    gguf::Reader file = gguf::Reader::open(out_);
    for (const Expected& e : expected_) {
      SCOPED_TRACE(e.name);
      const gguf::Tensor* tensor = file.find_tensor(e.name);
      EXPECT_NE(tensor, nullptr);
      if (!tensor) continue;
      EXPECT_EQ(tensor->type, QuantType::F32);
      EXPECT_EQ(tensor->dims[0], e.columns);
      EXPECT_EQ(tensor->dims[1], e.rows);
      EXPECT_EQ(tensor->data.size(), e.rows * e.columns * sizeof(float));
      if (tensor->data.size() != e.rows * e.columns * sizeof(float)) continue;
      for (std::uint64_t i = 0; i < e.rows * e.columns; ++i) {
        float v;
        std::memcpy(&v, tensor->data.data() + i * sizeof v, sizeof v);
        const float wanted = e.element(e.mark, i / e.columns, i % e.columns);
        if (v == wanted) continue;
        ADD_FAILURE() << "element " << i << " is " << v << ", not " << wanted;
        break;
      }
    }
    EXPECT_EQ(file.tensors().size(), expected_.size() + n_more_);
    return file;
  }

  std::string error(const Json& config) {
    try {
      n_more_ = 0;
      convert(config);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  static double real(const gguf::Reader& file, const std::string& key) {
    return file.find(key) ? file.find(key)->as_float() : NAN;
  }
  static std::string text(const gguf::Reader& file, const std::string& key) {
    return file.find(key) ? std::string(file.find(key)->as_string()) : "none";
  }

  TempDir dir_;
  fs::path folder_ = dir_ / "checkpoint";
  fs::path out_ = dir_ / "out.gguf";
  CheckpointBuilder made_{folder_};
  std::string prefix_ = "model.";
  std::vector<Expected> expected_;
  CheckpointReport report_;
  std::uint64_t n_ = 0;
  std::size_t n_more_ = 0;  // tensors that the checkpoint does not have
};

}  // namespace hearth::test
