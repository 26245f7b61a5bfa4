#include "gguf/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "gguf/contents.h"
#include "gguf/violation.h"

namespace hearth::gguf {
namespace {

// A rule that is harmless to break does not keep a file from being used.
void throw_at_first(const Violation& v) {
  if (rule_info(v.rule).harmless) return;
  throw Error({.where = std::string(v.file), .what = v.what, .expected = v.expected, .got = v.got});
}

// Indices into `items`, sorted by name: lookups cannot be made slow by a file's choice of names.
template <typename Item, typename Name>
std::vector<std::uint32_t> sorted_by_name(const std::vector<Item>& items, Name name) {
  std::vector<std::uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return items[a].*name < items[b].*name; });
  return order;
}

template <typename Item, typename Name>
const Item* find_by_name(const std::vector<Item>& items, const std::vector<std::uint32_t>& order,
                         Name name, std::string_view wanted) {
  const auto at =
      std::lower_bound(order.begin(), order.end(), wanted,
                       [&](std::uint32_t i, std::string_view w) { return items[i].*name < w; });
  return at != order.end() && items[*at].*name == wanted ? &items[*at] : nullptr;
}

}  // namespace

struct Reader::Impl {
  Contents contents;
  std::vector<std::uint32_t> keys_by_name;
  std::vector<std::uint32_t> tensors_by_name;

  const std::vector<Entry>& metadata() const { return contents.parsed.metadata; }
  const std::vector<Tensor>& tensors() const { return contents.parsed.tensors; }

  void index() {
    keys_by_name = sorted_by_name(metadata(), &Entry::key);
    tensors_by_name = sorted_by_name(tensors(), &Tensor::name);
  }
};

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Reader Reader::from_bytes(std::span<const std::byte> bytes, std::string name) {
  auto impl = std::make_unique<Impl>();
  load_bytes(bytes, std::move(name), impl->contents, throw_at_first);
  impl->index();
  return Reader(std::move(impl));
}

Reader Reader::open(const std::filesystem::path& path) {
  auto impl = std::make_unique<Impl>();
  load_file(path, impl->contents, throw_at_first);
  impl->index();
  return Reader(std::move(impl));
}

const std::string& Reader::name() const {
  return impl_->contents.names.front();
}

std::uint32_t Reader::version() const {
  return impl_->contents.parsed.version;
}

std::uint64_t Reader::alignment() const {
  return impl_->contents.parsed.alignment;
}

std::uint64_t Reader::file_bytes() const {
  return impl_->contents.file_bytes;
}

std::uint32_t Reader::n_parts() const {
  return static_cast<std::uint32_t>(impl_->contents.names.size());
}

std::span<const Entry> Reader::metadata() const {
  return impl_->metadata();
}

const Value* Reader::find(std::string_view key) const {
  const Entry* entry = find_by_name(impl_->metadata(), impl_->keys_by_name, &Entry::key, key);
  return entry ? &entry->value : nullptr;
}

const Value& Reader::at(std::string_view key) const {
  if (const Value* value = find(key)) return *value;
  throw Error({.where = name(),
               .what = fmt::format("metadata key {} is missing", quoted(key)),
               .expected = {},
               .got = {}});
}

std::span<const Tensor> Reader::tensors() const {
  return impl_->tensors();
}

const Tensor* Reader::find_tensor(std::string_view name) const {
  return find_by_name(impl_->tensors(), impl_->tensors_by_name, &Tensor::name, name);
}

bool Reader::is_mapped() const {
  return !impl_->contents.files.empty();
}

void Reader::drop_pages(const Tensor& tensor) const {
  if (!impl_->contents.files.empty()) impl_->contents.files[tensor.part].drop_pages(tensor.data);
}

}  // namespace hearth::gguf
