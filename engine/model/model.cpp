#include "engine/model/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <type_traits>
#include <variant>

#include "base/error.h"
#include "engine/device/reference_device.h"
#include "engine/model/tensor_rules.h"

namespace hearth {
namespace {

constexpr std::size_t kMostProblemsShown = 12;

Dims dims_of(const gguf::Tensor& tensor) {
  return {tensor.dims[0], tensor.dims[1], tensor.dims[2]};
}

FindDims finder(const gguf::Reader& file) {
  return [&file](std::string_view name) -> std::optional<Dims> {
    const gguf::Tensor* tensor = file.find_tensor(name);
    return tensor ? std::optional<Dims>(dims_of(*tensor)) : std::nullopt;
  };
}

/// Puts tensors of the file where their specs say.
class Loader {
 public:
  Loader(const gguf::Reader& file, Model& model) : file_(file), model_(model) {}

  void load(const TensorSpec& spec, const gguf::Tensor& tensor) {
    std::visit(
        [&](auto field) {
          Device& device = device_for(spec);
          auto& owner = owner_of(field, spec.layer);
          fill(owner.*field, spec, tensor, device);
        },
        spec.field);
    model_.weight_bytes += tensor.data.size();
  }

  /// A head that is the embedding matrix, on a device that does not have it yet.
  void load_tied_head() {
    const gguf::Tensor& tensor = *file_.find_tensor("token_embd.weight");
    model_.weights.output.weight =
        model_.placement.output->load(host(tensor, HostMatrix::Use::multiply));
    model_.weights.output.scale = model_.weights.token_embd.scale;
    model_.weight_bytes += tensor.data.size();
  }

 private:
  template <class Part>
  ModelWeights& owner_of(Part ModelWeights::*, int) {
    return model_.weights;
  }
  template <class Part>
  LayerWeights& owner_of(Part LayerWeights::*, int layer) {
    return model_.weights.layers[static_cast<std::size_t>(layer)];
  }

  Device& device_for(const TensorSpec& spec) const {
    const Placement& placement = model_.placement;
    if (spec.layer >= 0) return *placement.layers[static_cast<std::size_t>(spec.layer)];
    const bool of_output = spec.name.starts_with("output");
    return of_output ? *placement.output : *placement.embedding;
  }

  HostMatrix host(const gguf::Tensor& tensor, HostMatrix::Use use) const {
    return {.name = tensor.name,
            .type = tensor.type,
            .rows = static_cast<std::int64_t>(tensor.rows()),
            .columns = static_cast<std::int64_t>(tensor.columns()),
            .data = tensor.data,
            .n_stacked = static_cast<std::int64_t>(tensor.dims[2]),
            .use = use,
            .is_mapped_file = file_.is_mapped()};
  }

  /// Embedding tables are read by rows; the one of tokens is multiplied with too where it is the
  /// head.
  HostMatrix::Use use_of(const TensorSpec& spec) const {
    const bool is_table = spec.name.starts_with("token_") || spec.name.starts_with("position_");
    const bool is_head = spec.name == "token_embd.weight" && !file_.find_tensor("output.weight") &&
                         model_.placement.output == model_.placement.embedding;
    return is_table && !is_head ? HostMatrix::Use::rows : HostMatrix::Use::multiply;
  }

  /// A small tensor of any type, as floats on the device.
  Vector vector(const gguf::Tensor& tensor, Device& device) const {
    Vector vector{.name = std::string(tensor.name),
                  .rows = static_cast<int>(tensor.rows()),
                  .columns = static_cast<int>(tensor.columns())};
    vector.buffer = device.allocate(static_cast<std::size_t>(tensor.elements()));
    device.upload(vector.view(), host_vector(tensor));
    return vector;
  }

  /// The same on the host, whatever the model's devices are.
  HostVector host_vector(const gguf::Tensor& tensor) const {
    ReferenceDevice reader;
    const auto rows = static_cast<std::size_t>(tensor.rows());
    const auto columns = static_cast<int>(tensor.columns());
    HostVector floats(static_cast<std::size_t>(tensor.elements()));
    const std::unique_ptr<Buffer> buffer = reader.allocate(floats.size());
    const Tensor view = {.buffer = buffer.get(),
                         .rows = static_cast<int>(rows),
                         .columns = columns,
                         .stride = columns,
                         .name = tensor.name};
    std::vector<std::int32_t> ids(rows);
    for (std::size_t i = 0; i < rows; ++i) ids[i] = static_cast<std::int32_t>(i);
    reader.get_rows(view, *reader.load(host(tensor, HostMatrix::Use::rows)), ids);
    reader.download(floats, view);
    return floats;
  }

  void fill(Norm& norm, const TensorSpec& spec, const gguf::Tensor& tensor, Device& device) {
    (spec.part == TensorPart::bias ? norm.bias : norm.weight) = vector(tensor, device);
  }

  void fill(Linear& linear, const TensorSpec& spec, const gguf::Tensor& tensor, Device& device) {
    switch (spec.part) {
      case TensorPart::weight:
        linear.weight = device.load(host(tensor, use_of(spec)));
        break;
      case TensorPart::bias:
        linear.bias = vector(tensor, device);
        break;
      case TensorPart::scale:
        linear.scale = host_vector(tensor).front();
        break;
    }
  }

  void fill(HostVector& floats, const TensorSpec&, const gguf::Tensor& tensor, Device&) {
    floats = host_vector(tensor);
  }

  const gguf::Reader& file_;
  Model& model_;
};

[[noreturn]] void throw_problems(const gguf::Reader& file, const Family& family,
                                 const std::vector<std::string>& problems) {
  const std::size_t shown = std::min(problems.size(), kMostProblemsShown);
  std::string list = fmt::format(
      "{}",
      fmt::join(problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  if (shown < problems.size()) list += fmt::format("; and {} more", problems.size() - shown);
  throw Error(Error::Parts{
      .where = file.name(),
      .what = fmt::format("{} of its tensors are not those of a {} model of this size: {}",
                          problems.size(), family.name, list),
      .expected = {},
      .got = {}});
}

}  // namespace

Placement all_on(Device& device, int n_layer) {
  return {.embedding = &device,
          .layers = std::vector<Device*>(static_cast<std::size_t>(n_layer), &device),
          .output = &device};
}

std::vector<std::string> tensor_problems(const gguf::Reader& file, const Family& family,
                                         const HParams& hparams) {
  std::vector<std::string> problems;
  for (const TensorSpec& spec : tensor_specs(family, hparams, finder(file))) {
    const gguf::Tensor* tensor = file.find_tensor(spec.name);
    if (!tensor && spec.required) {
      problems.push_back(fmt::format("{} {} is missing", spec.name, describe(spec.dims)));
    }
    if (!tensor) continue;
    if (dims_of(*tensor) != spec.dims || tensor->dims[3] != 1) {
      problems.push_back(fmt::format("{} is {}, not {}", spec.name, describe(dims_of(*tensor)),
                                     describe(spec.dims)));
    }
    if (!quant_type_info(tensor->type).is_weight) {
      problems.push_back(fmt::format("{} has type {}, which is not one of weights", spec.name,
                                     quant_type_info(tensor->type).name));
    }
  }
  return problems;
}

void check_tensors(const gguf::Reader& file, const Family& family, const HParams& hparams) {
  if (file.tensors().empty()) {
    throw Error(Error::Parts{.where = file.name(),
                             .what = "has no weights: it is a vocabulary without a model, good for "
                                     "tokenize and template only",
                             .expected = "a file with tensors",
                             .got = "none"});
  }
  const std::vector<std::string> problems = tensor_problems(file, family, hparams);
  if (!problems.empty()) throw_problems(file, family, problems);
}

Model load_model(const gguf::Reader& file, const Family& family, HParams hparams,
                 Placement placement, const ProgressFn& progress) {
  check_tensors(file, family, hparams);
  Model model{.family = &family, .hparams = std::move(hparams), .placement = std::move(placement)};
  model.weights.layers.resize(model.hparams.layers.size());

  const std::vector<TensorSpec> specs = tensor_specs(family, model.hparams, finder(file));
  std::uint64_t total = 0;
  for (const TensorSpec& spec : specs) {
    if (const gguf::Tensor* tensor = file.find_tensor(spec.name)) total += tensor->data.size();
  }
  Loader loader(file, model);
  for (const TensorSpec& spec : specs) {
    if (const gguf::Tensor* tensor = file.find_tensor(spec.name)) loader.load(spec, *tensor);
    report(progress, model.weight_bytes, total);
  }
  if (!model.weights.output && model.placement.output != model.placement.embedding) {
    loader.load_tied_head();
  }
  return model;
}

}  // namespace hearth
