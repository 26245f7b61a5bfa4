#include "tests/support/toy_model.h"

#include <cmath>
#include <deque>
#include <random>
#include <stdexcept>
#include <variant>

#include "gguf/reader.h"
#include "kernels/dispatch.h"

namespace hearth::test {
namespace {

void write_metadata(gguf::Writer& writer, const ToyOptions& o) {
  const auto key = [&](std::string_view name) { return o.family + "." + std::string(name); };
  const auto number = [&](std::string_view name, int value) {
    writer.set(key(name), static_cast<std::uint32_t>(value));
  };
  writer.set("general.architecture", o.family);
  number("block_count", o.n_layer);
  number("context_length", o.n_ctx);
  number("embedding_length", o.n_embd);
  number("feed_forward_length", o.n_ff);
  number("attention.head_count", o.n_head);
  number("attention.head_count_kv", o.n_head_kv);
  number("vocab_size", o.n_vocab);
  writer.set(key("attention.layer_norm_rms_epsilon"), 1e-5F);
  writer.set(key("attention.layer_norm_epsilon"), 1e-5F);
  writer.set(key("rope.freq_base"), 10000.0F);
  if (o.metadata) o.metadata(writer);
}

/// Numbers that keep activations near 1: matrices by their width, norm weights around 1.
std::vector<float> random_values(const TensorSpec& spec, const Dims& dims, std::mt19937_64& bits) {
  const auto uniform = [&] {
    return static_cast<double>(bits() >> 11) * 0x1p-53 * 2.0 - 1.0;  // [-1, 1)
  };
  const bool is_matrix = dims[1] > 1 && spec.part == TensorPart::weight;
  const bool is_factor = spec.part == TensorPart::scale || spec.name.starts_with("rope_") ||
                         (spec.part == TensorPart::weight && !is_matrix);
  const double width = is_matrix ? 1.7 / std::sqrt(static_cast<double>(dims[0])) : 0.2;
  std::vector<float> values(dims[0] * dims[1] * dims[2]);
  for (float& value : values) {
    value = static_cast<float>((is_factor ? 1.0 : 0.0) + width * uniform());
  }
  return values;
}

/// The type that a tensor gets.
QuantType type_of(const TensorSpec& spec, const Dims& dims, QuantType wished) {
  const bool is_matrix = dims[1] > 1 && std::holds_alternative<Linear LayerWeights::*>(spec.field);
  const bool of_model = dims[1] > 1 && std::holds_alternative<Linear ModelWeights::*>(spec.field);
  if (spec.part != TensorPart::weight || !(is_matrix || of_model)) return QuantType::F32;
  return dims[0] % quant_type_info(wished).block_elements == 0 ? wished : QuantType::F32;
}

std::vector<std::byte> as_type(const std::vector<float>& values, QuantType type) {
  std::vector<std::byte> bytes(row_bytes(quant_type_info(type), values.size()));
  kernels::scalar_kernels().quantize_row[type](values.data(), bytes.data(), values.size());
  return bytes;
}

/// "attn_q.bias" of "blk.3.attn_q.bias".
std::string stem_and_part(const std::string& name) {
  if (!name.starts_with("blk.")) return name;
  return name.substr(name.find('.', 4) + 1);
}

}  // namespace

ToyOptions toy_of(const Family& family) {
  ToyOptions options{.family = std::string(family.name)};
  options.metadata = [&family](gguf::Writer& writer) {
    const std::string prefix = std::string(family.name) + ".";
    // Of these, few files have a window.
    const std::set<std::string_view> mostly_whole = {"llama", "qwen2", "qwen3"};
    if (!mostly_whole.contains(family.name)) {
      writer.set(prefix + "attention.sliding_window", std::uint32_t{4});
    }
    writer.set(prefix + "attn_logit_softcapping", 5.0F);
    if (family.name == "mpnet") {
      writer.set(prefix + "attention.relative_buckets_count", std::uint32_t{8});
    }
    writer.set(prefix + "final_logit_softcapping", 3.0F);
    if (family.name.find("moe") == std::string_view::npos) return;
    writer.set(prefix + "expert_count", std::uint32_t{5});
    writer.set(prefix + "expert_used_count", std::uint32_t{2});
    writer.set(prefix + "expert_feed_forward_length", std::uint32_t{24});
    writer.set(prefix + "expert_shared_feed_forward_length", std::uint32_t{16});
  };
  return options;
}

std::vector<std::byte> toy_model(const ToyOptions& options) {
  gguf::Writer writer;
  write_metadata(writer, options);
  const std::vector<std::byte> bytes = writer.to_bytes();
  const gguf::Reader numbers = gguf::Reader::from_bytes(bytes, "toy");
  const Family* family = find_family(options.family);
  if (!family) throw std::runtime_error("no such family: " + options.family);
  const HParams hparams = read_hparams(numbers, *family);

  // What is there decides what else is required: ask for the optional parts first.
  const FindDims wished = [&](std::string_view name) -> std::optional<Dims> {
    if (!options.with.contains(stem_and_part(std::string(name)))) return std::nullopt;
    const auto wrong = options.misshapen.find(std::string(name));
    return wrong == options.misshapen.end() ? Dims{1, 1, 1} : wrong->second;
  };
  std::mt19937_64 bits(options.seed);
  std::deque<std::vector<std::byte>> data;
  for (const TensorSpec& spec : tensor_specs(*family, hparams, wished)) {
    const bool wanted = spec.required || options.with.contains(stem_and_part(spec.name));
    if (!wanted || options.without.contains(spec.name)) continue;
    const auto wrong = options.misshapen.find(spec.name);
    const Dims dims = wrong == options.misshapen.end() ? spec.dims : wrong->second;
    const QuantType type = type_of(spec, dims, options.type);
    data.push_back(as_type(random_values(spec, dims, bits), type));
    const std::size_t n_dims = dims[2] > 1 ? 3 : dims[1] > 1 ? 2 : 1;
    writer.add_tensor(spec.name, type, std::span(dims).first(n_dims), data.back());
  }
  return writer.to_bytes();
}

}  // namespace hearth::test
