// Any bytes as a GGUF file. Reader and check() agree on whether it can be used; what was accepted
// can be read to the end; and what the writer makes of it is the same model again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "gguf/check.h"
#include "gguf/reader.h"
#include "gguf/writer.h"

namespace {

using namespace hearth;

// Alignment can make a small model a large file; such a one is not worth a run's time.
constexpr std::uint64_t kLargestCopy = 1 << 20;

std::optional<gguf::Reader> open(std::span<const std::byte> bytes) {
  try {
    return gguf::Reader::from_bytes(bytes, "fuzz");
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool usable(const gguf::CheckReport& report) {
  return std::all_of(report.findings.begin(), report.findings.end(),
                     [](const gguf::Finding& f) { return gguf::rule_info(f.rule).harmless; });
}

void read_value(const gguf::Value& value) {
  value.describe();
  if (!value.is_array()) return;
  for (const gguf::Value& element : value.as_values()) read_value(element);
}

void read_everything(const gguf::Reader& reader) {
  volatile unsigned sink = 0;
  for (const gguf::Entry& entry : reader.metadata()) {
    HEARTH_CHECK(reader.find(entry.key) == &entry.value);
    read_value(entry.value);
  }
  for (const gguf::Tensor& tensor : reader.tensors()) {
    HEARTH_CHECK(reader.find_tensor(tensor.name) == &tensor);
    for (const std::byte b : tensor.data) sink = sink + static_cast<unsigned>(b);
  }
}

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void write_again(const gguf::Reader& reader) {
  gguf::Writer writer;
  for (const gguf::Entry& entry : reader.metadata()) writer.set(entry.key, entry.value);
  for (const gguf::Tensor& tensor : reader.tensors()) writer.add_tensor(tensor);
  if (writer.file_bytes() > kLargestCopy) return;
  const auto bytes = writer.to_bytes();
  const gguf::Reader copy = gguf::Reader::from_bytes(bytes, "copy");
  HEARTH_CHECK(copy.metadata().size() == reader.metadata().size());
  HEARTH_CHECK(copy.tensors().size() == reader.tensors().size());
  for (std::size_t i = 0; i < copy.metadata().size(); ++i) {
    const auto& [key, value] = copy.metadata()[i];
    HEARTH_CHECK(key == reader.metadata()[i].key);
    HEARTH_CHECK(same_bytes(value.bytes(), reader.metadata()[i].value.bytes()));
  }
  for (std::size_t i = 0; i < copy.tensors().size(); ++i) {
    HEARTH_CHECK(copy.tensors()[i].name == reader.tensors()[i].name);
    HEARTH_CHECK(copy.tensors()[i].dims == reader.tensors()[i].dims);
    HEARTH_CHECK(same_bytes(copy.tensors()[i].data, reader.tensors()[i].data));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const std::optional<gguf::Reader> reader = open(bytes);
  const gguf::CheckReport report = gguf::check_bytes(bytes, "fuzz");
  const bool all_listed = report.total == report.findings.size();
  if (all_listed) HEARTH_CHECK(reader.has_value() == usable(report));
  if (reader) {
    read_everything(*reader);
    write_again(*reader);
  }
  return 0;
}
