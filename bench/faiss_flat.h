// FAISS's exact indexes as a yardstick, if the build has them (Debian: libfaiss-dev).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "engine/retrieval/record.h"
#include "engine/retrieval/top_k.h"

namespace hearth::bench {

bool has_faiss();

/// IndexFlatIP, or IndexFlatL2 for squared distances. Without FAISS it does nothing.
class FaissFlat {
 public:
  /// Works on n_threads from here on.
  FaissFlat(retrieval::Metric metric, std::size_t dimension, int n_threads);
  FaissFlat(const FaissFlat&) = delete;
  FaissFlat& operator=(const FaissFlat&) = delete;
  ~FaissFlat();

  /// vectors [n][dimension]
  void add(std::span<const float> vectors);

  /// A file as FAISS's own functions write and read it.
  void write(const std::filesystem::path& path) const;
  void read(const std::filesystem::path& path);

  /// The k best for each of queries [n][dimension]: scores as an Index has them, so less the
  /// squared distance for L2.
  std::vector<std::vector<retrieval::Scored>> search(std::span<const float> queries,
                                                     std::size_t k) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::bench
