// The searches of an Index.
#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "base/error.h"
#include "engine/retrieval/fusion.h"
#include "engine/retrieval/index.h"
#include "engine/retrieval/vector_scores.h"
#include "engine/retrieval/words.h"

namespace hearth::retrieval {
namespace {

/// Queries whose scores of a block are kept at once.
constexpr std::size_t kBatchQueries = 96;

/// Rows that a thread takes at once: so few that all queries look at them while they are near, or
/// for a query alone so many that memory is read in long streams.
std::size_t rows_of_a_block(std::size_t n_queries) {
  constexpr std::size_t kFewQueries = 6;
  return n_queries < kFewQueries ? 1024 : 192;
}

/// Scores that are looked at together: most of them are not among the best, and that is seen with
/// one comparison for several.
constexpr std::size_t kScoresAtOnce = 32;

bool any_reaches(std::span<const float, kScoresAtOnce> scores, float lowest) {
  int n = 0;
  for (const float score : scores) n += score >= lowest ? 1 : 0;
  return n > 0;
}

// Of BM25.
constexpr double kK1 = 1.2;
constexpr double kB = 0.75;

}  // namespace

/// Queries on their way through the rows of all segments.
struct Index::Batch {
  std::vector<PreparedQueries> groups;  // of kBatchQueries
  std::size_t n_queries;
  std::size_t n_wanted;  // of each
  const Filter& filter;
};

void Index::find_candidates(const Batch& batch, std::vector<TopK>& best) const {
  struct Block {
    const Segment* segment;
    StoredRows rows;
    std::size_t first, n;
  };
  const std::size_t block_rows = rows_of_a_block(batch.n_queries);
  std::vector<Block> blocks;
  for (const Segment& segment : segments_) {
    const StoredRows rows{.vectors = segment.section<std::byte>(SectionKind::vectors).data(),
                          .scales = segment.section<float>(SectionKind::scales).data(),
                          .norms = segment.section<float>(SectionKind::norms).data()};
    const auto n = static_cast<std::size_t>(segment.n_records());
    if (!batch.filter.empty()) segment.section<std::uint64_t>(SectionKind::offsets);
    for (std::size_t first = 0; first < n; first += block_rows) {
      blocks.push_back({&segment, rows, first, std::min(block_rows, n - first)});
    }
  }
  const auto keep = [&](std::span<const float> scores, std::uint64_t first_number, TopK& top) {
    for (std::size_t first = 0; first < scores.size(); first += kScoresAtOnce) {
      const std::size_t last = std::min(first + kScoresAtOnce, scores.size());
      if (top.has_floor() && last - first == kScoresAtOnce) {
        const auto some = scores.subspan(first).first<kScoresAtOnce>();
        if (!any_reaches(some, top.floor())) continue;
      }
      for (std::size_t i = first; i < last; ++i) {
        const Scored one{scores[i], first_number + i};
        if (!top.would_hold(one) || deleted_[one.number]) continue;
        if (passes(one.number, batch.filter)) top.add(one);
      }
    }
  };
  std::mutex merging;
  const auto work = [&](std::int64_t first, std::int64_t last) {
    std::vector<TopK> mine(batch.n_queries, TopK(batch.n_wanted));
    std::vector<float> scores(block_rows * std::min(kBatchQueries, batch.n_queries));
    std::vector<std::int32_t> sums;
    for (std::int64_t b = first; b < last; ++b) {
      const Block& block = blocks[static_cast<std::size_t>(b)];
      TopK* best_of = mine.data();
      for (const PreparedQueries& group : batch.groups) {
        const std::span<float> room = std::span(scores).first(block.n * group.count);
        score_rows(settings_.layout, block.rows, block.first, block.n, group, room, sums);
        for (std::size_t q = 0; q < group.count; ++q, ++best_of) {
          keep(room.subspan(q * block.n, block.n), block.segment->first_record() + block.first,
               *best_of);
        }
      }
    }
    const std::lock_guard lock(merging);
    for (std::size_t q = 0; q < mine.size(); ++q) best[q].add(mine[q]);
  };
  pool().run(static_cast<std::int64_t>(blocks.size()), work);
}

std::vector<TopK> Index::ranked_exactly(const Batch& batch, std::size_t k,
                                        const std::vector<TopK>& candidates) const {
  for (const Segment& segment : segments_) {  // not by several threads at once
    segment.section<std::uint32_t>(SectionKind::exact_hashes);
  }
  std::vector<std::pair<std::size_t, Scored>> all;  // with the query's number
  for (std::size_t q = 0; q < candidates.size(); ++q) {
    for (const Scored& one : candidates[q].unsorted()) all.emplace_back(q, one);
  }
  pool().run(static_cast<std::int64_t>(all.size()), [&](std::int64_t first, std::int64_t last) {
    for (auto& [q, one] : std::span(all).subspan(static_cast<std::size_t>(first),
                                                 static_cast<std::size_t>(last - first))) {
      const Segment& segment = segment_of(one.number);
      one.score =
          exact_score(settings_.layout.metric, segment.exact(one.number - segment.first_record()),
                      batch.groups[q / kBatchQueries].of(q % kBatchQueries));
    }
  });
  std::vector<TopK> best(candidates.size(), TopK(k));
  for (const auto& [q, one] : all) best[q].add(one);
  return best;
}

ThreadPool& Index::pool() const {
  if (!pool_) {
    pool_ = std::make_unique<ThreadPool>(n_threads_ > 0 ? n_threads_ : default_thread_count());
  }
  return *pool_;
}

std::vector<std::vector<Scored>> Index::nearest(std::span<const float> queries, std::size_t k,
                                                const Filter& filter) const {
  const std::size_t d = settings_.layout.dimension;
  if (d == 0) check_embedder("a search by vectors");
  if (queries.size() % d != 0) {
    throw Error({.where = name(),
                 .what = "the query's vector is not as long as those of the index",
                 .expected = std::to_string(d),
                 .got = std::to_string(queries.size())});
  }
  for (const float v : queries) {
    if (std::isfinite(v)) continue;
    throw Error({.where = name(),
                 .what = "the query's vector is not finite",
                 .expected = "finite numbers",
                 .got = std::to_string(v)});
  }
  const bool is_int8 = settings_.layout.storage == Storage::int8;
  constexpr std::size_t kLeastCandidates = 100;
  Batch batch{.groups = {},
              .n_queries = queries.size() / d,
              .n_wanted = is_int8 ? std::max(10 * k, kLeastCandidates) : k,
              .filter = filter};
  for (std::size_t q = 0; q < batch.n_queries; q += kBatchQueries) {
    const std::size_t n = std::min(kBatchQueries, batch.n_queries - q);
    batch.groups.push_back(prepare_queries(settings_.layout, queries.subspan(q * d, n * d)));
  }
  std::vector<TopK> best(batch.n_queries, TopK(batch.n_wanted));
  find_candidates(batch, best);
  if (is_int8) best = ranked_exactly(batch, k, best);
  std::vector<std::vector<Scored>> out;
  for (const TopK& one : best) out.push_back(one.sorted());
  return out;
}

double Index::words_in_all() const {
  if (n_words_) return *n_words_;
  double sum = 0.0;
  for (const Segment& segment : segments_) {
    sum += static_cast<double>(segment.n_words());
    if (n_deleted() == 0) continue;
    const auto lengths = segment.section<std::uint32_t>(SectionKind::lengths);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      if (deleted_[segment.first_record() + i]) sum -= static_cast<double>(lengths[i]);
    }
  }
  n_words_ = sum;
  return sum;
}

/// A term of a query, and the records that have it.
struct Index::FoundTerm {
  std::string term;
  double weight;  // how often it is in the query, times its idf
  std::vector<std::pair<std::uint64_t, double>> records;  // number, what its count gives
};

std::vector<Index::FoundTerm> Index::look_up(std::string_view query) const {
  std::map<std::string, double> terms;  // how often each is in the query
  for (std::string& term : terms_of(query)) terms[std::move(term)] += 1.0;
  const auto n_all = static_cast<double>(n_live_);
  const double mean_length = n_live_ > 0 ? std::max(words_in_all(), 1.0) / n_all : 1.0;
  std::vector<FoundTerm> all;
  for (const auto& [term, times] : terms) {
    FoundTerm found{.term = term, .weight = 0.0, .records = {}};
    for (const Segment& segment : segments_) {
      const auto postings = segment.postings(term);
      if (postings.empty()) continue;
      const auto lengths = segment.section<std::uint32_t>(SectionKind::lengths);
      for (const Segment::Posting& posting : postings) {
        const std::uint64_t number = segment.first_record() + posting.record;
        if (deleted_[number]) continue;
        const double tf = posting.count;
        const double length = lengths[posting.record];
        const double full = tf + kK1 * (1 - kB + kB * length / mean_length);
        found.records.emplace_back(number, tf * (kK1 + 1) / full);
      }
    }
    const auto n = std::max<double>(1.0, static_cast<double>(found.records.size()));
    found.weight = times * std::log(1.0 + (n_all - n + 0.5) / (n + 0.5));
    all.push_back(std::move(found));
  }
  return all;
}

std::map<std::string, double> Index::word_weights(std::string_view query) const {
  std::map<std::string, double> weights;
  for (FoundTerm& found : look_up(query)) weights[std::move(found.term)] = found.weight;
  return weights;
}

std::vector<Scored> Index::best_words(std::string_view query, std::size_t k,
                                      const Filter& filter) const {
  std::map<std::uint64_t, double> scores;
  for (const FoundTerm& term : look_up(query)) {
    for (const auto& [number, part] : term.records) scores[number] += term.weight * part;
  }
  TopK best(k);
  for (const auto& [number, score] : scores) {
    const Scored one{static_cast<float>(score), number};
    if (best.would_hold(one) && passes(number, filter)) best.add(one);
  }
  return best.sorted();
}

std::vector<Scored> Index::best_fused(std::string_view text, std::span<const float> query,
                                      std::size_t k, const Filter& filter,
                                      std::size_t depth) const {
  depth = std::max(depth, k);
  const std::vector<Scored> rankings[] = {nearest(query, depth, filter).front(),
                                          best_words(text, depth, filter)};
  return fuse(rankings, k);
}

}  // namespace hearth::retrieval
