#include "gguf/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.h"
#include "base/output_file.h"
#include "gguf/keys.h"
#include "gguf/parse.h"
#include "gguf/wire.h"

namespace hearth::gguf {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::string_view kSplitPrefix = "split.";

template <typename T>
void append_number(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void append_string(std::string& out, std::string_view text) {
  append_number<std::uint64_t>(out, text.size());
  out.append(text);
}

std::uint64_t padding(std::uint64_t bytes, std::uint64_t alignment) {
  return (alignment - bytes % alignment) % alignment;
}

// Bytes of a tensor; meaningless for shapes that the parser will refuse.
std::uint64_t data_bytes(QuantType type, const std::vector<std::uint64_t>& dims) {
  const QuantTypeInfo& info = quant_type_info(type);
  std::uint64_t elements = 1;
  for (const std::uint64_t d : dims) elements *= d;
  return elements / info.block_elements * info.block_bytes;
}

}  // namespace

ArrayBuilder& ArrayBuilder::add(std::string_view text) {
  append(ValueType::string, {});
  append_string(elements_, text);
  return *this;
}

ArrayBuilder& ArrayBuilder::add(const ArrayBuilder& inner) {
  append(ValueType::array, {});
  elements_ += inner.payload();
  return *this;
}

ArrayBuilder& ArrayBuilder::append(ValueType type, std::span<const std::byte> bytes) {
  HEARTH_CHECK(type == element_type_);
  elements_ += as_text(bytes);
  ++count_;
  return *this;
}

std::string ArrayBuilder::payload() const {
  std::string out;
  append_number(out, static_cast<std::uint32_t>(element_type_));
  append_number(out, count_);
  return out += elements_;
}

void Writer::set(std::string_view key, std::string_view text) {
  std::string payload;
  append_string(payload, text);
  put(key, ValueType::string, std::move(payload));
}

void Writer::set(std::string_view key, const ArrayBuilder& array) {
  put(key, ValueType::array, array.payload());
}

void Writer::set(std::string_view key, const Value& value) {
  std::string payload;
  if (value.is_array()) {
    append_number(payload, static_cast<std::uint32_t>(value.element_type()));
    append_number(payload, value.count());
  }
  payload += as_text(value.bytes());
  put(key, value.type(), std::move(payload));
}

void Writer::put(std::string_view key, ValueType type, std::string payload) {
  const auto [at, is_new] = by_key_.try_emplace(std::string(key), metadata_.size());
  if (is_new) {
    metadata_.push_back({std::string(key), type, std::move(payload)});
  } else {
    metadata_[at->second].type = type;
    metadata_[at->second].payload = std::move(payload);
  }
}

void Writer::copy_metadata(const Reader& reader) {
  for (const Entry& entry : reader.metadata()) {
    if (!entry.key.starts_with(kSplitPrefix)) set(entry.key, entry.value);
  }
}

void Writer::remove(std::string_view key) {
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) return;
  const std::size_t removed = at->second;
  metadata_.erase(metadata_.begin() + static_cast<std::ptrdiff_t>(removed));
  by_key_.erase(at);
  for (auto& [name, index] : by_key_) {
    if (index > removed) --index;
  }
}

void Writer::add_tensor(std::string_view name, QuantType type, std::span<const std::uint64_t> dims,
                        DataFn data) {
  tensors_.push_back({std::string(name), type, {dims.begin(), dims.end()}, std::move(data)});
}

void Writer::add_tensor(std::string_view name, QuantType type, std::span<const std::uint64_t> dims,
                        std::span<const std::byte> data) {
  add_tensor(name, type, dims, [data] { return data; });
}

void Writer::add_tensor(const Tensor& tensor) {
  add_tensor(tensor.name, tensor.type, std::span(tensor.dims).first(tensor.n_dims), tensor.data);
}

Writer::Layout Writer::layout(const std::string& name) const {
  Layout out;
  out.alignment = kDefaultAlignment;
  if (const auto at = by_key_.find(keys::kAlignment); at != by_key_.end()) {
    const Meta& meta = metadata_[at->second];
    std::uint32_t wanted = 0;
    std::memcpy(&wanted, meta.payload.data(), std::min(sizeof(wanted), meta.payload.size()));
    if (meta.type == ValueType::u32 && std::has_single_bit(wanted)) out.alignment = wanted;
  }
  std::string& header = out.header;
  header = "GGUF";
  append_number(header, kVersion);
  append_number<std::uint64_t>(header, tensors_.size());
  append_number<std::uint64_t>(header, metadata_.size());
  for (const Meta& meta : metadata_) {
    append_string(header, meta.key);
    append_number(header, static_cast<std::uint32_t>(meta.type));
    header += meta.payload;
  }
  std::uint64_t offset = 0;
  for (const Planned& tensor : tensors_) {
    append_string(header, tensor.name);
    append_number(header, static_cast<std::uint32_t>(tensor.dims.size()));
    for (const std::uint64_t d : tensor.dims) append_number(header, d);
    append_number(header, static_cast<std::uint32_t>(tensor.type));
    append_number(header, offset);
    out.bytes.push_back(data_bytes(tensor.type, tensor.dims));
    offset += out.bytes.back() + padding(out.bytes.back(), out.alignment);
  }
  // What the parser refuses is not written. The data is not here, so it cannot be missed.
  parse(std::as_bytes(std::span(header)), name, 0, [&](const Violation& v) {
    if (v.rule == Rule::tensor_bounds || rule_info(v.rule).harmless) return;
    throw Error({.where = name, .what = v.what, .expected = v.expected, .got = v.got});
  });
  if (!tensors_.empty()) out.header_padding = padding(header.size(), out.alignment);
  out.file_bytes = header.size() + out.header_padding + offset;
  return out;
}

void Writer::emit(const Layout& layout, const PutFn& put_bytes, const ProgressFn& progress) const {
  std::uint64_t done = 0;
  const auto put_padded = [&](std::span<const std::byte> bytes, std::uint64_t pad) {
    static constexpr std::array<std::byte, 4096> kZeros{};
    put_bytes(bytes);
    done += bytes.size() + pad;
    for (std::uint64_t n = 0; pad > 0; pad -= n) {
      n = std::min<std::uint64_t>(pad, kZeros.size());
      put_bytes(std::span(kZeros).first(n));
    }
    report(progress, done, layout.file_bytes);
  };
  put_padded(std::as_bytes(std::span(layout.header)), layout.header_padding);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const std::span<const std::byte> data = tensors_[i].data();
    HEARTH_CHECK(data.size() == layout.bytes[i]);
    put_padded(data, padding(data.size(), layout.alignment));
  }
}

std::uint64_t Writer::file_bytes() const {
  return layout("new file").file_bytes;
}

void Writer::write(const std::filesystem::path& path, const ProgressFn& progress) const {
  const Layout plan = layout(path.string());
  OutputFile file(path, plan.file_bytes);
  emit(
      plan, [&](std::span<const std::byte> bytes) { file.write(bytes); }, progress);
  file.commit();
}

std::vector<std::byte> Writer::to_bytes() const {
  const Layout plan = layout("new file");
  std::vector<std::byte> out;
  out.reserve(plan.file_bytes);
  emit(plan,
       [&](std::span<const std::byte> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); },
       {});
  return out;
}

}  // namespace hearth::gguf
