#include "bench/faiss_flat.h"

#include <faiss/IndexFlat.h>
#include <faiss/index_io.h>
#include <omp.h>

namespace hearth::bench {

struct FaissFlat::Impl {
  faiss::IndexFlat index;
};

bool has_faiss() {
  return true;
}

FaissFlat::FaissFlat(retrieval::Metric metric, std::size_t dimension, int n_threads)
    : impl_(std::make_unique<Impl>(faiss::IndexFlat(
          static_cast<faiss::Index::idx_t>(dimension),
          metric == retrieval::Metric::l2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT))) {
  omp_set_num_threads(n_threads);
}

FaissFlat::~FaissFlat() = default;

void FaissFlat::add(std::span<const float> vectors) {
  const auto d = static_cast<std::size_t>(impl_->index.d);
  impl_->index.add(static_cast<faiss::Index::idx_t>(vectors.size() / d), vectors.data());
}

void FaissFlat::write(const std::filesystem::path& path) const {
  faiss::write_index(&impl_->index, path.c_str());
}

void FaissFlat::read(const std::filesystem::path& path) {
  const std::unique_ptr<faiss::Index> any(faiss::read_index(path.c_str()));
  impl_->index = dynamic_cast<faiss::IndexFlat&>(*any);
}

std::vector<std::vector<retrieval::Scored>> FaissFlat::search(std::span<const float> queries,
                                                              std::size_t k) const {
  const std::size_t n = queries.size() / static_cast<std::size_t>(impl_->index.d);
  std::vector<float> scores(n * k);
  std::vector<faiss::Index::idx_t> ids(n * k);
  impl_->index.search(static_cast<faiss::Index::idx_t>(n), queries.data(),
                      static_cast<faiss::Index::idx_t>(k), scores.data(), ids.data());
  const float sign = impl_->index.metric_type == faiss::METRIC_L2 ? -1.0F : 1.0F;
  std::vector<std::vector<retrieval::Scored>> found(n);
  for (std::size_t i = 0; i < n * k; ++i) {
    if (ids[i] < 0) continue;  // fewer than k vectors
    found[i / k].push_back({sign * scores[i], static_cast<std::uint64_t>(ids[i])});
  }
  return found;
}

}  // namespace hearth::bench
