#include "bench/faiss_flat.h"

namespace hearth::bench {

struct FaissFlat::Impl {};

bool has_faiss() {
  return false;
}

FaissFlat::FaissFlat(retrieval::Metric, std::size_t, int) {}

FaissFlat::~FaissFlat() = default;

void FaissFlat::add(std::span<const float>) {}

void FaissFlat::write(const std::filesystem::path&) const {}

void FaissFlat::read(const std::filesystem::path&) {}

std::vector<std::vector<retrieval::Scored>> FaissFlat::search(std::span<const float>,
                                                              std::size_t) const {
  return {};
}

}  // namespace hearth::bench
