// Checkpoints: files that strangers made, and models that must mean the same in both formats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/convert/convert.h"
#include "engine/convert/safetensors.h"
#include "engine/convert/sentencepiece_model.h"
#include "engine/runtime/context.h"
#include "engine/runtime/embedder.h"
#include "gguf/reader.h"
#include "tests/support/checkpoint_builder.h"
#include "tests/support/temp_dir.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using test::CheckpointBuilder;
using test::safetensors;
using testing::HasSubstr;

std::map<std::string, SafeTensor, std::less<>> parse(const std::string& bytes) {
  return parse_safetensors(std::as_bytes(std::span(bytes)), "test");
}

TEST(Safetensors, AreRead) {
  const std::string data = "abcdefghijkl";
  const std::string bytes = safetensors(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"n":{"dtype":"I64","shape":[0],)"
      R"("data_offsets":[12,12]}})",
      data);
  const auto tensors = parse(bytes);
  ASSERT_EQ(tensors.size(), 2U);
  const SafeTensor& b = tensors.at("b");
  EXPECT_EQ(b.type, QuantType::BF16);
  EXPECT_EQ(b.shape, std::vector<std::uint64_t>{2});
  EXPECT_EQ(std::memcmp(b.data.data(), "ijkl", 4), 0);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_THROW(parse(bytes.substr(0, n)), Error);
}

TEST(Safetensors, ThatLieAreRefused) {
  const auto one = [](const std::string& entry) {
    return safetensors("{\"a\":" + entry + "}", "12345678");
  };
  EXPECT_NO_THROW(parse(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})")));
  const std::vector<std::string> bad = {
      one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
      one(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})"),
      one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"),
      one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"),
      one(R"({"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]})"),
      one(R"({"dtype":"F99","shape":[2],"data_offsets":[0,8]})"),
      one(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})"),
      one(R"({"dtype":"F32","shape":[2]})"),
      one("7"),
      safetensors("[]", ""),
      safetensors("{\"a\":", ""),
      safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                  R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                  "12345678"),
      safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                  R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                  "12345678"),
      safetensors(std::string(5000, '['), ""),
      std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10),
  };
  for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_THROW(parse(bad[i]), Error) << i;
}

// By hand: a piece "ab" of score 1 and type 3, and a normaliser without a space in front.
TEST(SentencePieceFiles, AreRead) {
  const std::string bytes("\x0A\x0B\x0A\x02\x61\x62\x15\x00\x00\x80\x3F\x18\x03\x1A\x02\x18\x00",
                          17);
  const SentencePieceModel model = parse_sentencepiece(bytes, "test");
  ASSERT_EQ(model.pieces.size(), 1U);
  EXPECT_EQ(model.pieces[0].text, "ab");
  EXPECT_EQ(model.pieces[0].score, 1.0F);
  EXPECT_EQ(model.pieces[0].type, 3);
  EXPECT_FALSE(model.add_dummy_prefix);
  for (std::size_t n = 0; n < 13; ++n) {
    EXPECT_THROW(parse_sentencepiece(bytes.substr(0, n), "test"), Error) << n;
  }
}

class Convert : public testing::Test {
 protected:
  /// Two layers of width 16, four heads on two, in the names of Llama.
  void decoder(const std::string& type) {
    CheckpointBuilder made(folder_);
    made.add("model.embed_tokens.weight", {8, 16}, 1.0);
    made.add("model.norm.weight", {16}, 0.1, 1.0);
    made.add("lm_head.weight", {8, 16});
    for (const std::string il : {"0", "1"}) {
      const std::string layer = "model.layers." + il + ".";
      made.add(layer + "self_attn.q_proj.weight", {16, 16});
      made.add(layer + "self_attn.k_proj.weight", {8, 16});
      made.add(layer + "self_attn.v_proj.weight", {8, 16});
      made.add(layer + "self_attn.q_proj.bias", {16});
      made.add(layer + "self_attn.k_proj.bias", {8});
      made.add(layer + "self_attn.o_proj.weight", {16, 16});
      made.add(layer + "input_layernorm.weight", {16}, 0.1, 1.0);
      made.add(layer + "post_attention_layernorm.weight", {16}, 0.1, 1.0);
      made.add(layer + "mlp.gate_proj.weight", {24, 16});
      made.add(layer + "mlp.up_proj.weight", {24, 16});
      made.add(layer + "mlp.down_proj.weight", {16, 24});
    }
    made.finish();
    Json config = {{"model_type", type},
                   {"hidden_size", 16},
                   {"num_hidden_layers", 2},
                   {"num_attention_heads", 4},
                   {"num_key_value_heads", 2},
                   {"intermediate_size", 24},
                   {"max_position_embeddings", 64},
                   {"rms_norm_eps", 1e-6},
                   {"rope_theta", 10000.0},
                   {"vocab_size", 8}};
    made.file("config.json", config.dump());
    made.file("tokenizer.json",
              R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"ab":3,"abc":4},)"
              R"("merges":["a b",["ab","c"]]},)"
              R"("added_tokens":[{"id":5,"content":"<|end|>","special":true}]})");
    made.file("tokenizer_config.json",
              R"({"eos_token":{"content":"<|end|>"},"chat_template":"{{ messages }}"})");
  }

  std::vector<float> logits() {
    const gguf::Reader file = gguf::Reader::open(out_);
    const ModelBundle model = load_model(file, {.n_ctx = 32});
    std::vector<float> all;
    const std::vector<std::int32_t> tokens = {1, 4, 2, 0, 3, 5, 1};
    model.context->eval_all(
        tokens, [&](std::span<const float> row) { all.insert(all.end(), row.begin(), row.end()); });
    return all;
  }

  std::string error() {
    try {
      convert_checkpoint(folder_, out_, {});
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  test::TempDir dir_;
  fs::path folder_ = dir_ / "checkpoint";
  fs::path out_ = dir_ / "out.gguf";
};

// Llama's files rotate neighbours, Qwen's halves: the same checkpoint under either name must give
// the same logits, which holds only if rows and biases have changed places as they must.
TEST_F(Convert, InterleavedAndHalvedRotationAreTheSameModel) {
  decoder("llama");
  convert_checkpoint(folder_, out_, {});
  const std::vector<float> paired = logits();
  decoder("qwen2");
  convert_checkpoint(folder_, out_, {});
  const std::vector<float> halves = logits();
  ASSERT_EQ(paired.size(), 7U * 8);
  for (std::size_t i = 0; i < paired.size(); ++i) EXPECT_NEAR(paired[i], halves[i], 2e-5) << i;
  const gguf::Reader file = gguf::Reader::open(out_);
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  EXPECT_THAT(tokenizer->encode("abcab"), testing::ElementsAre(4, 3));
  EXPECT_EQ(tokenizer->vocab().eos, 5);
  EXPECT_EQ(tokenizer->vocab().chat_template, "{{ messages }}");
}

TEST_F(Convert, IntoAnotherType) {
  decoder("qwen2");
  convert_checkpoint(folder_, out_, {.type = QuantType::F16});
  const gguf::Reader file = gguf::Reader::open(out_);
  EXPECT_EQ(file.find_tensor("blk.0.attn_q.weight")->type, QuantType::F16);
  EXPECT_EQ(file.find_tensor("blk.0.attn_norm.weight")->type, QuantType::F32);
}

// Rows of 16 and 24 elements hold no block of 32.
TEST_F(Convert, SaysWhatCannotHaveTheTypeThatWasAskedFor) {
  decoder("qwen2");
  const CheckpointReport report = convert_checkpoint(folder_, out_, {.type = QuantType::Q8_0});
  EXPECT_EQ(report.in_f16, 2U + 2 * 7);
  EXPECT_EQ(gguf::Reader::open(out_).find_tensor("blk.0.attn_q.weight")->type, QuantType::F16);
}

/// A BERT of one layer, as sentence-transformers lays it out. Of its norms the two parts are called
/// so, as they were once called, or as they are today.
void encoder(const fs::path& folder, const std::string& weight = ".weight",
             const std::string& bias = ".bias") {
  CheckpointBuilder made(folder);
  made.add("bert.embeddings.word_embeddings.weight", {12, 8}, 1.0);
  made.add("bert.embeddings.position_embeddings.weight", {16, 8});
  made.add("bert.embeddings.token_type_embeddings.weight", {2, 8});
  made.add("bert.embeddings.LayerNorm" + weight, {8}, 0.1, 1.0);
  made.add("bert.embeddings.LayerNorm" + bias, {8});
  const std::string layer = "bert.encoder.layer.0.";
  for (const std::string name : {"attention.self.query", "attention.self.key",
                                 "attention.self.value", "attention.output.dense"}) {
    made.add(layer + name + ".weight", {8, 8});
    made.add(layer + name + ".bias", {8});
  }
  for (const std::string name : {"attention.output.LayerNorm", "output.LayerNorm"}) {
    made.add(layer + name + weight, {8}, 0.1, 1.0);
    made.add(layer + name + bias, {8});
  }
  made.add(layer + "intermediate.dense.weight", {16, 8});
  made.add(layer + "intermediate.dense.bias", {16});
  made.add(layer + "output.dense.weight", {8, 16});
  made.add(layer + "output.dense.bias", {8});
  made.add("bert.pooler.dense.weight", {8, 8});
  made.add("bert.pooler.dense.bias", {8});
  made.finish();
  made.file("config.json",
            R"({"model_type":"bert","hidden_size":8,"num_hidden_layers":1,)"
            R"("num_attention_heads":2,"intermediate_size":16,"layer_norm_eps":1e-12,)"
            R"("hidden_act":"gelu","vocab_size":12})");
  made.file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\ne\nun\n##aff\n##able\nhello\n,\na\ne\n");
  made.file("tokenizer_config.json", R"({"do_lower_case":true})");
  made.file("modules.json",
            R"([{"path":"","type":"sentence_transformers.models.Transformer"},)"
            R"({"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])");
  made.file("1_Pooling/config.json", R"({"pooling_mode_cls_token":true})");
  made.file("sentence_bert_config.json", R"({"max_seq_length":12})");
  made.file("config_sentence_transformers.json", R"({"prompts":{"query":"hello ","passage":""}})");
}

TEST_F(Convert, AnEncoderKeepsWhatItsMakersSay) {
  encoder(folder_);
  const CheckpointReport report = convert_checkpoint(folder_, out_, {});
  EXPECT_EQ(report.dropped, 2U);
  const gguf::Reader file = gguf::Reader::open(out_);
  Embedder embedder(file);
  EXPECT_EQ(embedder.pooling(), Pooling::cls);
  EXPECT_FALSE(embedder.normalizes());
  EXPECT_EQ(embedder.max_tokens(), 12);
  EXPECT_THAT(embedder.tokens("Unaffable, \u00e9!", TextRole::query),
              testing::ElementsAre(2, 8, 5, 6, 7, 9, 11, 1, 3));
  const std::string long_word(101, 'a');
  EXPECT_THAT(embedder.tokens(long_word, TextRole::plain), testing::ElementsAre(2, 1, 3));
}

TEST_F(Convert, NormsMayHaveTheNamesOfTheirPaper) {
  const auto embedding = [&] {
    convert_checkpoint(folder_, out_, {});
    const gguf::Reader file = gguf::Reader::open(out_);
    const std::vector<std::string> text = {"unaffable"};
    return Embedder(file).embed(text, TextRole::plain).front().values;
  };
  encoder(folder_);
  const std::vector<float> today = embedding();
  encoder(folder_, ".gamma", ".beta");
  EXPECT_EQ(embedding(), today);
}

TEST_F(Convert, SaysWhatIsWrong) {
  EXPECT_THAT(error(), HasSubstr("not a folder"));
  encoder(folder_);
  const auto with = [&](const std::string& name, const std::string& text) {
    encoder(folder_);
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return error();
  };
  EXPECT_THAT(with("config.json", R"({"model_type":"rwkv"})"), HasSubstr("cannot be converted"));
  EXPECT_THAT(with("config.json", R"({"model_type":"bert"})"), HasSubstr("hidden_size"));
  EXPECT_THAT(with("config.json", "{"), HasSubstr("not JSON"));
  EXPECT_THAT(with("config.json", "[1]"), HasSubstr("config.json"));
  EXPECT_THAT(with("modules.json", R"([{"type":"x.Dense","path":"2"}])"),
              HasSubstr("after the pooling"));
  EXPECT_THAT(with("model.safetensors", safetensors("{}", "")), HasSubstr("embeddings of tokens"));
  EXPECT_THAT(with("1_Pooling/config.json",
                   R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true})"),
              HasSubstr("pooling_mode_mean_tokens"));
  EXPECT_THAT(with("1_Pooling/config.json", R"({"pooling_mode_weightedmean_tokens":true})"),
              HasSubstr("weightedmean"));
  const std::string many = with("config.json", R"({"model_type":"bert","hidden_size":16,)"
                                               R"("num_hidden_layers":1,"num_attention_heads":2,)"
                                               R"("intermediate_size":16,"layer_norm_eps":1e-12})");
  EXPECT_THAT(many, testing::AllOf(HasSubstr("token_embd.weight is [12, 8], not [12, 16]"),
                                   HasSubstr(" more")));
  EXPECT_LT(many.size(), 800U);
  EXPECT_THAT(with("model.safetensors.index.json", R"({"weight_map":{"a":"../x"}})"),
              HasSubstr("outside the folder"));
  EXPECT_FALSE(fs::exists(out_));
}

}  // namespace
}  // namespace hearth
