#include "engine/model/families.h"

#include <array>
#include <cmath>

#include "engine/model/hparams.h"

namespace hearth {

float one_over_sqrt_head_dim(const HParams& hparams) {
  return 1.0F / std::sqrt(static_cast<float>(hparams.head_dim_k));
}

namespace {

/// The 27-billion models of this maker divide by the width per head, which is not their head_dim;
/// their files do not say so, their depth gives them away.
template <int kLayersOf27B>
float width_per_head_at_27b(const HParams& hparams) {
  if (hparams.n_layer != kLayersOf27B) return one_over_sqrt_head_dim(hparams);
  return 1.0F / std::sqrt(static_cast<float>(hparams.n_embd / hparams.layers.front().n_head));
}

constexpr std::array kFamilies = {
    // Llama 1 to 3, Mistral, Mixtral, Zephyr, TinyLlama, Yi and many more ship under this name.
    // Mistral's first version has a window, in every layer.
    Family{.name = "llama", .windows = Windows::all_layers, .scale_tensors = ScaleTensors::all},
    Family{.name = "arcee",
           .feed_forward = FeedForward::plain,
           .activation = Activation::relu_squared},
    Family{.name = "bert",
           .norm = NormKind::layer,
           .norm_place = NormPlace::after_residual,
           .position = Position::learned,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_erf,
           .biases = Biases::everywhere,
           .causal = false},
    Family{.name = "bloom",
           .norm = NormKind::layer,
           .position = Position::alibi,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_tanh,
           .biases = Biases::everywhere},
    Family{.name = "chatglm"},
    Family{.name = "cohere2",
           .norm = NormKind::layer,
           .residual = Residual::parallel,
           .rope_layers = RopeLayers::windowed,
           .windows = Windows::three_of_four,
           .logit_scale = LogitScale::multiply,
           .scale_tensors = ScaleTensors::all},
    Family{.name = "command-r",
           .norm = NormKind::layer,
           .residual = Residual::parallel,
           .logit_scale = LogitScale::multiply},
    Family{.name = "ernie4_5"},
    Family{.name = "exaone", .position = Position::rope_halves},
    Family{.name = "exaone4",
           .norm_place = NormPlace::after,
           .position = Position::rope_halves,
           .rope_layers = RopeLayers::windowed,
           .windows = Windows::three_of_four,
           .qk_norm = QkNorm::per_head},
    Family{.name = "falcon",
           .norm = NormKind::layer,
           .residual = Residual::parallel,
           .position = Position::rope_halves,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_erf,
           .biases = Biases::norms},
    Family{.name = "gemma",
           .position = Position::rope_halves,
           .activation = Activation::gelu_tanh,
           .embedding_scale = EmbeddingScale::sqrt_n_embd},
    Family{.name = "gemma2",
           .norm_place = NormPlace::before_and_after,
           .position = Position::rope_halves,
           .windows = Windows::one_of_two,
           .activation = Activation::gelu_tanh,
           .embedding_scale = EmbeddingScale::sqrt_n_embd,
           .attention_scale = width_per_head_at_27b<46>,
           .softcaps = Softcaps::attention_and_final},
    Family{.name = "gemma3",
           .norm_place = NormPlace::before_and_after,
           .position = Position::rope_halves,
           .windows = Windows::five_of_six,
           .local_rope = LocalRope::unscaled_base_10000,
           .activation = Activation::gelu_tanh,
           .qk_norm = QkNorm::per_head,
           .embedding_scale = EmbeddingScale::sqrt_n_embd,
           .attention_scale = width_per_head_at_27b<62>,
           .softcaps = Softcaps::final_logits},
    Family{.name = "glm4", .norm_place = NormPlace::before_and_after},
    Family{.name = "gpt2",
           .norm = NormKind::layer,
           .position = Position::learned,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_tanh,
           .biases = Biases::everywhere},
    Family{.name = "gptneox",
           .norm = NormKind::layer,
           .residual = Residual::key_says,
           .position = Position::rope_halves,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_erf,
           .biases = Biases::everywhere},
    Family{
        .name = "granite", .rope_layers = RopeLayers::key_says, .logit_scale = LogitScale::divide},
    Family{.name = "granitemoe",
           .rope_layers = RopeLayers::key_says,
           .logit_scale = LogitScale::divide},
    Family{.name = "hunyuan-dense",
           .position = Position::rope_halves,
           .qk_norm = QkNorm::per_head_after_rope},
    Family{.name = "internlm2"},
    // The key attention.relative_buckets_count gives it the bias that sets it apart from bert.
    Family{.name = "mpnet",
           .norm = NormKind::layer,
           .norm_place = NormPlace::after_residual,
           .position = Position::learned,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_erf,
           .biases = Biases::everywhere,
           .causal = false},
    Family{.name = "nemotron",
           .norm = NormKind::layer,
           .position = Position::rope_halves,
           .feed_forward = FeedForward::plain,
           .activation = Activation::relu_squared,
           .biases = Biases::norms},
    Family{.name = "nomic-bert",
           .norm = NormKind::layer,
           .norm_place = NormPlace::after_residual,
           .position = Position::rope_halves,
           .biases = Biases::norms,
           .causal = false},
    // OLMo 2 and 3; the latter has windows, whose layers rotate without YaRN.
    Family{.name = "olmo2",
           .norm_place = NormPlace::after,
           .position = Position::rope_halves,
           .windows = Windows::three_of_four,
           .local_rope = LocalRope::unscaled,
           .qk_norm = QkNorm::whole_row},
    Family{.name = "olmoe",
           .position = Position::rope_halves,
           .qk_norm = QkNorm::whole_row,
           .expert_weights = ExpertWeights::as_they_are},
    Family{.name = "orion", .norm = NormKind::layer, .biases = Biases::norms},
    Family{.name = "phi2",
           .norm = NormKind::layer,
           .residual = Residual::parallel,
           .position = Position::rope_halves,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_tanh,
           .biases = Biases::everywhere},
    Family{.name = "phi3", .position = Position::rope_halves, .windows = Windows::all_layers},
    Family{.name = "qwen2", .position = Position::rope_halves, .windows = Windows::all_layers},
    Family{.name = "qwen2moe",
           .position = Position::rope_halves,
           .expert_weights = ExpertWeights::as_they_are},
    Family{.name = "qwen3",
           .position = Position::rope_halves,
           .windows = Windows::all_layers,
           .qk_norm = QkNorm::per_head,
           .scale_tensors = ScaleTensors::all},
    Family{.name = "qwen3moe", .position = Position::rope_halves, .qk_norm = QkNorm::per_head},
    Family{.name = "refact", .position = Position::alibi},
    Family{.name = "smollm3", .rope_layers = RopeLayers::three_of_four},
    Family{.name = "stablelm",
           .norm = NormKind::layer,
           .residual = Residual::parallel_without_ffn_norm,
           .position = Position::rope_halves,
           .biases = Biases::norms},
    Family{.name = "starcoder",
           .norm = NormKind::layer,
           .position = Position::learned,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_tanh,
           .biases = Biases::everywhere},
    Family{.name = "starcoder2",
           .norm = NormKind::layer,
           .position = Position::rope_halves,
           .feed_forward = FeedForward::plain,
           .activation = Activation::gelu_tanh,
           .biases = Biases::everywhere},
    Family{.name = "xverse"},
};

}  // namespace

std::span<const Family> all_families() {
  return kFamilies;
}

const Family* find_family(std::string_view name) {
  for (const Family& family : kFamilies) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

}  // namespace hearth
