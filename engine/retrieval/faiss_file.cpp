#include "engine/retrieval/faiss_file.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/output_file.h"

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

  std::span<const std::byte> rest() const { return rest_; }

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

FlatVectors parse_faiss(std::span<const std::byte> bytes, const std::string& name) {
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
  const std::uint64_t n_held = fields.rest().size() / sizeof(float);
  if (n_values > n_held || static_cast<std::uint64_t>(n) > n_held ||
      n_values != static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(dimension)) {
    fields.refuse("the file is cut short, or its counts do not agree",
                  fmt::format("{} vectors of {} numbers", n, dimension),
                  fmt::format("{} numbers, and room for {}", n_values, n_held));
  }
  FlatVectors vectors{.metric = kind->metric,
                      .dimension = static_cast<std::uint32_t>(dimension),
                      .values = std::vector<float>(n_values)};
  if (n_values > 0) {
    std::memcpy(vectors.values.data(), fields.rest().data(), n_values * sizeof(float));
  }
  return vectors;
}

FlatVectors read_faiss(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error({.where = path.string(), .what = "cannot be opened", .expected = {}, .got = {}});
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return parse_faiss(std::as_bytes(std::span(text)), path.string());
}

std::string faiss_bytes(const FlatVectors& vectors) {
  const Kind& kind = kKinds[vectors.metric == Metric::l2 ? 1 : 0];
  HEARTH_CHECK(vectors.metric == kind.metric);
  std::string out(kind.name);
  append(out, static_cast<std::int32_t>(vectors.dimension));
  append(out, static_cast<std::int64_t>(vectors.count()));
  append(out, kUnused);
  append(out, kUnused);
  append(out, std::uint8_t{1});
  append(out, kind.number);
  append(out, static_cast<std::uint64_t>(vectors.values.size()));
  out.append(reinterpret_cast<const char*>(vectors.values.data()),
             vectors.values.size() * sizeof(float));
  return out;
}

void write_faiss(const std::filesystem::path& path, const FlatVectors& vectors) {
  OutputFile out(path);
  const std::string bytes = faiss_bytes(vectors);
  out.write(std::as_bytes(std::span(bytes)));
  out.commit();
}

}  // namespace hearth::retrieval
