#include "engine/synth/synth.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
#include "engine/model/hparams.h"
#include "engine/synth/random_tensor.h"
#include "engine/synth/vocabulary.h"
#include "gguf/keys.h"
#include "gguf/reader.h"
#include "gguf/writer.h"

namespace hearth {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;

const Family& family_of(const Shape& shape) {
  const Family* family = find_family(shape.family);
  HEARTH_CHECK(family);
  return *family;
}

/// In the type that the table of keys has for it.
void set_number(gguf::Writer& writer, const std::string& key, std::string_view arch, double value) {
  const gguf::KeyInfo* info = gguf::find_key(key, arch);
  HEARTH_CHECK(info);
  const bool is_real =
      info->type == gguf::KeyType::real || info->type == gguf::KeyType::real_or_reals;
  if (is_real) {
    writer.set(key, static_cast<float>(value));
  } else {
    writer.set(key, static_cast<std::uint32_t>(value));
  }
}

void write_metadata(gguf::Writer& writer, const Shape& shape, const Mix& mix,
                    const SynthOptions& options) {
  const Family& family = family_of(shape);
  const int n_vocab = options.n_vocab > 0 ? options.n_vocab : shape.n_vocab;
  const int head_dim = shape.head_dim > 0 ? shape.head_dim : shape.n_embd / shape.n_head;
  const auto number = [&](std::string_view suffix, double value) {
    set_number(writer, gguf::arch_key(shape.family, suffix), shape.family, value);
  };
  writer.set(gguf::keys::kArchitecture, shape.family);
  writer.set("general.name", fmt::format("random weights in the shape of {}", shape.name));
  writer.set(gguf::keys::kQuantizationVersion, kQuantizationVersion);
  if (find_mix(mix.name)) writer.set("general.file_type", mix.file_type);
  number("vocab_size", n_vocab);
  number("context_length", shape.n_ctx);
  number("embedding_length", shape.n_embd);
  number("block_count", options.n_layer > 0 ? options.n_layer : shape.n_layer);
  number("feed_forward_length", shape.n_ff);
  number("attention.head_count", shape.n_head);
  number("attention.head_count_kv", shape.n_head_kv);
  number("attention.key_length", head_dim);
  number("attention.value_length", head_dim);
  number(family.norm == NormKind::rms ? "attention.layer_norm_rms_epsilon"
                                      : "attention.layer_norm_epsilon",
         shape.norm_eps);
  if (shape.rope_base > 0) {
    number("rope.freq_base", shape.rope_base);
    number("rope.dimension_count", head_dim);
  }
  for (const ShapeKey& key : shape.keys) number(key.suffix, key.value);
  if (!family.causal) {
    number("pooling_type", 1);
    writer.set(gguf::arch_key(shape.family, "attention.causal"), false);
  }
  write_synth_vocabulary(writer, shape, n_vocab);
}

/// "attn_q.bias" of "blk.3.attn_q.bias".
std::string_view stem_and_part(std::string_view name) {
  return name.starts_with("blk.") ? name.substr(name.find('.', 4) + 1) : name;
}

/// Which of the tensors that the family may have the shape does have.
class Wishes {
 public:
  explicit Wishes(const Shape& shape) : shape_(shape) {}

  bool has(std::string_view name) const {
    const std::string_view stem = stem_and_part(name);
    const bool is_head = stem == "output.weight" && !shape_.tied && family_of(shape_).causal;
    return is_head || (shape_.fused_gate_up && stem == "ffn_up.weight") ||
           std::ranges::find(shape_.optionals, stem) != shape_.optionals.end();
  }

  /// As a file with those tensors would answer; only of ffn_up is the size of interest.
  std::optional<Dims> dims(std::string_view name) const {
    if (!has(name)) return std::nullopt;
    return Dims{static_cast<std::uint64_t>(shape_.n_embd),
                2 * static_cast<std::uint64_t>(shape_.n_ff), 1};
  }

 private:
  const Shape& shape_;
};

/// Names and sizes, in the type that a conversion gives before quantising: F32 for what stays so.
std::vector<SynthTensor> tensors_of(const Shape& shape, const gguf::Reader& metadata) {
  const Family& family = family_of(shape);
  const Wishes wishes(shape);
  const FindDims find = [&](std::string_view name) { return wishes.dims(name); };
  std::vector<SynthTensor> tensors;
  for (const TensorSpec& spec : tensor_specs(family, read_hparams(metadata, family), find)) {
    if (!spec.required && !wishes.has(spec.name)) continue;
    tensors.push_back({spec.name, spec.dims, QuantType::F32});
  }
  return tensors;
}

/// Gives each tensor the type that quantize_model() would.
void quantise(std::vector<SynthTensor>& tensors, const gguf::Reader& metadata, const Mix& mix) {
  std::vector<gguf::Tensor> views;
  for (const SynthTensor& tensor : tensors) {
    gguf::Tensor view = {};
    view.name = tensor.name;
    view.type = tensor.type;
    view.dims = {tensor.dims[0], tensor.dims[1], tensor.dims[2], 1};
    views.push_back(view);
  }
  const std::vector<PlannedType> plan = plan_types(views, mix_model(metadata), mix);
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].type = plan[i].type;
}

struct Plan {
  gguf::Writer writer;  // the metadata
  std::vector<SynthTensor> tensors;
};

Plan make_plan(const Shape& shape, const Mix& mix, const SynthOptions& options) {
  Plan plan;
  write_metadata(plan.writer, shape, mix, options);
  const std::vector<std::byte> bytes = plan.writer.to_bytes();
  const gguf::Reader metadata = gguf::Reader::from_bytes(bytes, std::string(shape.name));
  plan.tensors = tensors_of(shape, metadata);
  quantise(plan.tensors, metadata, mix);
  return plan;
}

std::span<const std::byte> fill(RandomTensors& random, const SynthTensor& tensor) {
  if (tensor.dims[1] > 1) {
    return random.matrix(tensor.type, tensor.dims[1] * tensor.dims[2], tensor.dims[0]);
  }
  const bool is_bias = tensor.name.ends_with(".bias");
  const bool is_rope = tensor.name.starts_with("rope_");  // factors of 1: not stretched
  return random.vector(tensor.dims[0], is_bias ? 0.0F : 1.0F, is_rope ? 0.0F : 0.1F);
}

void add_tensors(Plan& plan, RandomTensors& random) {
  for (const SynthTensor& tensor : plan.tensors) {
    const std::size_t n_dims = tensor.dims[2] > 1 ? 3 : tensor.dims[1] > 1 ? 2 : 1;
    plan.writer.add_tensor(tensor.name, tensor.type, std::span(tensor.dims).first(n_dims),
                           [&] { return fill(random, tensor); });
  }
}

SynthReport report_of(Plan& plan) {
  SynthReport report;
  report.file_bytes = plan.writer.file_bytes();
  for (const SynthTensor& tensor : plan.tensors) report.elements += tensor.elements();
  report.tensors = std::move(plan.tensors);
  return report;
}

}  // namespace

std::uint64_t SynthTensor::bytes() const {
  return dims[1] * dims[2] * row_bytes(quant_type_info(type), dims[0]);
}

std::optional<Mix> find_synth_mix(std::string_view name) {
  if (const Mix* mix = find_mix(name)) return *mix;
  const QuantTypeInfo* info = find_quant_type(name);
  if (!info || !info->is_weight) return std::nullopt;
  return Mix{.name = info->name,
             .file_type = 0,
             .base = info->type,
             .output = info->type,
             .rules = {},
             .hint = {}};
}

SynthReport plan_synth_model(const Shape& shape, const Mix& mix, const SynthOptions& options) {
  Plan plan = make_plan(shape, mix, options);
  RandomTensors unused(0);
  add_tensors(plan, unused);
  return report_of(plan);
}

SynthReport write_synth_model(const Shape& shape, const Mix& mix, const SynthOptions& options,
                              const std::filesystem::path& out, const ProgressFn& progress) {
  Plan plan = make_plan(shape, mix, options);
  RandomTensors random(options.seed);
  add_tensors(plan, random);
  plan.writer.write(out, progress);
  return report_of(plan);
}

}  // namespace hearth
