#include "engine/convert/hf_families.h"

namespace hearth {
namespace {

using enum TensorChange;
using enum ConfigKind;

constexpr TensorRule kMpnetTensors[] = {
    {"embeddings.word_embeddings", "token_embd"},
    {"embeddings.position_embeddings", "position_embd", skip_two_rows},
    {"embeddings.LayerNorm", "token_embd_norm"},
    {"encoder.relative_attention_bias", "attn_rel_b"},
    {"encoder.layer.{}.attention.attn.q", "blk.{}.attn_q"},
    {"encoder.layer.{}.attention.attn.k", "blk.{}.attn_k"},
    {"encoder.layer.{}.attention.attn.v", "blk.{}.attn_v"},
    {"encoder.layer.{}.attention.attn.o", "blk.{}.attn_output"},
    {"encoder.layer.{}.attention.LayerNorm", "blk.{}.attn_output_norm"},
    {"encoder.layer.{}.intermediate.dense", "blk.{}.ffn_up"},
    {"encoder.layer.{}.output.dense", "blk.{}.ffn_down"},
    {"encoder.layer.{}.output.LayerNorm", "blk.{}.layer_output_norm"},
    {"pooler.dense", "", drop},
    {"lm_head.dense", "", drop},
    {"lm_head.layer_norm", "", drop},
    {"lm_head.decoder", "", drop},
    {"lm_head", "", drop},
};

constexpr TensorRule kBertTensors[] = {
    {"embeddings.word_embeddings", "token_embd"},
    {"embeddings.position_embeddings", "position_embd"},
    {"embeddings.token_type_embeddings", "token_types"},
    {"embeddings.LayerNorm", "token_embd_norm"},
    {"encoder.layer.{}.attention.self.query", "blk.{}.attn_q"},
    {"encoder.layer.{}.attention.self.key", "blk.{}.attn_k"},
    {"encoder.layer.{}.attention.self.value", "blk.{}.attn_v"},
    {"encoder.layer.{}.attention.output.dense", "blk.{}.attn_output"},
    {"encoder.layer.{}.attention.output.LayerNorm", "blk.{}.attn_output_norm"},
    {"encoder.layer.{}.intermediate.dense", "blk.{}.ffn_up"},
    {"encoder.layer.{}.output.dense", "blk.{}.ffn_down"},
    {"encoder.layer.{}.output.LayerNorm", "blk.{}.layer_output_norm"},
    {"pooler.dense", "", drop},
    {"cls.predictions.transform.dense", "", drop},
    {"cls.predictions.transform.LayerNorm", "", drop},
    {"cls.predictions.decoder", "", drop},
    {"cls.predictions", "", drop},
    {"cls.seq_relationship", "", drop},
};

constexpr ConfigRule kEncoderConfig[] = {
    {"hidden_size", "embedding_length"},
    {"num_hidden_layers", "block_count"},
    {"num_attention_heads", "attention.head_count"},
    {"intermediate_size", "feed_forward_length"},
    {"layer_norm_eps", "attention.layer_norm_epsilon", real},
    {"relative_attention_num_buckets", "attention.relative_buckets_count", integer, false},
};

// nomic-embed-text's own code calls the first half of the gated net fc11, the gate fc12.
constexpr TensorRule kNomicTensors[] = {
    {"embeddings.word_embeddings", "token_embd"},
    {"embeddings.token_type_embeddings", "token_types"},
    {"emb_ln", "token_embd_norm"},
    {"encoder.layers.{}.attn.Wqkv", "blk.{}.attn_qkv"},
    {"encoder.layers.{}.attn.out_proj", "blk.{}.attn_output"},
    {"encoder.layers.{}.norm1", "blk.{}.attn_output_norm"},
    {"encoder.layers.{}.mlp.fc11", "blk.{}.ffn_up"},
    {"encoder.layers.{}.mlp.fc12", "blk.{}.ffn_gate"},
    {"encoder.layers.{}.mlp.fc2", "blk.{}.ffn_down"},
    {"encoder.layers.{}.norm2", "blk.{}.layer_output_norm"},
};

constexpr ConfigRule kNomicConfig[] = {
    {"n_embd", "embedding_length"},
    {"n_layer", "block_count"},
    {"n_head", "attention.head_count"},
    {"n_inner", "feed_forward_length"},
    {"max_trained_positions", "context_length"},  // n_positions counts on stretched rotation
    {"layer_norm_epsilon", "attention.layer_norm_epsilon", real},
    {"rotary_emb_base", "rope.freq_base", real},
};

// Llama's names, which most decoders took over. What a family has differently stands in its own
// list, which is looked at first.
constexpr TensorRule kDecoderTensors[] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm"},
    {"lm_head", "output"},
    {"layers.{}.self_attn.q_proj", "blk.{}.attn_q"},
    {"layers.{}.self_attn.k_proj", "blk.{}.attn_k"},
    {"layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"layers.{}.self_attn.rotary_emb.inv_freq", "", drop},
    {"layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
    {"layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
};

constexpr TensorRule kLlamaTensors[] = {
    {"layers.{}.self_attn.q_proj", "blk.{}.attn_q", pair_q},
    {"layers.{}.self_attn.k_proj", "blk.{}.attn_k", pair_k},
};

constexpr TensorRule kQwen3Tensors[] = {
    {"layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm"},
    {"layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm"},
};

constexpr TensorRule kGemmaTensors[] = {
    {"norm", "output_norm", add_one},
    {"layers.{}.input_layernorm", "blk.{}.attn_norm", add_one},
    {"layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", add_one},
    {"layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm", add_one},
    {"layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm", add_one},
    {"layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", add_one},
    {"layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", add_one},
};

constexpr TensorRule kPhi3Tensors[] = {
    {"layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv"},
    {"layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up"},
};

constexpr TensorRule kGpt2Tensors[] = {
    {"wte", "token_embd"},
    {"wpe", "position_embd"},
    {"ln_f", "output_norm"},
    {"lm_head", "output"},
    {"h.{}.ln_1", "blk.{}.attn_norm"},
    {"h.{}.attn.c_attn", "blk.{}.attn_qkv", transpose},
    {"h.{}.attn.c_proj", "blk.{}.attn_output", transpose},
    {"h.{}.attn", "", drop},
    {"h.{}.ln_2", "blk.{}.ffn_norm"},
    {"h.{}.mlp.c_fc", "blk.{}.ffn_up", transpose},
    {"h.{}.mlp.c_proj", "blk.{}.ffn_down", transpose},
};

constexpr ConfigRule kDecoderConfig[] = {
    {"hidden_size", "embedding_length"},
    {"num_hidden_layers", "block_count"},
    {"num_attention_heads", "attention.head_count"},
    {"num_key_value_heads", "attention.head_count_kv", integer, false},
    {"intermediate_size", "feed_forward_length"},
    {"max_position_embeddings", "context_length"},
    {"rms_norm_eps", "attention.layer_norm_rms_epsilon", real},
    {"rope_theta", "rope.freq_base", real, false},
    {"rope_local_base_freq", "rope.freq_base_swa", real, false},
    {"head_dim", "attention.key_length", integer, false},
    {"head_dim", "attention.value_length", integer, false},
    {"attn_logit_softcapping", "attn_logit_softcapping", real, false},
    {"final_logit_softcapping", "final_logit_softcapping", real, false},
};

constexpr ConfigRule kGpt2Config[] = {
    {"n_embd", "embedding_length"},
    {"n_layer", "block_count"},
    {"n_head", "attention.head_count"},
    {"n_positions", "context_length"},
    {"layer_norm_epsilon", "attention.layer_norm_epsilon", real},
};

constexpr ConfigValue kEncoderDemands[] = {
    {"hidden_act", "\"gelu\""},
    {"position_embedding_type", "\"absolute\""},
    {"is_decoder", "false"},
};

constexpr ConfigValue kNomicDemands[] = {
    {"activation_function", "\"swiglu\""},
    {"rotary_emb_fraction", "1.0"},
    {"rotary_emb_interleaved", "false"},
    {"rotary_emb_scale_base", "null"},
    {"prenorm", "false"},
    {"parallel_block", "false"},
    {"use_rms_norm", "false"},
    {"moe_every_n_layers", "0"},
    {"num_experts", "0"},
};

constexpr ConfigValue kSiluDemands[] = {{"hidden_act", "\"silu\""}};

constexpr ConfigValue kGemmaDemands[] = {
    {"hidden_activation", "\"gelu_pytorch_tanh\""},
    {"use_bidirectional_attention", "false"},
    {"use_bidirectional_attention", "null"},
};

constexpr ConfigValue kGpt2Demands[] = {
    {"activation_function", "\"gelu_new\""}, {"activation_function", "\"gelu_pytorch_tanh\""},
    {"scale_attn_weights", "true"},          {"scale_attn_by_inverse_layer_idx", "false"},
    {"add_cross_attention", "false"},
};

constexpr ConfigValue kMistralDefaults[] = {{"sliding_window", "4096"}};

constexpr ConfigValue kQwenDefaults[] = {{"use_sliding_window", "false"},
                                         {"max_window_layers", "28"}};

constexpr ConfigValue kGemma2Defaults[] = {
    {"head_dim", "256"},
    {"sliding_window", "4096"},
    {"query_pre_attn_scalar", "256"},
    {"attn_logit_softcapping", "50.0"},
    {"final_logit_softcapping", "30.0"},
};

constexpr ConfigValue kGemma3Defaults[] = {
    {"num_attention_heads", "8"},
    {"num_key_value_heads", "4"},
    {"head_dim", "256"},
    {"max_position_embeddings", "131072"},
    {"rms_norm_eps", "1e-6"},
    {"rope_theta", "1000000.0"},
    {"query_pre_attn_scalar", "256"},
    {"sliding_window", "4096"},
    {"sliding_window_pattern", "6"},
};

constexpr HfFamily kFamilies[] = {
    {.model_type = "mpnet",
     .arch = "mpnet",
     .tensors = {kMpnetTensors},
     .config = kEncoderConfig,
     .demands = kEncoderDemands,
     .is_encoder = true,
     .optional_prefix = "mpnet."},
    {.model_type = "bert",
     .arch = "bert",
     .tensors = {kBertTensors},
     .config = kEncoderConfig,
     .demands = kEncoderDemands,
     .is_encoder = true,
     .optional_prefix = "bert."},
    {.model_type = "nomic_bert",
     .arch = "nomic-bert",
     .tensors = {kNomicTensors},
     .config = kNomicConfig,
     .demands = kNomicDemands,
     .is_encoder = true,
     .optional_prefix = "bert."},
    {.model_type = "llama",
     .arch = "llama",
     .tensors = {kLlamaTensors, kDecoderTensors},
     .config = kDecoderConfig,
     .demands = kSiluDemands},
    {.model_type = "mistral",
     .arch = "llama",
     .tensors = {kLlamaTensors, kDecoderTensors},
     .config = kDecoderConfig,
     .demands = kSiluDemands,
     .defaults = kMistralDefaults},
    {.model_type = "qwen2",
     .arch = "qwen2",
     .tensors = {kDecoderTensors},
     .config = kDecoderConfig,
     .demands = kSiluDemands,
     .defaults = kQwenDefaults},
    {.model_type = "qwen3",
     .arch = "qwen3",
     .tensors = {kQwen3Tensors, kDecoderTensors},
     .config = kDecoderConfig,
     .demands = kSiluDemands,
     .defaults = kQwenDefaults},
    {.model_type = "gemma2",
     .arch = "gemma2",
     .tensors = {kGemmaTensors, kDecoderTensors},
     .config = kDecoderConfig,
     .demands = kGemmaDemands,
     .defaults = kGemma2Defaults},
    {.model_type = "gemma3_text",
     .arch = "gemma3",
     .tensors = {kGemmaTensors, kDecoderTensors},
     .config = kDecoderConfig,
     .demands = kGemmaDemands,
     .defaults = kGemma3Defaults},
    {.model_type = "phi3",
     .arch = "phi3",
     .tensors = {kPhi3Tensors, kDecoderTensors},
     .config = kDecoderConfig,
     .demands = kSiluDemands},
    {.model_type = "gpt2",
     .arch = "gpt2",
     .tensors = {kGpt2Tensors},
     .config = kGpt2Config,
     .demands = kGpt2Demands,
     .optional_prefix = "transformer."},
};

}  // namespace

std::span<const HfFamily> hf_families() {
  return kFamilies;
}

const HfFamily* find_hf_family(std::string_view model_type) {
  for (const HfFamily& family : kFamilies) {
    if (family.model_type == model_type) return &family;
  }
  return nullptr;
}

}  // namespace hearth
