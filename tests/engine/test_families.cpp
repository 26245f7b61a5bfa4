// Rows of the families' table against a second forward pass in double that knows nothing of them:
// for each, what the model does is stated once more here, from its paper or its published code.
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "engine/device/reference_device.h"
#include "engine/model/families.h"
#include "engine/model/forward.h"
#include "tests/support/plain_forward.h"
#include "tests/support/toy_model.h"

namespace hearth {
namespace {

using test::PlainModel;
using test::ToyOptions;
using Norm = PlainModel::Norm;
using Block = PlainModel::Block;
using Positions = PlainModel::Positions;

const std::vector<std::int32_t> kTokens = {1, 5, 9, 33, 7, 33, 60, 2, 9, 11};

double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}
double gelu_exact(double x) {
  return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
}
double relu_squared(double x) {
  return x > 0 ? x * x : 0;
}

struct Case {
  std::string name;
  ToyOptions toy;
  PlainModel plain;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

/// Sets keys "family.key".
template <class... Pairs>
auto keys(const std::string& family, Pairs... pairs) {
  return [=](gguf::Writer& writer) { (writer.set(family + "." + pairs.first, pairs.second), ...); };
}

template <class Value>
std::pair<std::string, Value> key(std::string name, Value value) {
  return {std::move(name), value};
}

std::pair<std::string, std::uint32_t> count(std::string name, std::uint32_t value) {
  return {std::move(name), value};
}

ToyOptions toy(const std::string& family, std::function<void(gguf::Writer&)> metadata = {},
               std::set<std::string> with = {}) {
  ToyOptions options{.family = family, .with = std::move(with)};
  options.metadata = std::move(metadata);
  return options;
}

bool not_every_fourth(int il) {
  return il % 4 != 3;
}

int window_of_three(int il) {
  return il % 4 != 3 ? 3 : 0;
}

std::vector<Case> cases() {
  const auto experts = [](const std::string& family, auto... more) {
    return keys(family, count("expert_count", 4), count("expert_used_count", 2),
                count("expert_feed_forward_length", 24), more...);
  };
  std::vector<Case> all = {
      {"llama", toy("llama"), {}},
      {"llama_untied_biased",
       toy("llama", {}, {"output.weight", "attn_q.bias", "attn_v.bias"}),
       {}},
      {"mixtral", toy("llama", experts("llama")), {.n_experts_used = 2}},
      {"mistral_with_a_window",
       toy("llama", keys("llama", count("attention.sliding_window", 3))),
       {.window = [](int) { return 3; }}},
      {"arcee", toy("arcee"), {.activation = relu_squared}},
      {"bloom",
       toy("bloom", {}, {"token_embd_norm.weight"}),
       {.norm = Norm::layer, .positions = Positions::alibi, .activation = gelu_tanh}},
      {"command_r",
       toy("command-r", keys("command-r", key("logit_scale", 0.25F))),
       {.norm = Norm::layer, .block = Block::parallel, .logit_scale = 0.25}},
      {"exaone", toy("exaone"), {.positions = Positions::halves}},
      {"falcon",
       toy("falcon"),
       {.norm = Norm::layer,
        .block = Block::parallel,
        .positions = Positions::halves,
        .activation = gelu_exact}},
      {"falcon_40b",
       toy("falcon", {}, {"attn_norm_2.weight"}),
       {.norm = Norm::layer,
        .block = Block::parallel,
        .positions = Positions::halves,
        .activation = gelu_exact}},
      {"glm4_partial_rotation",
       toy("glm4", keys("glm4", count("rope.dimension_count", 4))),
       {.n_rot = 4}},
      {"gptneox_parallel",
       toy("gptneox",
           keys("gptneox", key("use_parallel_residual", true), count("rope.dimension_count", 2))),
       {.n_rot = 2,
        .norm = Norm::layer,
        .block = Block::parallel,
        .positions = Positions::halves,
        .activation = gelu_exact}},
      {"gptneox_sequential",
       toy("gptneox", keys("gptneox", key("use_parallel_residual", false))),
       {.norm = Norm::layer, .positions = Positions::halves, .activation = gelu_exact}},
      {"granite",
       toy("granite", keys("granite", key("logit_scale", 8.0F), key("residual_scale", 0.22F),
                           key("embedding_scale", 12.0F), key("attention.scale", 0.0625F))),
       {.embedding_scale = 12,
        .residual_scale = 0.22F,
        .logit_scale = 1.0 / 8,
        .attention_scale = 0.0625}},
      {"granite_without_rope",
       toy("granite", keys("granite", key("rope.scaling.finetuned", false))),
       {.rotates = [](int) { return false; }}},
      {"hunyuan",
       toy("hunyuan-dense"),
       {.positions = Positions::halves, .norm_heads_after_rope = true}},
      {"nemotron",
       toy("nemotron"),
       {.norm = Norm::layer, .positions = Positions::halves, .activation = relu_squared}},
      {"olmo2", toy("olmo2"), {.positions = Positions::halves}},
      {"olmoe",
       toy("olmoe", experts("olmoe")),
       {.n_experts_used = 2, .positions = Positions::halves, .experts_sum_to_one = false}},
      {"orion", toy("orion"), {.norm = Norm::layer}},
      {"phi2",
       toy("phi2", keys("phi2", count("rope.dimension_count", 4)),
           {"output.weight", "output.bias"}),
       {.n_rot = 4,
        .norm = Norm::layer,
        .block = Block::parallel,
        .positions = Positions::halves,
        .activation = gelu_tanh}},
      {"qwen2moe",
       toy("qwen2moe", experts("qwen2moe", count("expert_shared_feed_forward_length", 40)),
           {"ffn_gate_inp_shexp.weight"}),
       {.n_experts_used = 2, .positions = Positions::halves, .experts_sum_to_one = false}},
      {"qwen3moe",
       toy("qwen3moe", experts("qwen3moe")),
       {.n_experts_used = 2, .positions = Positions::halves}},
      {"qwen2_with_windows_above",
       toy("qwen2",
           [](gguf::Writer& writer) {
             writer.set("qwen2.attention.sliding_window", std::uint32_t{3});
             writer.set_array("qwen2.attention.sliding_window_pattern",
                              std::vector<bool>{false, true, true});
           }),
       {.positions = Positions::halves, .window = [](int il) { return il < 1 ? 0 : 3; }}},
      {"qwen3_with_a_window",
       toy("qwen3", keys("qwen3", count("attention.sliding_window", 4))),
       {.positions = Positions::halves, .window = [](int) { return 4; }}},
      {"refact", toy("refact"), {.positions = Positions::alibi}},
      {"stablelm",
       toy("stablelm", {}, {"ffn_norm.weight"}),
       {.norm = Norm::layer, .positions = Positions::halves}},
      {"stablelm_12b",
       toy("stablelm", {}, {"attn_q_norm.weight", "attn_k_norm.weight"}),
       {.norm = Norm::layer, .block = Block::parallel, .positions = Positions::halves}},
      {"starcoder",
       toy("starcoder"),
       {.norm = Norm::layer, .positions = Positions::learned, .activation = gelu_tanh}},
      {"starcoder2",
       toy("starcoder2"),
       {.norm = Norm::layer, .positions = Positions::halves, .activation = gelu_tanh}},
  };
  Case cohere2{"cohere2",
               toy("cohere2", keys("cohere2", count("attention.sliding_window", 3))),
               {.norm = Norm::layer,
                .block = Block::parallel,
                .rotates = not_every_fourth,
                .window = window_of_three}};
  Case exaone4{
      "exaone4",
      toy("exaone4", keys("exaone4", count("attention.sliding_window", 3))),
      {.positions = Positions::halves, .rotates = not_every_fourth, .window = window_of_three}};
  Case smollm3{"smollm3", toy("smollm3"), {.rotates = not_every_fourth}};
  for (Case c : {cohere2, exaone4, smollm3}) {
    c.toy.n_layer = c.plain.n_layer = 5;
    all.push_back(c);
  }
  return all;
}

class Families : public testing::TestWithParam<Case> {};

TEST_P(Families, AgreeWithThePlainFormulas) {
  const std::vector<std::byte> bytes = test::toy_model(GetParam().toy);
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, GetParam().name);
  const std::vector<double> expected = test::plain_logits(file, GetParam().plain, kTokens);

  const Family& family = family_of(file);
  HParams hparams = read_hparams(file, family);
  ReferenceDevice device;
  const Placement placement = all_on(device, hparams.n_layer);
  const Model model = load_model(file, family, std::move(hparams), placement);
  Forward forward(model, 16, 16);
  std::vector<float> got(expected.size());
  forward.logits(got, forward.run(kTokens, 0, false));

  double error = 0.0;
  double power = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - expected[i];
    error += difference * difference;
    power += expected[i] * expected[i];
  }
  EXPECT_GT(power, 0.0);
  EXPECT_LE(error / power, 1e-11);
}

INSTANTIATE_TEST_SUITE_P(Rows, Families, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& c) { return c.param.name; });

}  // namespace
}  // namespace hearth
