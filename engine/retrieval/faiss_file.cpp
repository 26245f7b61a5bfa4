#include "engine/retrieval/faiss_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace hearth::retrieval {
namespace {

struct Kind {
  char name[5];
  std::int32_t number;  // FAISS's MetricType
  Metric metric;
};
constexpr Kind kKinds[] = {{"IxFI", 0, Metric::inner_product}, {"IxF2", 1, Metric::l2}};

/// A field that nobody reads, with what FAISS writes into it.
constexpr std::int64_t kUnused = 1 << 20;

constexpr std::size_t kHeadBytes = 45;

class Fields {
 public:
  Fields(std::span<const std::byte> bytes, const std::string& name) : rest_(bytes), name_(name) {}

  template <class Number>
  Number take() {
    if (rest_.size() < sizeof(Number)) refuse("the file is cut short", "a whole FAISS index", {});
    Number number;
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_ = rest_.subspan(sizeof number);
    return number;
  }

  [[noreturn]] void refuse(std::string what, std::string expected, std::string got) const {
    throw Error({.where = name_,
                 .what = std::move(what),
                 .expected = std::move(expected),
                 .got = std::move(got)});
  }

 private:
  std::span<const std::byte> rest_;
  const std::string& name_;
};

template <class Number>
void append(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

FlatHead parse_flat_head(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                         const std::string& name) {
  Fields fields(bytes, name);
  const auto letters = fields.take<std::uint32_t>();
  const Kind* kind = nullptr;
  for (const Kind& known : kKinds) {
    if (std::memcmp(known.name, &letters, sizeof letters) == 0) kind = &known;
  }
  if (!kind) fields.refuse("is not a flat index of FAISS", "one that begins with IxFI or IxF2", {});
  const auto dimension = fields.take<std::int32_t>();
  const auto n = fields.take<std::int64_t>();
  fields.take<std::int64_t>();
  fields.take<std::int64_t>();
  fields.take<std::uint8_t>();  // whether it is trained: a flat index needs no training
  const auto metric = fields.take<std::int32_t>();
  const auto n_values = fields.take<std::uint64_t>();
  constexpr std::int32_t kMostDimensions = 1 << 16;
  if (metric != kind->number || dimension < 1 || dimension > kMostDimensions || n < 0) {
    fields.refuse("has a head that cannot be", "a metric that is its own, 1 to 65536 dimensions",
                  fmt::format("metric {}, {} dimensions, {} vectors", metric, dimension, n));
  }
  const std::uint64_t n_held =
      file_bytes < kHeadBytes ? 0 : (file_bytes - kHeadBytes) / sizeof(float);
  const auto count = static_cast<std::uint64_t>(n);
  if (count > n_held || n_values != count * static_cast<std::uint64_t>(dimension) ||
      file_bytes != kHeadBytes + n_values * sizeof(float)) {
    fields.refuse("the file is cut short, or its counts do not agree",
                  fmt::format("{} vectors of {} numbers", n, dimension),
                  fmt::format("{} numbers, and {} bytes", n_values, file_bytes));
  }
  return {
      .metric = kind->metric, .dimension = static_cast<std::uint32_t>(dimension), .count = count};
}

FlatReader::FlatReader(const std::filesystem::path& path)
    : name_(path.string()), file_(path, std::ios::binary) {
  std::error_code failed;
  const bool is_regular = std::filesystem::is_regular_file(path, failed);
  if (!file_ || !is_regular) {
    throw Error({.where = name_,
                 .what = "cannot be opened",
                 .expected = "a file that FAISS has written",
                 .got = failed ? failed.message() : std::string()});
  }
  std::byte head[kHeadBytes];
  file_.read(reinterpret_cast<char*>(head), sizeof head);
  const auto n = static_cast<std::size_t>(file_.gcount());
  head_ = parse_flat_head(std::span(head).first(n), std::filesystem::file_size(path), name_);
}

std::vector<float> FlatReader::next(std::uint64_t n) {
  n = std::min(n, head_.count - n_read_);
  std::vector<float> values(n * head_.dimension);
  const auto bytes = static_cast<std::streamsize>(values.size() * sizeof(float));
  if (!file_.read(reinterpret_cast<char*>(values.data()), bytes)) {
    throw Error({.where = name_,
                 .what = "the file became shorter while it was read",
                 .expected = fmt::format("{} vectors", head_.count),
                 .got = {}});
  }
  n_read_ += n;
  return values;
}

FlatWriter::FlatWriter(const std::filesystem::path& path, const FlatHead& head)
    : file_(path, kHeadBytes + head.count * head.dimension * sizeof(float)),
      n_missing_(head.count * head.dimension) {
  const Kind& kind = kKinds[head.metric == Metric::l2 ? 1 : 0];
  HEARTH_CHECK(head.metric == kind.metric);
  std::string out(kind.name);
  append(out, static_cast<std::int32_t>(head.dimension));
  append(out, static_cast<std::int64_t>(head.count));
  append(out, kUnused);
  append(out, kUnused);
  append(out, std::uint8_t{1});
  append(out, kind.number);
  append(out, n_missing_);
  HEARTH_CHECK(out.size() == kHeadBytes);
  file_.write(std::as_bytes(std::span(out)));
}

void FlatWriter::write(std::span<const float> vectors) {
  HEARTH_CHECK(vectors.size() <= n_missing_);
  n_missing_ -= vectors.size();
  file_.write(std::as_bytes(vectors));
}

void FlatWriter::commit() {
  HEARTH_CHECK(n_missing_ == 0);
  file_.commit();
}

}  // namespace hearth::retrieval
