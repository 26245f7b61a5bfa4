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

// Llama's names, which most decoders took over.
constexpr TensorRule kLlamaTensors[] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm"},
    {"lm_head", "output"},
    {"layers.{}.self_attn.q_proj", "blk.{}.attn_q", pair_q},
    {"layers.{}.self_attn.k_proj", "blk.{}.attn_k", pair_k},
    {"layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"layers.{}.self_attn.rotary_emb.inv_freq", "", drop},
    {"layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
    {"layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
};

constexpr TensorRule kQwenTensors[] = {
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
    {"layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm"},
    {"layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm"},
};

constexpr TensorRule kGemmaTensors[] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm", add_one},
    {"lm_head", "output"},
    {"layers.{}.self_attn.q_proj", "blk.{}.attn_q"},
    {"layers.{}.self_attn.k_proj", "blk.{}.attn_k"},
    {"layers.{}.self_attn.v_proj", "blk.{}.attn_v"},
    {"layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"layers.{}.self_attn.rotary_emb.inv_freq", "", drop},
    {"layers.{}.input_layernorm", "blk.{}.attn_norm", add_one},
    {"layers.{}.mlp.gate_proj", "blk.{}.ffn_gate"},
    {"layers.{}.mlp.up_proj", "blk.{}.ffn_up"},
    {"layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
    {"layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", add_one},
    {"layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm", add_one},
    {"layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm", add_one},
    {"layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", add_one},
    {"layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", add_one},
};

constexpr TensorRule kPhi3Tensors[] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm"},
    {"lm_head", "output"},
    {"layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv"},
    {"layers.{}.self_attn.o_proj", "blk.{}.attn_output"},
    {"layers.{}.input_layernorm", "blk.{}.attn_norm"},
    {"layers.{}.post_attention_layernorm", "blk.{}.ffn_norm"},
    {"layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up"},
    {"layers.{}.mlp.down_proj", "blk.{}.ffn_down"},
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

constexpr HfFamily kFamilies[] = {
    {"mpnet", "mpnet", kMpnetTensors, kEncoderConfig, true, "mpnet."},
    {"bert", "bert", kBertTensors, kEncoderConfig, true, "bert."},
    {"llama", "llama", kLlamaTensors, kDecoderConfig},
    {"mistral", "llama", kLlamaTensors, kDecoderConfig},
    {"qwen2", "qwen2", kQwenTensors, kDecoderConfig},
    {"qwen3", "qwen3", kQwenTensors, kDecoderConfig},
    {"gemma2", "gemma2", kGemmaTensors, kDecoderConfig},
    {"gemma3_text", "gemma3", kGemmaTensors, kDecoderConfig},
    {"phi3", "phi3", kPhi3Tensors, kDecoderConfig},
    {"gpt2", "gpt2", kGpt2Tensors, kGpt2Config, false, "transformer."},
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
