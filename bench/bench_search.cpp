// Exact search beside FAISS, on the same vectors:
//   bench_search check [MOST]   the same ids and scores, for up to MOST vectors (100000), and each
//                               reads the other's files; exit 1 if not
//   bench_search speed          100,000 x 768: one query, 1,000 queries; of the machine's ceilings
//   bench_search million        1,000,000 x 384 int8: opening, memory, adding
// README.md says how to read it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.h"
#include "bench/faiss_flat.h"
#include "bench/search_index.h"
#include "bench/search_speed.h"
#include "engine/retrieval/faiss_exchange.h"

namespace hearth::bench {
namespace {

using retrieval::Index;
using retrieval::Metric;
using retrieval::Scored;

constexpr std::size_t kWanted = 10;
constexpr std::size_t kQueries = 16;  // from 20 on, FAISS takes L2 apart and loses digits
constexpr double kTolerance = 1e-5;   // of a score

/// What vector `number` scores, in double.
double exact_score(const Index& index, std::uint64_t number, std::span<const float> query) {
  const std::vector<float> row = index.vector(number);
  double sum = 0.0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    const double x = row[i], y = query[i];
    sum += index.settings().layout.metric == Metric::l2 ? -(x - y) * (x - y) : x * y;
  }
  return sum;
}

/// What is wrong with `ours`, if anything: another length, a score that is off, or another id with
/// a score that is not the same.
std::optional<std::string> difference(const Index& index, std::span<const float> query,
                                      const std::vector<Scored>& ours,
                                      const std::vector<Scored>& theirs) {
  if (ours.size() != theirs.size()) return "another number of results";
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto a = static_cast<double>(ours[i].score), b = static_cast<double>(theirs[i].score);
    if (std::abs(a - b) > kTolerance * std::abs(b)) {
      return fmt::format("rank {}: score {}, FAISS {}", i, a, b);
    }
    if (ours[i].number == theirs[i].number) continue;
    const double mine = exact_score(index, ours[i].number, query);
    const double other = exact_score(index, theirs[i].number, query);
    constexpr double kRounding = 1e-6;
    if (std::abs(mine - other) <= kRounding * std::abs(other)) continue;  // as good as a tie
    return fmt::format("rank {}: id {} ({}), FAISS {} ({})", i, ours[i].number, mine,
                       theirs[i].number, other);
  }
  return std::nullopt;
}

using Found = std::vector<std::vector<Scored>>;

/// What is wrong with files, if anything: an index of what FAISS has written finds `ours` in its
/// vectors, and FAISS finds `theirs` in what the index writes; to the bit, for the vectors are the
/// same.
std::optional<std::string> file_difference(const ScratchFolder& folder, const FaissFlat& faiss,
                                           Metric metric, std::uint32_t d,
                                           std::span<const float> queries, const Found& ours,
                                           const Found& theirs) {
  faiss.write(folder / "faiss");
  std::filesystem::remove(folder / "imported");
  retrieval::import_faiss(folder / "faiss", folder / "imported", {});
  const Index imported(folder / "imported");
  if (imported.nearest(queries, kWanted) != ours) return "FAISS's file is read otherwise";
  retrieval::export_faiss(imported, folder / "exported");
  FaissFlat again(metric, d, 2);
  again.read(folder / "exported");
  if (again.search(queries, kWanted) != theirs) return "FAISS reads our file otherwise";
  return std::nullopt;
}

/// Prints a line. True if all is the same.
bool check(const ScratchFolder& folder, Metric metric, std::size_t n, std::uint32_t d) {
  FaissFlat faiss(metric, d, 2);
  const auto index = make_index(folder / "kb", {.dimension = d, .metric = metric}, n, Random(d), 2,
                                [&](std::span<const float> values) { faiss.add(values); });
  Random random(d, 2);
  const std::vector<float> queries = random_vectors(random, kQueries, d);
  const auto ours = index->nearest(queries, kWanted);
  const auto theirs = faiss.search(queries, kWanted);
  std::size_t same = 0;
  std::string wrong;
  for (std::size_t q = 0; q < kQueries; ++q) {
    const auto query = std::span(queries).subspan(q * d, d);
    for (std::size_t i = 0; i < std::min(ours[q].size(), theirs[q].size()); ++i) {
      same += ours[q][i].number == theirs[q][i].number ? 1 : 0;
    }
    const auto found = difference(*index, query, ours[q], theirs[q]);
    if (found && wrong.empty()) wrong = fmt::format("; query {}: {}", q, *found);
  }
  if (const auto found = file_difference(folder, faiss, metric, d, queries, ours, theirs)) {
    wrong += "; " + *found;
  }
  fmt::print("{:>18} {:>8} x {:<5} {} of {} ids the same, the others ties{}\n", metric_name(metric),
             n, d, same, kQueries * std::min(n, kWanted), wrong);
  std::fflush(stdout);
  return wrong.empty();
}

bool check_all(std::size_t most) {
  if (!has_faiss()) {
    fmt::print("skipped: built without FAISS\n");
    return true;
  }
  const ScratchFolder folder;
  bool is_same = true;
  for (const std::size_t n : {std::size_t{100}, std::size_t{1000}, most}) {
    for (const std::uint32_t d : {1U, 3U, 8U, 17U, 128U, 384U, 768U, 1024U}) {
      for (const Metric metric : {Metric::inner_product, Metric::l2}) {
        is_same = check(folder, metric, n, d) && is_same;
      }
    }
  }
  return is_same;
}

int run(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "check") {
    const std::size_t most = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 100'000;
    return check_all(most) ? 0 : 1;
  }
  if (what == "speed") {
    measure_searches();
  } else if (what == "million") {
    measure_million();
  } else {
    throw Error("usage: bench_search check [MOST] | speed | million");
  }
  return 0;
}

}  // namespace
}  // namespace hearth::bench

int main(int argc, char** argv) {
  try {
    return hearth::bench::run(argc, argv);
  } catch (const hearth::Error& error) {
    fmt::print(stderr, "bench_search: {}\n", error.what());
    return 1;
  }
}
