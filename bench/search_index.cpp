#include "bench/search_index.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace hearth::bench {

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "hearth-bench-XXXXXX").string();
  if (!mkdtemp(name.data())) {
    throw Error({.where = name,
                 .what = "a folder for the benchmark cannot be made",
                 .expected = "room beside other temporary files; TMPDIR says where",
                 .got = std::strerror(errno)});
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<float> random_vectors(Random& random, std::size_t n, std::size_t d) {
  std::vector<float> values(n * d);
  for (float& v : values)
    v = static_cast<float>(static_cast<std::int32_t>(random.bits32())) * 0x1p-31F;
  return values;
}

std::unique_ptr<retrieval::Index> make_index(
    const std::filesystem::path& path, const retrieval::VectorLayout& layout, std::size_t n,
    Random random, int n_threads, const std::function<void(std::span<const float>)>& also) {
  std::filesystem::remove(path);
  retrieval::Index::create(path, {.layout = layout, .embedder = "random numbers"});
  auto index = std::make_unique<retrieval::Index>(path, retrieval::Access::write, n_threads);
  constexpr std::size_t kAtOnce = 1 << 17;
  const std::size_t d = layout.dimension;
  for (std::size_t first = 0; first < n; first += kAtOnce) {
    const std::size_t here = std::min(kAtOnce, n - first);
    const std::vector<float> values = random_vectors(random, here, d);
    if (also) also(values);
    for (std::size_t i = 0; i < here; ++i) {
      const auto row = std::span(values).subspan(i * d, d);
      // Records of a commit are numbered in the order of their keys.
      index->put(
          {.key = fmt::format("{:09}", first + i), .text = "", .vector = {row.begin(), row.end()}});
    }
    index->commit();
  }
  return index;
}

}  // namespace hearth::bench
