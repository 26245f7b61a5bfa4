#include "engine/measure/model_cost.h"

#include <algorithm>
#include <variant>

#include "engine/model/forward.h"
#include "engine/model/tensor_rules.h"

namespace hearth {
namespace {

/// What multiplying one row of activations with a matrix of this type costs.
Work product_with(const gguf::Tensor& tensor) {
  Work work;
  const double operations = 2.0 * static_cast<double>(tensor.elements());
  const bool is_float = tensor.type == QuantType::F32 || tensor.type == QuantType::F16;
  double Work::*kind = tensor.type == QuantType::BF16 ? &Work::bf16
                       : is_float                     ? &Work::fma
                                                      : &Work::int8;
  work.*kind = operations;
  return work;
}

bool is_layer_matrix(const TensorSpec& spec) {
  return spec.part == TensorPart::weight &&
         std::holds_alternative<Linear LayerWeights::*>(spec.field);
}

}  // namespace

Work operator+(const Work& a, const Work& b) {
  return {a.int8 + b.int8, a.bf16 + b.bf16, a.fma + b.fma, a.bytes + b.bytes};
}

Work operator*(double factor, const Work& work) {
  return {factor * work.int8, factor * work.bf16, factor * work.fma, factor * work.bytes};
}

ModelCost::ModelCost(const gguf::Reader& file, const Model& model) : model_(model) {
  const HParams& h = model.hparams;
  if (h.n_expert > 0) experts_.share = static_cast<double>(h.n_expert_used) / h.n_expert;
  const FindDims find = [&](std::string_view name) -> std::optional<Dims> {
    const gguf::Tensor* tensor = file.find_tensor(name);
    if (!tensor) return std::nullopt;
    return Dims{tensor->dims[0], tensor->dims[1], tensor->dims[2]};
  };
  const auto count = [](Part& part, const gguf::Tensor& tensor) {
    part.per_token = part.per_token + part.share * product_with(tensor);
    part.bytes += static_cast<double>(tensor.data.size());
  };
  for (const TensorSpec& spec : tensor_specs(*model.family, h, find)) {
    const gguf::Tensor* tensor = file.find_tensor(spec.name);
    if (tensor && is_layer_matrix(spec)) count(spec.dims[2] > 1 ? experts_ : dense_, *tensor);
  }
  const gguf::Tensor* head = file.find_tensor("output.weight");
  if (!head) head = file.find_tensor("token_embd.weight");
  if (head && h.causal) count(head_, *head);
}

/// A pass of several tokens reads the experts that any of them chose: at most so many.
Work ModelCost::layers(int n_tokens) const {
  Work work = static_cast<double>(n_tokens) * (dense_.per_token + experts_.per_token);
  work.bytes = dense_.bytes + std::min(1.0, n_tokens * experts_.share) * experts_.bytes;
  return work;
}

double ModelCost::kv_bytes(int depth) const {
  const KvShape whole = kv_shape(model_, *model_.placement.output, {depth, 1});
  double bytes = 0;
  for (std::size_t il = 0; il < whole.layers.size(); ++il) {
    const int window = model_.hparams.layers[il].window;
    KvShape layer = whole;
    layer.n_ctx = window > 0 ? std::min(window, depth) : depth;
    layer.layers = {whole.layers[il]};
    bytes += static_cast<double>(layer.bytes());
  }
  return bytes;
}

Work ModelCost::prefill(int n_tokens, int depth, int n_ubatch) const {
  Work work;
  for (int done = 0; done < n_tokens; done += n_ubatch) {
    const int n = std::min(n_ubatch, n_tokens - done);
    work = work + layers(n);
    work.bytes += kv_bytes(depth + done + n);
  }
  return work;
}

Work ModelCost::decode(int n_batch, int depth) const {
  Work work = layers(n_batch) + static_cast<double>(n_batch) * head_.per_token;
  work.bytes += head_.bytes + n_batch * kv_bytes(depth + 1);
  return work;
}

}  // namespace hearth
