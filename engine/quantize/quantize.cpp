#include "engine/quantize/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "engine/quantize/convert_rows.h"
#include "gguf/writer.h"

namespace hearth {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // of the block formats, as GGUF counts them

bool is_quantised(QuantType type) {
  return quant_type_info(type).block_elements > 1;
}

/// Weights in a type that Hearth cannot dequantise would stay as they are, without a word.
void check_readable(const gguf::Reader& in) {
  for (const gguf::Tensor& tensor : in.tensors()) {
    const QuantTypeInfo& info = quant_type_info(tensor.type);
    if (info.is_weight || !is_quantised(tensor.type)) continue;
    throw Error({in.name(),
                 fmt::format("tensor \"{}\" has a type that Hearth cannot read", tensor.name),
                 "the same model in F32, F16, BF16 or another type", std::string(info.name)});
  }
}

void check_not_quantised(const gguf::Reader& in, const std::vector<PlannedType>& plan) {
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const gguf::Tensor& tensor = in.tensors()[i];
    if (plan[i].type == tensor.type || !is_quantised(tensor.type)) continue;
    throw Error({in.name(),
                 fmt::format("tensor \"{}\" is quantised already, and quantising it again loses "
                             "precision twice",
                             tensor.name),
                 "a file in F32, F16 or BF16; or --allow-requantize",
                 std::string(quant_type_info(tensor.type).name)});
  }
}

void check_not_the_input(const gguf::Reader& in, const std::filesystem::path& out) {
  std::error_code none;
  if (std::filesystem::equivalent(in.name(), out, none) && !none) {
    throw Error({out.string(), "the result would overwrite the input", "another file name", ""});
  }
}

/// Converts the tensors as the writer asks for them, and keeps count.
class Driver {
 public:
  Driver(const gguf::Reader& in, std::vector<PlannedType> plan, const QuantizeOptions& options,
         const ProgressFn& progress)
      : in_(in), plan_(std::move(plan)), options_(options), progress_(progress) {
    for (const gguf::Tensor& tensor : in_.tensors()) total_ += tensor.elements();
    report_.tensors.resize(plan_.size());
  }

  void add_to(gguf::Writer& writer) {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      const gguf::Tensor& tensor = in_.tensors()[i];
      const QuantTypeInfo& info = quant_type_info(plan_[i].type);
      const std::uint64_t bytes = tensor.rows() * row_bytes(info, tensor.columns());
      report_.tensors[i] = {std::string(tensor.name), tensor.type, info.type,   plan_[i].reason,
                            tensor.elements(),        bytes,       std::nullopt};
      const std::span<const std::uint64_t> dims(tensor.dims.data(), tensor.n_dims);
      writer.add_tensor(tensor.name, info.type, dims, [this, i] { return convert(i); });
    }
  }

  QuantizeReport finish(std::uint64_t bytes_out) {
    report_.bytes_in = in_.file_bytes();
    report_.bytes_out = bytes_out;
    return std::move(report_);
  }

 private:
  std::span<const std::byte> convert(std::size_t i) {
    const gguf::Tensor& tensor = in_.tensors()[i];
    // the one before has been written
    if (i > 0) in_.drop_pages(in_.tensors()[i - 1]);
    if (plan_[i].type == tensor.type) {
      done_ += tensor.elements();
      report(progress_, done_, total_);
      return tensor.data;
    }
    const ConvertOptions options = {options_.n_threads, options_.measure_error};
    const ErrorSums sums = convert_rows(
        tensor, plan_[i].type, buffer_, options,
        [&](std::uint64_t rows) { report(progress_, done_ + rows * tensor.columns(), total_); });
    done_ += tensor.elements();
    if (options_.measure_error) {
      report_.tensors[i].nmse = sums.power > 0 ? sums.error / sums.power : 0.0;
    }
    return buffer_;
  }

  const gguf::Reader& in_;
  std::vector<PlannedType> plan_;
  const QuantizeOptions& options_;
  const ProgressFn& progress_;
  QuantizeReport report_;
  std::vector<std::byte> buffer_;  // the tensor that is being written
  std::uint64_t done_ = 0;         // elements
  std::uint64_t total_ = 0;
};

}  // namespace

QuantizeReport quantize_model(const gguf::Reader& in, const std::filesystem::path& out,
                              const Mix& mix, const QuantizeOptions& options,
                              const ProgressFn& progress) {
  check_not_the_input(in, out);
  check_readable(in);
  std::vector<PlannedType> plan = plan_types(in.tensors(), mix_model(in), mix);
  if (!options.allow_requantize) check_not_quantised(in, plan);
  gguf::Writer writer;
  writer.copy_metadata(in);
  writer.set("general.quantization_version", kQuantizationVersion);
  writer.set("general.file_type", mix.file_type);
  Driver driver(in, std::move(plan), options, progress);
  driver.add_to(writer);
  writer.write(out);
  return driver.finish(writer.file_bytes());
}

}  // namespace hearth
