// Flat indexes as FAISS writes them (faiss/impl/index_write.cpp): "IxFI" for inner products, "IxF2"
// for squared distances. Vectors only: texts have no place in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/retrieval/record.h"

namespace hearth::retrieval {

struct FlatVectors {
  Metric metric = Metric::inner_product;
  std::uint32_t dimension = 0;
  std::vector<float> values = {};  // [n][dimension]

  std::size_t count() const { return dimension == 0 ? 0 : values.size() / dimension; }
};

/// Throws Error when the bytes are not such a file, or not a whole one.
FlatVectors parse_faiss(std::span<const std::byte> bytes, const std::string& name);
FlatVectors read_faiss(const std::filesystem::path& path);

/// `vectors` is not of the metric cosine, which FAISS has no number for.
std::string faiss_bytes(const FlatVectors& vectors);
void write_faiss(const std::filesystem::path& path, const FlatVectors& vectors);

}  // namespace hearth::retrieval
