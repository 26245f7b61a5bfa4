#include "engine/convert/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/convert/checkpoint.h"
#include "engine/convert/hf_families.h"
#include "engine/convert/hf_metadata.h"
#include "engine/convert/hf_rope.h"
#include "engine/convert/hf_tokenizer.h"
#include "engine/model/model.h"
#include "engine/model/tensor_rules.h"
#include "engine/quantize/convert_rows.h"
#include "gguf/writer.h"
#include "kernels/half.h"

namespace hearth {
namespace {

/// A tensor on its way.
struct Planned {
  std::string from, name;
  const SafeTensor* source;
  TensorChange change;
  QuantType type;  // in the result
  Dims dims = {1, 1, 1};
  std::size_t n_dims = 1;

  std::uint64_t elements() const { return dims[0] * dims[1] * dims[2]; }
};

/// Elements of a checkpoint's type as floats.
std::vector<float> floats_of(const SafeTensor& tensor) {
  const std::size_t n = static_cast<std::size_t>(tensor.elements());
  std::vector<float> out(n);
  if (tensor.type == QuantType::F32) {
    if (n > 0) std::memcpy(out.data(), tensor.data.data(), tensor.data.size());
    return out;
  }
  for (std::size_t i = 0; i < n; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, tensor.data.data() + 2 * i, sizeof bits);
    out[i] = tensor.type == QuantType::F16
                 ? kernels::f16_to_f32(bits)
                 : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
  return out;
}

class Conversion {
 public:
  Conversion(const Checkpoint& checkpoint, const HfFamily& family, const CheckpointOptions& options)
      : checkpoint_(checkpoint), family_(family), options_(options) {}

  CheckpointReport run(const std::filesystem::path& out, const ProgressFn& progress) {
    plan();
    const auto rows_of = [this](std::string_view name) -> std::uint64_t {
      const Planned* planned = find(name);
      return planned ? planned->dims[1] : 0;
    };
    write_metadata(checkpoint_, family_, rows_of, writer_);
    rope_ = write_rope(checkpoint_, family_, writer_);
    write_tokenizer(checkpoint_, family_, rows_of("token_embd.weight"), writer_);
    constexpr std::uint32_t kQuantizationVersion = 2;
    writer_.set("general.quantization_version", kQuantizationVersion);
    check();
    for (const Planned& planned : planned_) {
      writer_.add_tensor(planned.name, planned.type, std::span(planned.dims).first(planned.n_dims),
                         [this, &planned] { return data_of(planned); });
    }
    for (const RopeTensor& tensor : rope_) {
      const std::uint64_t dims[] = {tensor.values.size()};
      writer_.add_tensor(tensor.name, QuantType::F32, dims,
                         [&tensor] { return std::as_bytes(std::span(tensor.values)); });
    }
    writer_.write(out, progress);
    report_.tensors = planned_.size() + rope_.size();
    report_.bytes = writer_.file_bytes();
    return report_;
  }

 private:
  const Planned* find(std::string_view name) const {
    const auto found = std::find_if(planned_.begin(), planned_.end(),
                                    [&](const Planned& p) { return p.name == name; });
    return found == planned_.end() ? nullptr : &*found;
  }

  /// The name without what some files have in front of it.
  std::string_view bare(std::string_view name) const {
    const std::string_view prefixes[] = {family_.optional_prefix, "model.", "language_model."};
    for (bool again = true; again;) {
      again = false;
      for (const std::string_view prefix : prefixes) {
        if (!name.starts_with(prefix)) continue;
        name.remove_prefix(prefix.size());
        again = true;
      }
    }
    return name;
  }

  /// Whether a tensor is of a part that sees or hears.
  bool is_of_other_part(std::string_view name) const {
    constexpr std::string_view kParts[] = {"vision_tower.",         "vision_model.", "visual.",
                                           "audio_tower.",          "embed_vision.", "embed_audio.",
                                           "multi_modal_projector."};
    return checkpoint_.has_other_parts() &&
           std::any_of(std::begin(kParts), std::end(kParts),
                       [&](std::string_view part) { return name.starts_with(part); });
  }

  /// "blk.3.attn_q.weight" of "layers.3.self_attn.q_proj.weight", with its rule; none if none fits.
  const TensorRule* rule_for(std::string_view name, std::string& to) const {
    struct Ending {
      std::string_view from, to;
    };
    // The older names of a norm's two parts are those of its paper.
    constexpr Ending kEndings[] = {
        {".weight", ".weight"}, {".bias", ".bias"}, {".gamma", ".weight"}, {".beta", ".bias"}};
    std::string stem(name.substr(0, name.rfind('.'))), part;
    for (const Ending& end : kEndings) {
      if (name.ends_with(end.from)) part = end.to;
    }
    std::string number;
    for (const auto& rules : family_.tensors) {
      for (const TensorRule& rule : rules) {
        if (!matches(rule.from, stem, number)) continue;
        if (part.empty() && rule.change != TensorChange::drop) continue;
        to = std::string(rule.to) + part;
        if (const auto at = to.find("{}"); at != std::string::npos) to.replace(at, 2, number);
        return &rule;
      }
    }
    return nullptr;
  }

  static bool matches(std::string_view pattern, std::string_view stem, std::string& number) {
    const std::size_t at = pattern.find("{}");
    if (at == std::string_view::npos) return pattern == stem;
    if (!stem.starts_with(pattern.substr(0, at))) return false;
    const std::string_view rest = stem.substr(at);
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    number = rest.substr(0, digits);
    constexpr std::size_t kMostDigits = 6;
    return digits > 0 && digits <= kMostDigits && rest.substr(digits) == pattern.substr(at + 2);
  }

  void plan() {
    std::vector<std::string> unknown;
    const bool is_tied = checkpoint_.config().value("tie_word_embeddings", false);
    for (const auto& [from, tensor] : checkpoint_.tensors()) {
      std::string to;
      const std::string_view name = bare(from);
      const TensorRule* rule = rule_for(name, to);
      if (is_of_other_part(name)) {
        ++report_.other_parts;
      } else if (!rule) {
        unknown.push_back(from);
      } else if (rule->change == TensorChange::drop || (is_tied && to == "output.weight")) {
        ++report_.dropped;
      } else {
        add(from, to, tensor, rule->change);
      }
    }
    if (unknown.empty()) return;
    checkpoint_.refuse("",
                       fmt::format("has {} tensors that a {} model does not have", unknown.size(),
                                   family_.model_type),
                       "the tensors of this family alone", first_few(unknown, ", "));
  }

  void add(const std::string& from, const std::string& to, const SafeTensor& tensor,
           TensorChange change) {
    if (const Planned* other = find(to)) {
      checkpoint_.refuse("", fmt::format("has two tensors for {}", to), "one",
                         fmt::format("{}, {}", other->from, from));
    }
    Planned p{.from = from, .name = to, .source = &tensor, .change = change, .type = tensor.type};
    if (tensor.shape.empty() || tensor.shape.size() > 2 || tensor.elements() == 0) {
      checkpoint_.refuse("", fmt::format("tensor \"{}\" is no row and no matrix", from),
                         "one or two dimensions",
                         fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
    }
    p.n_dims = tensor.shape.size();
    for (std::size_t i = 0; i < p.n_dims; ++i) p.dims[i] = tensor.shape[p.n_dims - 1 - i];
    if (change == TensorChange::transpose && p.n_dims == 2) std::swap(p.dims[0], p.dims[1]);
    if (change == TensorChange::skip_two_rows) {
      if (p.dims[1] < 3) checkpoint_.refuse("", fmt::format("tensor \"{}\" is too short", from));
      p.dims[1] -= 2;
    }
    p.type = type_for(p);
    planned_.push_back(std::move(p));
  }

  /// Rows are float32. Tables that are only looked up are not quantised: they are small and count.
  QuantType type_for(const Planned& p) {
    if (p.n_dims < 2) return QuantType::F32;
    const QuantType wanted = options_.type.value_or(p.source->type);
    const QuantTypeInfo& info = quant_type_info(wanted);
    const bool is_small = p.name == "position_embd.weight" || p.name == "token_types.weight" ||
                          p.name == "attn_rel_b.weight";
    if (is_small) return QuantType::F32;
    if (p.dims[0] % info.block_elements == 0) return wanted;
    ++report_.in_f16;
    return QuantType::F16;
  }

  /// That what will be written is a model of its family.
  void check() const {
    const std::vector<std::byte> head = writer_.to_bytes();
    const gguf::Reader meta = gguf::Reader::from_bytes(head, checkpoint_.folder().string());
    const Family& family = family_of(meta);
    const HParams hparams = read_hparams(meta, family);
    const FindDims finder = [&](std::string_view name) -> std::optional<Dims> {
      if (const Planned* planned = find(name)) return planned->dims;
      for (const RopeTensor& tensor : rope_) {
        if (tensor.name == name) return Dims{tensor.values.size(), 1, 1};
      }
      return std::nullopt;
    };
    std::vector<std::string> problems;
    for (const TensorSpec& spec : tensor_specs(family, hparams, finder)) {
      const Planned* planned = find(spec.name);
      if (!planned && spec.required) problems.push_back(spec.name + " is missing");
      if (planned && planned->dims != spec.dims) {
        problems.push_back(fmt::format("{} is {}, not {}", spec.name, describe(planned->dims),
                                       describe(spec.dims)));
      }
    }
    if (problems.empty()) return;
    checkpoint_.refuse(
        "", fmt::format("would not be a {} model: {}", family.name, first_few(problems, "; ")));
  }

  static std::string first_few(const std::vector<std::string>& all, std::string_view between) {
    constexpr std::size_t kShown = 8;
    const std::size_t n = std::min(kShown, all.size());
    const std::string shown = fmt::format("{}", fmt::join(std::span(all).first(n), between));
    return n == all.size() ? shown : fmt::format("{} and {} more", shown, all.size() - n);
  }

  std::span<const std::byte> data_of(const Planned& p) {
    if (last_) checkpoint_.drop_pages(*last_);
    last_ = p.source;
    const bool is_same = p.change == TensorChange::none && p.type == p.source->type;
    if (is_same) return p.source->data;
    std::vector<float> values = floats_of(*p.source);
    change(p, values);
    const gguf::Tensor tensor{.name = p.name,
                              .type = QuantType::F32,
                              .dims = {p.dims[0], p.dims[1], 1, 1},
                              .n_dims = 2,
                              .offset = 0,
                              .part = 0,
                              .data = std::as_bytes(std::span(values))};
    if (p.type == QuantType::F32) {
      buffer_.assign(tensor.data.begin(), tensor.data.end());
    } else {
      convert_rows(tensor, p.type, buffer_, {.n_threads = options_.n_threads},
                   [](std::uint64_t) {});
    }
    return buffer_;
  }

  void change(const Planned& p, std::vector<float>& values) const {
    const auto columns = static_cast<std::size_t>(p.dims[0]);
    switch (p.change) {
      case TensorChange::skip_two_rows:
        values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(2 * columns));
        break;
      case TensorChange::add_one:
        for (float& v : values) v += 1.0F;
        break;
      case TensorChange::transpose:
        if (p.n_dims == 2) values = transposed(values, columns);
        break;
      case TensorChange::pair_q:
        values = paired(values, p.n_dims == 2 ? columns : 1, "num_attention_heads");
        break;
      case TensorChange::pair_k:
        values = paired(values, p.n_dims == 2 ? columns : 1, "num_key_value_heads");
        break;
      case TensorChange::none:
      case TensorChange::drop:
        break;
    }
  }

  /// [inputs][outputs] to [outputs][inputs].
  static std::vector<float> transposed(const std::vector<float>& in, std::size_t inputs) {
    const std::size_t outputs = in.size() / inputs;
    std::vector<float> out(in.size());
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t o = 0; o < outputs; ++o) out[o * inputs + i] = in[i * outputs + o];
    }
    return out;
  }

  /// Row i of a head's first half stands before row i of its second.
  std::vector<float> paired(const std::vector<float>& in, std::size_t columns,
                            const std::string& heads) const {
    const auto& config = checkpoint_.config();
    const auto n_head = config.value(heads, config.value("num_attention_heads", std::uint64_t{0}));
    const std::size_t rows = in.size() / columns;
    if (n_head == 0 || rows % (2 * n_head) != 0) {
      checkpoint_.refuse("config.json", fmt::format("{} does not divide the rows", heads),
                         fmt::format("a divisor of {}", rows / 2), fmt::format("{}", n_head));
    }
    const std::size_t half = rows / n_head / 2;
    std::vector<float> out(in.size());
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t head = r / (2 * half), i = r % (2 * half);
      const std::size_t to = head * 2 * half + (i < half ? 2 * i : 2 * (i - half) + 1);
      std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(r * columns), columns,
                  out.begin() + static_cast<std::ptrdiff_t>(to * columns));
    }
    return out;
  }

  const Checkpoint& checkpoint_;
  const HfFamily& family_;
  const CheckpointOptions& options_;
  gguf::Writer writer_;
  std::vector<Planned> planned_;
  std::vector<RopeTensor> rope_;
  CheckpointReport report_;
  std::vector<std::byte> buffer_;  // the tensor that is being written
  const SafeTensor* last_ = nullptr;
};

}  // namespace

CheckpointReport convert_checkpoint(const std::filesystem::path& folder,
                                    const std::filesystem::path& out,
                                    const CheckpointOptions& options, const ProgressFn& progress) {
  Checkpoint checkpoint(folder);
  try {
    const std::string type = checkpoint.config().value("model_type", "");
    const HfFamily* family = find_hf_family(type);
    if (!family) {
      std::vector<std::string_view> known;
      for (const HfFamily& row : hf_families()) known.push_back(row.model_type);
      checkpoint.refuse("config.json", "this model family cannot be converted",
                        fmt::format("one of {}", fmt::join(known, ", ")), type);
    }
    for (const auto& [name, json] : family->defaults) {
      checkpoint.set_default(name, nlohmann::json::parse(json));
    }
    return Conversion(checkpoint, *family, options).run(out, progress);
  } catch (const nlohmann::json::exception& error) {
    checkpoint.refuse("config.json", "is not as Hugging Face writes it", {}, error.what());
  }
}

}  // namespace hearth
