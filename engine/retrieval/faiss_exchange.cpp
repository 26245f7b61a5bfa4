#include "engine/retrieval/faiss_exchange.h"

#include <fmt/format.h>

#include "engine/retrieval/faiss_file.h"
#include "engine/retrieval/index_builder.h"
#include "engine/retrieval/refuse.h"

namespace hearth::retrieval {
namespace {

/// Vectors that are read at once.
constexpr std::uint64_t kAtOnce = 1024;

}  // namespace

std::uint64_t import_faiss(const std::filesystem::path& from, const std::filesystem::path& to,
                           const FaissImport& how, const ProgressFn& progress) {
  if (std::filesystem::exists(to)) refuse(to, "exists already", "a new name");
  FlatReader file(from);
  const FlatHead& head = file.head();
  if (how.dimension != 0 && how.dimension != head.dimension) {
    refuse(from, "the embedder's vectors are of another length than those of the file",
           fmt::format("{}", how.dimension), fmt::format("{}", head.dimension));
  }
  if (head.count >= kMostRecords) {
    refuse(from, "there are too many vectors", fmt::format("fewer than {}", kMostRecords),
           fmt::format("{}", head.count));
  }
  IndexBuilder index(
      to, {.layout = {.dimension = head.dimension, .metric = head.metric, .storage = how.storage},
           .embedder = how.embedder});
  for (std::uint64_t i = 0; i < head.count;) {
    report(progress, i, head.count);
    const std::vector<float> values = file.next(kAtOnce);
    for (auto at = values.begin(); at != values.end(); at += head.dimension, ++i) {
      Record record = how.next_record ? how.next_record(i, head.count) : Record{};
      record.key = fmt::format("{:010}", i);
      record.vector.assign(at, at + head.dimension);
      index.add(record);
    }
  }
  index.finish();
  return head.count;
}

std::uint64_t export_faiss(const Index& index, const std::filesystem::path& to,
                           const std::function<void(std::uint64_t number)>& on_record,
                           const ProgressFn& progress) {
  const VectorLayout& layout = index.settings().layout;
  if (layout.dimension == 0) {
    refuse(index.name(), "the index has no vectors", "one that was made with an embedder");
  }
  const Metric metric = layout.metric == Metric::l2 ? Metric::l2 : Metric::inner_product;
  FlatWriter file(to, {.metric = metric, .dimension = layout.dimension, .count = index.size()});
  for (std::uint64_t number = 0; number < index.n_numbers(); ++number) {
    report(progress, number, index.n_numbers());
    if (!index.is_live(number)) continue;
    file.write(index.vector(number));
    if (on_record) on_record(number);
  }
  file.commit();
  return index.size();
}

}  // namespace hearth::retrieval
