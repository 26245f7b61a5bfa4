// An index of random vectors, the same for a seed wherever it is made.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/random.h"
#include "engine/retrieval/index.h"

namespace hearth::bench {

/// A folder that goes with all that is in it.
class ScratchFolder {
 public:
  /// Beside other temporary files (TMPDIR). Throws Error.
  ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();

  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// n vectors of d numbers between -1 and 1.
std::vector<float> random_vectors(Random& random, std::size_t n, std::size_t d);

/// Vectors 0 .. n - 1, drawn from `random`, in an index at `path` that is overwritten; their
/// numbers are their order. `also` gets them, some at a time.
std::unique_ptr<retrieval::Index> make_index(
    const std::filesystem::path& path, const retrieval::VectorLayout& layout, std::size_t n,
    Random random, int n_threads, const std::function<void(std::span<const float>)>& also = {});

}  // namespace hearth::bench
