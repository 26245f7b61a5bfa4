// Flat indexes as FAISS writes them (faiss/impl/index_write.cpp): "IxFI" for inner products, "IxF2"
// for squared distances. Vectors only: texts have no place in them. They may be larger than memory,
// so vectors go through some at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "engine/retrieval/record.h"

namespace hearth::retrieval {

struct FlatHead {
  Metric metric = Metric::inner_product;  // not cosine, which FAISS has no number for
  std::uint32_t dimension = 0;
  std::uint64_t count = 0;
};

/// The head of a file of `file_bytes` that begins with `bytes`. Throws Error when it is not such a
/// file, or not as long as it says.
FlatHead parse_flat_head(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                         const std::string& name);

class FlatReader {
 public:
  /// Throws Error.
  explicit FlatReader(const std::filesystem::path& path);

  const FlatHead& head() const { return head_; }

  /// The next vectors, at most n of them: [m][dimension]; none at the end. Throws Error.
  std::vector<float> next(std::uint64_t n);

 private:
  std::string name_;
  std::ifstream file_;
  FlatHead head_;
  std::uint64_t n_read_ = 0;
};

class FlatWriter {
 public:
  FlatWriter(const std::filesystem::path& path, const FlatHead& head);

  /// vectors [m][dimension]; in all as many as the head says.
  void write(std::span<const float> vectors);

  /// Makes the file durable and gives it its name.
  void commit();

 private:
  OutputFile file_;
  std::uint64_t n_missing_;  // numbers
};

}  // namespace hearth::retrieval
