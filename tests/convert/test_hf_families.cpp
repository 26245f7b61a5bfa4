// Each family of checkpoints: where every tensor goes and what happens to it on the way, said here
// by hand. A tensor's elements tell its name, row and column, so that none can be taken for
// another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <numbers>

#include "tests/convert/hf_checkpoint_test.h"

namespace hearth {
namespace {

using namespace test;
using testing::HasSubstr;

class HfFamilies : public HfCheckpoint {};

float turned_over(std::uint64_t mark, std::uint64_t r, std::uint64_t c) {
  return element(mark, c, r);
}

TEST_F(HfFamilies, Llama) {
  llama_decoder(interleaved, interleaved);
  tensor("lm_head.weight", "output.weight", kVocab, kWidth);
  byte_level_tokenizer();
  const gguf::Reader file = convert(config("llama"));
  EXPECT_EQ(text(file, "general.architecture"), "llama");
  EXPECT_EQ(text(file, "tokenizer.ggml.pre"), "llama-bpe");
  EXPECT_EQ(real(file, "llama.attention.key_length"), kHead);
  EXPECT_EQ(real(file, "llama.rope.dimension_count"), kHead);
  EXPECT_EQ(real(file, "llama.rope.freq_base"), 500000.0);
  EXPECT_EQ(text(file, "llama.rope.scaling.type"), "none");
}

TEST_F(HfFamilies, MistralIsALlama) {
  llama_decoder(interleaved, interleaved);
  tensor("lm_head.weight", "output.weight", kVocab, kWidth);
  sentencepiece_tokenizer();
  const gguf::Reader file = convert(config("mistral"));
  EXPECT_EQ(text(file, "general.architecture"), "llama");
  EXPECT_EQ(text(file, "tokenizer.ggml.model"), "llama");
}

TEST_F(HfFamilies, Qwen2HasBiasesAndNoInterleaving) {
  llama_decoder();
  for (const int i : {0, 1}) {
    vector(il(i, "self_attn.q_proj.bias"), blk(i, "attn_q.bias"), kQ);
    vector(il(i, "self_attn.k_proj.bias"), blk(i, "attn_k.bias"), kKv);
    vector(il(i, "self_attn.v_proj.bias"), blk(i, "attn_v.bias"), kKv);
  }
  byte_level_tokenizer();
  Json numbers = config("qwen2");
  numbers["tie_word_embeddings"] = true;
  numbers["use_sliding_window"] = false;
  numbers["sliding_window"] = 1024;
  const gguf::Reader file = convert(numbers);
  EXPECT_EQ(text(file, "tokenizer.ggml.pre"), "qwen2");
  EXPECT_EQ(file.find("qwen2.attention.sliding_window"), nullptr);
}

TEST_F(HfFamilies, Qwen3HasNormsOfHeads) {
  llama_decoder();
  head_norms();
  byte_level_tokenizer();
  convert(config("qwen3"));
}

TEST_F(HfFamilies, Gemma2StoresNormsLessOne) {
  gemma_decoder();
  sentencepiece_tokenizer();
  Json numbers = config("gemma2");
  numbers["query_pre_attn_scalar"] = 16;
  numbers["attn_logit_softcapping"] = 50.0;
  numbers["final_logit_softcapping"] = 30.0;
  numbers["sliding_window"] = 512;
  const gguf::Reader file = convert(numbers);
  EXPECT_EQ(real(file, "gemma2.attention.scale"), 0.25);
  EXPECT_EQ(real(file, "gemma2.attn_logit_softcapping"), 50.0);
  EXPECT_EQ(real(file, "gemma2.final_logit_softcapping"), 30.0);
  EXPECT_EQ(real(file, "gemma2.attention.sliding_window"), 512);
}

TEST_F(HfFamilies, Gemma3HasTwoKindsOfLayers) {
  gemma_decoder();
  head_norms(plus_one);
  sentencepiece_tokenizer();
  Json numbers = config("gemma3_text");
  numbers["rope_local_base_freq"] = 10000.0;
  numbers["sliding_window"] = 512;
  numbers["layer_types"] = {"sliding_attention", "full_attention"};
  numbers["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 8.0}};
  const gguf::Reader file = convert(numbers);
  EXPECT_EQ(text(file, "general.architecture"), "gemma3");
  EXPECT_EQ(real(file, "gemma3.rope.freq_base_swa"), 10000.0);
  EXPECT_EQ(text(file, "gemma3.rope.scaling.type"), "linear");
  EXPECT_EQ(real(file, "gemma3.rope.scaling.factor"), 8.0);
  const gguf::Value* pattern = file.find("gemma3.attention.sliding_window_pattern");
  ASSERT_NE(pattern, nullptr);
  EXPECT_THAT(pattern->as_ints(), testing::ElementsAre(1, 0));
}

/// q, k and v are one matrix, gate and up another; GGUF keeps both so.
void phi3(const std::function<void(std::string, std::string, std::uint64_t, std::uint64_t)>& tensor,
          const std::function<void(std::string, std::string, std::uint64_t)>& vector) {
  tensor("model.embed_tokens.weight", "token_embd.weight", kVocab, kWidth);
  vector("model.norm.weight", "output_norm.weight", kWidth);
  tensor("lm_head.weight", "output.weight", kVocab, kWidth);
  for (const std::string i : {"0", "1"}) {
    const std::string from = "model.layers." + i + ".", to = "blk." + i + ".";
    tensor(from + "self_attn.qkv_proj.weight", to + "attn_qkv.weight", 48, kWidth);
    tensor(from + "self_attn.o_proj.weight", to + "attn_output.weight", kWidth, 24);
    vector(from + "input_layernorm.weight", to + "attn_norm.weight", kWidth);
    vector(from + "post_attention_layernorm.weight", to + "ffn_norm.weight", kWidth);
    tensor(from + "mlp.gate_up_proj.weight", to + "ffn_up.weight", 2 * kFf, kWidth);
    tensor(from + "mlp.down_proj.weight", to + "ffn_down.weight", kWidth, kFf);
  }
}

// 4 heads on 2 of 6 dimensions: 3 pairs. 16 times the context: sqrt(1 + ln 16 / ln 256).
TEST_F(HfFamilies, Phi3WithLongRope) {
  phi3([&](auto from, auto to, auto rows, auto columns) { tensor(from, to, rows, columns); },
       [&](auto from, auto to, auto n) { vector(from, to, n); });
  sentencepiece_tokenizer();
  Json numbers = config("phi3");
  numbers["head_dim"] = 6;
  numbers["original_max_position_embeddings"] = 256;
  numbers["rope_scaling"] = {
      {"type", "su"}, {"long_factor", {1.5, 20, 40}}, {"short_factor", {1, 1.25, 2}}};
  n_more_ = 2;
  const gguf::Reader file = convert(numbers);
  EXPECT_EQ(text(file, "phi3.rope.scaling.type"), "longrope");
  EXPECT_EQ(real(file, "phi3.rope.scaling.original_context_length"), 256);
  EXPECT_NEAR(real(file, "phi3.rope.scaling.attn_factor"), std::sqrt(1.5), 1e-6);
  const std::pair<const char*, std::vector<float>> lists[] = {
      {"rope_factors_long.weight", {1.5F, 20, 40}}, {"rope_factors_short.weight", {1, 1.25F, 2}}};
  for (const auto& [name, values] : lists) {
    const gguf::Tensor* tensor = file.find_tensor(name);
    ASSERT_NE(tensor, nullptr);
    ASSERT_EQ(tensor->data.size(), 12U);
    EXPECT_EQ(std::memcmp(tensor->data.data(), values.data(), 12), 0);
  }
  numbers["rope_scaling"]["long_factor"] = {1.5, 20};
  EXPECT_THAT(error(numbers), HasSubstr("long_factor"));
}

TEST_F(HfFamilies, Gpt2StoresItsMatricesTurnedOver) {
  tensor("wte.weight", "token_embd.weight", kVocab, kWidth);
  tensor("wpe.weight", "position_embd.weight", 16, kWidth);
  vector("ln_f.weight", "output_norm.weight", kWidth);
  vector("ln_f.bias", "output_norm.bias", kWidth);
  constexpr std::uint64_t kFour = 4 * kWidth / 2;  // n_inner: below 64 rows
  for (const std::string i : {"0", "1"}) {
    const std::string from = "h." + i + ".", to = "blk." + i + ".";
    const auto linear = [&](const std::string& name, const std::string& becomes,
                            std::uint64_t inputs, std::uint64_t outputs) {
      tensor(from + name + ".weight", to + becomes + ".weight", inputs, outputs, turned_over);
      std::swap(expected_.back().rows, expected_.back().columns);
      vector(from + name + ".bias", to + becomes + ".bias", outputs);
    };
    for (const auto& [name, becomes] :
         {std::pair("ln_1", "attn_norm"), std::pair("ln_2", "ffn_norm")}) {
      vector(from + name + ".weight", to + becomes + ".weight", kWidth);
      vector(from + name + ".bias", to + becomes + ".bias", kWidth);
    }
    linear("attn.c_attn", "attn_qkv", kWidth, 3 * kWidth);
    linear("attn.c_proj", "attn_output", kWidth, kWidth);
    linear("mlp.c_fc", "ffn_up", kWidth, kFour);
    linear("mlp.c_proj", "ffn_down", kFour, kWidth);
    made_.add(from + "attn.bias", {1, 1, 4, 4});  // the causal mask, which is no weight
  }
  byte_level_tokenizer();
  const gguf::Reader file = convert({{"model_type", "gpt2"},
                                     {"n_embd", kWidth},
                                     {"n_layer", 2},
                                     {"n_head", kHeads},
                                     {"n_positions", 16},
                                     {"n_inner", nullptr},
                                     {"layer_norm_epsilon", 1e-5},
                                     {"vocab_size", kVocab}});
  EXPECT_EQ(real(file, "gpt2.feed_forward_length"), kFour);
  EXPECT_EQ(text(file, "tokenizer.ggml.pre"), "gpt-2");
}

TEST_F(HfFamilies, Bert) {
  tensor("embeddings.word_embeddings.weight", "token_embd.weight", 6, kWidth);
  tensor("embeddings.position_embeddings.weight", "position_embd.weight", 16, kWidth);
  tensor("embeddings.token_type_embeddings.weight", "token_types.weight", 2, kWidth);
  const auto both = [&](const std::string& from, const std::string& to, std::uint64_t n) {
    vector(from + ".weight", to + ".weight", n);
    vector(from + ".bias", to + ".bias", n);
  };
  both("embeddings.LayerNorm", "token_embd_norm", kWidth);
  const auto linear = [&](const std::string& from, const std::string& to, std::uint64_t rows,
                          std::uint64_t columns) {
    tensor("encoder.layer.0." + from + ".weight", "blk.0." + to + ".weight", rows, columns);
    vector("encoder.layer.0." + from + ".bias", "blk.0." + to + ".bias", rows);
  };
  linear("attention.self.query", "attn_q", kWidth, kWidth);
  linear("attention.self.key", "attn_k", kWidth, kWidth);
  linear("attention.self.value", "attn_v", kWidth, kWidth);
  linear("attention.output.dense", "attn_output", kWidth, kWidth);
  both("encoder.layer.0.attention.output.LayerNorm", "blk.0.attn_output_norm", kWidth);
  linear("intermediate.dense", "ffn_up", kFf, kWidth);
  linear("output.dense", "ffn_down", kWidth, kFf);
  both("encoder.layer.0.output.LayerNorm", "blk.0.layer_output_norm", kWidth);
  made_.add("pooler.dense.weight", {kWidth, kWidth});
  made_.file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n");
  convert({{"model_type", "bert"},
           {"hidden_size", kWidth},
           {"num_hidden_layers", 1},
           {"num_attention_heads", kHeads},
           {"intermediate_size", kFf},
           {"layer_norm_eps", 1e-12},
           {"vocab_size", 6}});
}

class RopeScalings : public HfFamilies {
 protected:
  RopeScalings() {
    llama_decoder(interleaved, interleaved);
    byte_level_tokenizer();
  }

  static Json with(const Json& scaling) {
    Json numbers = config("llama");
    numbers["rope_scaling"] = scaling;
    return numbers;
  }
};

// Wavelengths of base 500000 with 12 dimensions: 2 pi 500000^(i/6) = 6.28, 56.0, 499, 4443, 39589,
// 352743. Of 2048 tokens, 2048 / 4 = 512 and 2048 / 1 = 2048 are the bounds: the third is below the
// first, the fourth above the second.
TEST_F(RopeScalings, Llama3DividesSlowFrequencies) {
  n_more_ = 1;
  const Json scaling = {{"rope_type", "llama3"},
                        {"factor", 8.0},
                        {"low_freq_factor", 1.0},
                        {"high_freq_factor", 4.0},
                        {"original_max_position_embeddings", 2048}};
  Json numbers = with(scaling);
  const gguf::Reader file = convert(numbers);
  const gguf::Tensor* tensor = file.find_tensor("rope_freqs.weight");
  ASSERT_NE(tensor, nullptr);
  ASSERT_EQ(tensor->data.size(), 6 * sizeof(float));
  float got[6];
  std::memcpy(got, tensor->data.data(), sizeof got);
  const float wanted[] = {1, 1, 1, 8, 8, 8};
  for (int i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(got[i], wanted[i]) << i;

  // Between the bounds the divisor is mixed: of base 10000, the fifth pair has 2 pi 10000^(4/6) =
  // 2916, between 4096 / 4 and 4096 / 1.
  numbers["rope_theta"] = 10000.0;
  numbers["rope_scaling"]["original_max_position_embeddings"] = 4096;
  const gguf::Reader mixed = convert(numbers);
  std::memcpy(got, mixed.find_tensor("rope_freqs.weight")->data.data(), sizeof got);
  const double wavelength = 2 * std::numbers::pi * std::pow(10000.0, 4.0 / 6);  // 2916
  const double smooth = (4096 / wavelength - 1) / 3;
  EXPECT_NEAR(static_cast<double>(got[4]), 1 / ((1 - smooth) / 8 + smooth), 1e-5);
}

TEST_F(RopeScalings, YarnSaysHowFarAndHowSharp) {
  Json numbers = with({{"rope_type", "yarn"},
                       {"factor", 4.0},
                       {"original_max_position_embeddings", 1024},
                       {"beta_fast", 16}});
  const gguf::Reader plain = convert(numbers);
  EXPECT_EQ(text(plain, "llama.rope.scaling.type"), "yarn");
  EXPECT_EQ(real(plain, "llama.rope.scaling.factor"), 4.0);
  EXPECT_EQ(real(plain, "llama.rope.scaling.original_context_length"), 1024);
  EXPECT_EQ(real(plain, "llama.rope.scaling.yarn_beta_fast"), 16);
  EXPECT_EQ(plain.find("llama.rope.scaling.attn_factor"), nullptr);
  // The engine multiplies with 0.1 ln 4 + 1 = 1.1386 of its own.
  numbers["rope_scaling"]["attention_factor"] = 1.0;
  EXPECT_NEAR(real(convert(numbers), "llama.rope.scaling.attn_factor"), 1 / 1.138629, 1e-6);
}

TEST_F(RopeScalings, OfNewerFilesStandBesideTheBase) {
  Json numbers = config("llama");
  numbers.erase("rope_theta");
  numbers["rope_parameters"] = {{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 250000.0}};
  const gguf::Reader file = convert(numbers);
  EXPECT_EQ(real(file, "llama.rope.freq_base"), 250000.0);
  EXPECT_EQ(real(file, "llama.rope.scaling.factor"), 2.0);
  numbers["rope_parameters"] = {
      {"full_attention", {{"rope_type", "default"}, {"rope_theta", 1000000.0}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 10000.0}}}};
  const gguf::Reader two = convert(numbers);
  EXPECT_EQ(real(two, "llama.rope.freq_base"), 1000000.0);
  EXPECT_EQ(real(two, "llama.rope.freq_base_swa"), 10000.0);
}

TEST_F(RopeScalings, ThatAreUnknownOrImpossibleAreRefused) {
  EXPECT_THAT(error(with({{"rope_type", "dynamic"}, {"factor", 2.0}})), HasSubstr("dynamic"));
  EXPECT_THAT(error(with({{"rope_type", "linear"}})), HasSubstr("factor"));
  EXPECT_THAT(error(with({{"rope_type", "linear"}, {"factor", -2.0}})), HasSubstr("factor"));
  EXPECT_THAT(error(with({{"rope_type", 7}})), HasSubstr("config.json"));
  EXPECT_THAT(error(with("linear")), HasSubstr("rope_scaling"));
  Json numbers = config("llama");
  numbers["head_dim"] = 1000000000;
  EXPECT_THAT(error(numbers), HasSubstr("head_dim"));
}

// bfloat16 and float16 as they are stored, in any type. 0x3F80 and 0x3C00 are 1.
TEST_F(RopeScalings, HalvesAreRead) {
  const std::string bf16("\x80\x3F\x00\xC0", 4), f16("\x00\x3C\x00\xC0", 4);  // 1, -2
  std::string wide, narrow;
  for (std::uint64_t i = 0; i < kVocab * kWidth / 2; ++i) {
    wide += bf16;
    narrow += f16;
  }
  for (const auto& [type, bytes] : {std::pair("BF16", wide), std::pair("F16", narrow)}) {
    made_.add("lm_head.weight", {kVocab, kWidth}, type, bytes);
    made_.file("config.json", config("llama").dump());
    made_.finish();
    convert_checkpoint(folder_, out_, {.type = QuantType::F32});
    const gguf::Reader file = gguf::Reader::open(out_);
    const auto data = file.find_tensor("output.weight")->data;
    const float wanted[] = {1, -2};
    EXPECT_EQ(std::memcmp(data.data(), wanted, sizeof wanted), 0) << type;
  }
}

// 40 layers, 95 MB of weights, the largest tensor 2.4 MB: the address space that a conversion may
// take is limited to what it maps and some 30 MB.
TEST_F(HfFamilies, MemoryIsBoundedByTheLargestTensor) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep what was freed";
#endif
  constexpr std::uint64_t kN = 384, kInner = 1536;
  made_.add("model.embed_tokens.weight", {kVocab, kN});
  made_.add("model.norm.weight", {kN});
  constexpr int kLayers = 10;
  const std::string large(kN * kInner * 4, '\0'), square(kN * kN * 4, '\0');
  for (int i = 0; i < kLayers; ++i) {
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      made_.add(il(i, "self_attn." + std::string(name) + ".weight"), {kN, kN}, "F32", square);
    }
    made_.add(il(i, "mlp.gate_proj.weight"), {kInner, kN}, "F32", large);
    made_.add(il(i, "mlp.up_proj.weight"), {kInner, kN}, "F32", large);
    made_.add(il(i, "mlp.down_proj.weight"), {kN, kInner}, "F32", large);
    made_.add(il(i, "input_layernorm.weight"), {kN});
    made_.add(il(i, "post_attention_layernorm.weight"), {kN});
  }
  byte_level_tokenizer();
  Json numbers = config("llama");
  numbers["hidden_size"] = kN;
  numbers["head_dim"] = kN / 4;
  numbers["num_key_value_heads"] = 4;
  numbers["intermediate_size"] = kInner;
  numbers["num_hidden_layers"] = kLayers;
  made_.file("config.json", numbers.dump());
  made_.finish();
  const auto private_bytes = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8)) * 1024;
    }
    return 0UL;
  };
  const std::size_t before = private_bytes();
  std::size_t most = 0;
  convert_checkpoint(folder_, out_, {.type = QuantType::Q8_0, .n_threads = 1},
                     [&](std::uint64_t, std::uint64_t) {
                       most = std::max(most, private_bytes());
                       return true;
                     });
  EXPECT_GT(fs::file_size(folder_ / "model.safetensors"), std::uintmax_t{60} << 20);
  EXPECT_LT(most - before, std::size_t{20} << 20);
}

}  // namespace
}  // namespace hearth
