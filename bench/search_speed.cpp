#include "bench/search_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "bench/faiss_flat.h"
#include "bench/search_index.h"
#include "engine/device/thread_pool.h"
#include "engine/measure/ceilings.h"
#include "kernels/dispatch.h"

namespace hearth::bench {
namespace {

using retrieval::Index;
using retrieval::Metric;
using retrieval::Scored;
using retrieval::Storage;

constexpr std::size_t kVectors = 100'000;
constexpr std::uint32_t kDimension = 768;
constexpr std::size_t kQueries = 1000;
constexpr std::size_t kWanted = 10;
constexpr int kThreads = 2;

using Found = std::vector<std::vector<Scored>>;
using Search = std::function<Found(std::span<const float> queries)>;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Someone who searches: `bytes` are read by one query.
struct Contender {
  std::string name;
  double bytes;
  Search search;
};

/// Rounds in which the ceilings, every contender's single queries and batches take turns.
class Contest {
 public:
  Contest(std::vector<Contender> contenders, std::vector<float> queries)
      : contenders_(std::move(contenders)), queries_(std::move(queries)) {
    figures_.resize(contenders_.size());
  }

  void run(int rounds) {
    for (const Contender& one : contenders_) one.search(query(0));  // checks and maps the file
    for (int round = 0; round < rounds; ++round) {
      const Ceilings ceilings = meter_.measure();
      for (std::size_t i = 0; i < contenders_.size(); ++i) measure(i, ceilings);
      read_.push_back(ceilings.read);
      fma_.push_back(ceilings.fma);
    }
    print();
  }

 private:
  struct Figures {
    std::vector<double> one, read_share, many, fma_share;
  };

  std::span<const float> query(std::size_t q) const {
    return std::span(queries_).subspan(q * kDimension, kDimension);
  }

  void measure(std::size_t i, const Ceilings& ceilings) {
    constexpr std::size_t kSingles = 15;
    const Contender& who = contenders_[i];
    std::vector<double> singles;
    for (std::size_t q = 0; q < kSingles; ++q) {
      singles.push_back(seconds_of([&] { who.search(query(q)); }));
    }
    const double one = median(singles);
    const double many = seconds_of([&] { who.search(queries_); });
    constexpr double kOperations = 2.0 * kVectors * kDimension * kQueries;
    figures_[i].one.push_back(one);
    figures_[i].read_share.push_back(who.bytes / one / ceilings.read);
    figures_[i].many.push_back(many);
    figures_[i].fma_share.push_back(kOperations / many / ceilings.fma);
  }

  void print() const {
    fmt::print("{} x {}, k {}, {} threads: reads {:.1f} GB/s, floats {:.0f} GFLOP/s\n", kVectors,
               kDimension, kWanted, kThreads, median(read_) * 1e-9, median(fma_) * 1e-9);
    fmt::print("{:<10} {:>10} {:>10} {:>15} {:>12}\n", "", "one query", "of reading",
               "1,000 queries", "of floats");
    for (std::size_t i = 0; i < contenders_.size(); ++i) {
      const Figures& f = figures_[i];
      fmt::print("{:<10} {:>7.2f} ms {:>8.1f} % {:>12.3f} s {:>10.1f} %\n", contenders_[i].name,
                 median(f.one) * 1e3, median(f.read_share) * 100, median(f.many),
                 median(f.fma_share) * 100);
    }
  }

  std::vector<Contender> contenders_;
  std::vector<float> queries_;
  std::vector<Figures> figures_;
  std::vector<double> read_, fma_;
  CeilingMeter meter_{kThreads};
};

/// As many multiply-adds as the batch has, on registers alone: what the machine grants for as long
/// as that, where the ceiling is the best of some milliseconds.
Search busy_loop() {
  auto pool = std::make_shared<ThreadPool>(kThreads);
  const kernels::BusyLoop& loop = kernels::best_kernels().busy_fma;
  return [pool, &loop](std::span<const float> queries) -> Found {
    const double operations =
        2.0 * static_cast<double>(kVectors) * static_cast<double>(queries.size());
    const auto rounds =
        static_cast<std::uint64_t>(operations / kThreads / static_cast<double>(loop.operations));
    std::atomic<std::uint64_t> unused = 0;
    pool->run(kThreads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) unused ^= loop.run(rounds);
    });
    return {};
  };
}

/// The share of the best that `found` has.
double recall(const Found& best, const Found& found) {
  std::size_t n = 0, all = 0;
  for (std::size_t q = 0; q < best.size(); ++q) {
    std::set<std::uint64_t> wanted;
    for (const Scored& one : best[q]) wanted.insert(one.number);
    for (const Scored& one : found[q]) n += wanted.count(one.number);
    all += wanted.size();
  }
  return static_cast<double>(n) / static_cast<double>(all);
}

/// A line of /proc/self/status, in MB.
double status_mb(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) / 1024;
  }
  return 0.0;
}

}  // namespace

void measure_searches() {
  const ScratchFolder folder;
  FaissFlat faiss(Metric::inner_product, kDimension, kThreads);
  const auto index_of = [&](const char* name, Storage storage) {
    return make_index(
        folder / name,
        {.dimension = kDimension, .metric = Metric::inner_product, .storage = storage}, kVectors,
        Random(1), kThreads, [&](std::span<const float> values) {
          if (storage == Storage::f32) faiss.add(values);
        });
  };
  const auto f32 = index_of("f32", Storage::f32);
  const auto f16 = index_of("f16", Storage::f16);
  const auto int8 = index_of("int8", Storage::int8);
  const auto searching = [](const Index& index) -> Search {
    return [&index](std::span<const float> queries) { return index.nearest(queries, kWanted); };
  };
  constexpr double kElements = static_cast<double>(kVectors) * kDimension;
  std::vector<Contender> contenders = {{"F32", 4 * kElements, searching(*f32)},
                                       {"F16", 2 * kElements, searching(*f16)},
                                       {"int8", kElements, searching(*int8)}};
  if (has_faiss()) {
    contenders.push_back({"FAISS", 4 * kElements, [&](std::span<const float> queries) {
                            return faiss.search(queries, kWanted);
                          }});
  }
  contenders.push_back({"busy loop", 0.0, busy_loop()});
  Random random(1, 2);
  const std::vector<float> queries = random_vectors(random, kQueries, kDimension);
  Contest(std::move(contenders), queries).run(3);
  fmt::print("int8 has {:.4f} of the best {}\n",
             recall(f32->nearest(queries, kWanted), int8->nearest(queries, kWanted)), kWanted);
}

void measure_million() {
  constexpr std::size_t kMillion = 1'000'000;
  constexpr std::size_t kMore = 10'000;
  constexpr std::uint32_t kD = 384;
  const ScratchFolder folder;
  const auto path = folder / "million";
  const retrieval::VectorLayout layout{.dimension = kD, .storage = Storage::int8};
  Random random(1);
  make_index(path, layout, kMillion, random, kThreads).reset();

  Random others(1, 2);
  const std::vector<float> query = random_vectors(others, 1, kD);
  const std::vector<float> more = random_vectors(others, kMore, kD);
  const double before = status_mb("RssAnon");
  std::unique_ptr<Index> index;
  const double opening = seconds_of(
      [&] { index = std::make_unique<Index>(path, retrieval::Access::write, kThreads); });
  fmt::print("{} x {} int8, {} MB: opened in {:.1f} ms\n", kMillion, kD, index->file_bytes() >> 20,
             opening * 1e3);
  fmt::print("first search {:.1f} ms", seconds_of([&] { index->nearest(query, kWanted); }) * 1e3);
  std::vector<double> next;
  for (int i = 0; i < 9; ++i) next.push_back(seconds_of([&] { index->nearest(query, kWanted); }));
  fmt::print(", the next {:.1f} ms; private memory {:.1f} MB more, mapped {:.0f} MB\n",
             median(next) * 1e3, status_mb("RssAnon") - before, status_mb("RssFile"));
  const double adding = seconds_of([&] {
    for (std::size_t i = 0; i < kMore; ++i) {
      const auto row = std::span(more).subspan(i * kD, kD);
      index->put(
          {.key = fmt::format("more {:09}", i), .text = "", .vector = {row.begin(), row.end()}});
    }
    index->commit();
  });
  fmt::print("{} more: {:.3f} s until they are durable\n", kMore, adding);
}

}  // namespace hearth::bench
