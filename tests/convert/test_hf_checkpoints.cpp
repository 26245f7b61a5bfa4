// What checkpoints of a family may have differently: parts that are not of text, windows, numbers
// that are left out, things that the engine does not do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/convert/hf_checkpoint_test.h"

namespace hearth {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

class HfCheckpoints : public HfCheckpoint {
 protected:
  void llama() {
    llama_decoder(interleaved, interleaved);
    byte_level_tokenizer();
  }

  void qwen3() {
    llama_decoder();
    head_norms();
    byte_level_tokenizer();
  }

  void gemma3() {
    gemma_decoder();
    head_norms(plus_one);
    sentencepiece_tokenizer();
  }

  static std::vector<std::int64_t> pattern(const gguf::Reader& file, const std::string& arch) {
    const gguf::Value* value = file.find(arch + ".attention.sliding_window_pattern");
    return value ? value->as_ints() : std::vector<std::int64_t>{};
  }
};

/// What the config.json of a Gemma 3 that sees says of its text part: only what is not usual.
Json gemma3_that_sees() {
  return {{"model_type", "gemma3"},
          {"eos_token_id", {2, 3}},
          {"text_config",
           {{"model_type", "gemma3_text"},
            {"hidden_size", kWidth},
            {"num_hidden_layers", 2},
            {"num_attention_heads", kHeads},
            {"num_key_value_heads", kKvHeads},
            {"head_dim", kHead},
            {"intermediate_size", kFf},
            {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}},
            {"sliding_window", 1024}}},
          {"vision_config", {{"model_type", "siglip_vision_model"}, {"hidden_size", 1152}}}};
}

struct Names {
  const char* text;
  const char* vision;
};

class Multimodal : public HfCheckpoints, public testing::WithParamInterface<Names> {};

TEST_P(Multimodal, GivesItsTextPart) {
  prefix_ = GetParam().text;
  gemma3();
  const std::string vision = GetParam().vision;
  made_.add(vision + "vision_tower.vision_model.embeddings.patch_embedding.weight", {4, 3, 2, 2});
  made_.add(vision + "vision_tower.vision_model.post_layernorm.bias", {4});
  made_.add(vision + "multi_modal_projector.mm_input_projection_weight", {4, kWidth});
  const gguf::Reader file = convert(gemma3_that_sees());
  EXPECT_EQ(report_.other_parts, 3U);
  EXPECT_EQ(text(file, "general.architecture"), "gemma3");
  // These stand nowhere in such a file: they are what Gemma3TextConfig has.
  EXPECT_EQ(real(file, "gemma3.context_length"), 131072);
  EXPECT_EQ(real(file, "gemma3.rope.freq_base"), 1e6);
  EXPECT_EQ(real(file, "gemma3.attention.layer_norm_rms_epsilon"), double{1e-6F});
  EXPECT_EQ(real(file, "gemma3.attention.scale"), 1.0 / 16);
  EXPECT_EQ(real(file, "gemma3.attention.sliding_window"), 1024);
  EXPECT_EQ(real(file, "gemma3.attention.sliding_window_pattern"), 6);
  EXPECT_EQ(real(file, "tokenizer.ggml.eos_token_id"), 2);  // of the whole model's config
}

INSTANTIATE_TEST_SUITE_P(Names, Multimodal,
                         testing::Values(Names{"language_model.model.", ""},
                                         Names{"model.language_model.", "model."}),
                         [](const auto& c) {
                           return std::string(c.index == 0 ? "of_old" : "of_today");
                         });

TEST_F(HfCheckpoints, OfTextHaveNoPartsThatSee) {
  llama();
  made_.add("vision_tower.patch.weight", {4, 4});
  EXPECT_THAT(error(config("llama")), HasSubstr("vision_tower"));
}

TEST_F(HfCheckpoints, OfMistralHaveAWindowUnlessTheySayThatTheyHaveNone) {
  llama();
  EXPECT_EQ(real(convert(config("mistral")), "llama.attention.sliding_window"), 4096);
  Json numbers = config("mistral");
  numbers["sliding_window"] = 128;
  EXPECT_EQ(real(convert(numbers), "llama.attention.sliding_window"), 128);
  numbers["sliding_window"] = nullptr;
  EXPECT_EQ(convert(numbers).find("llama.attention.sliding_window"), nullptr);
}

TEST_F(HfCheckpoints, OfQwenHaveWindowsWhereTheyAskForThem) {
  qwen3();
  Json numbers = config("qwen3");
  numbers["sliding_window"] = 512;
  EXPECT_EQ(convert(numbers).find("qwen3.attention.sliding_window"), nullptr);
  numbers["use_sliding_window"] = true;
  numbers["max_window_layers"] = 1;
  const gguf::Reader file = convert(numbers);
  EXPECT_EQ(real(file, "qwen3.attention.sliding_window"), 512);
  EXPECT_THAT(pattern(file, "qwen3"), ElementsAre(0, 1));
  numbers["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_THAT(pattern(convert(numbers), "qwen3"), ElementsAre(1, 0));
}

TEST_F(HfCheckpoints, OfDecodersThatEmbedSayHow) {
  qwen3();
  made_.file("modules.json",
             R"([{"path":"","type":"sentence_transformers.models.Transformer"},)"
             R"({"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},)"
             R"({"path":"2_Normalize","type":"sentence_transformers.models.Normalize"}])");
  made_.file("1_Pooling/config.json", R"({"pooling_mode_lasttoken":true})");
  made_.file("config_sentence_transformers.json",
             R"({"prompts":{"query":"Query: ","document":""}})");
  const gguf::Reader file = convert(config("qwen3"));
  EXPECT_EQ(real(file, "qwen3.pooling_type"), 3);
  EXPECT_TRUE(file.find("qwen3.embedding.normalize")->as_bool());
  EXPECT_EQ(text(file, "qwen3.embedding.query_prefix"), "Query: ");
}

TEST_F(HfCheckpoints, OfNomicAreBertsThatRotate) {
  tensor("embeddings.word_embeddings.weight", "token_embd.weight", 8, kWidth);
  tensor("embeddings.token_type_embeddings.weight", "token_types.weight", 2, kWidth);
  const auto norm = [&](const std::string& from, const std::string& to) {
    vector(from + ".weight", to + ".weight", kWidth);
    vector(from + ".bias", to + ".bias", kWidth);
  };
  norm("emb_ln", "token_embd_norm");
  norm("encoder.layers.0.norm1", "blk.0.attn_output_norm");
  norm("encoder.layers.0.norm2", "blk.0.layer_output_norm");
  const std::string from = "encoder.layers.0.", to = "blk.0.";
  tensor(from + "attn.Wqkv.weight", to + "attn_qkv.weight", 48, 16);
  expected_.pop_back();
  made_.add(from + "attn.Wqkv.weight", {3 * kWidth, kWidth});  // more rows than elements can tell
  n_more_ = 1;
  tensor(from + "attn.out_proj.weight", to + "attn_output.weight", kWidth, kWidth);
  tensor(from + "mlp.fc11.weight", to + "ffn_up.weight", kFf, kWidth);
  tensor(from + "mlp.fc12.weight", to + "ffn_gate.weight", kFf, kWidth);
  tensor(from + "mlp.fc2.weight", to + "ffn_down.weight", kWidth, kFf);
  // Six tokens for eight rows: the original rounds up.
  made_.file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n");
  Json numbers = {{"model_type", "nomic_bert"},
                  {"n_embd", kWidth},
                  {"n_layer", 1},
                  {"n_head", kHeads},
                  {"n_inner", kFf},
                  {"n_positions", 8192},
                  {"max_trained_positions", 2048},
                  {"layer_norm_epsilon", 1e-12},
                  {"rotary_emb_base", 1000},
                  {"rotary_emb_fraction", 1.0},
                  {"activation_function", "swiglu"},
                  {"prenorm", false},
                  {"vocab_size", 8}};
  const gguf::Reader file = convert(numbers);
  EXPECT_EQ(text(file, "general.architecture"), "nomic-bert");
  EXPECT_EQ(real(file, "nomic-bert.rope.freq_base"), 1000);
  EXPECT_EQ(real(file, "nomic-bert.context_length"), 2048);
  numbers["rotary_emb_fraction"] = 0.5;
  EXPECT_THAT(error(numbers), HasSubstr("rotary_emb_fraction"));
}

TEST_F(HfCheckpoints, ThatWantWhatTheEngineDoesNotDoAreRefused) {
  llama();
  const auto with = [](const std::string& name, const Json& value) {
    Json numbers = config("llama");
    numbers[name] = value;
    return numbers;
  };
  EXPECT_THAT(error(with("hidden_act", "relu")),
              testing::AllOf(HasSubstr("hidden_act"), HasSubstr("silu"), HasSubstr("relu")));
  EXPECT_THAT(error(with("quantization_config", {{"bits", 4}})), HasSubstr("quantised"));
  EXPECT_FALSE(fs::exists(out_));
  EXPECT_EQ(error(with("hidden_act", "silu")), "none");
}

TEST_F(HfCheckpoints, WithTwoNamesForATensorAreRefused) {
  llama();
  made_.add("norm.weight", {kWidth});
  EXPECT_THAT(error(config("llama")), HasSubstr("two tensors for output_norm.weight"));
}

}  // namespace
}  // namespace hearth
