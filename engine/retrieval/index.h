// An index of texts, in one file: their words (BM25), their vectors where there is an embedder, and
// facts to filter by. Exact search, no training, no service. index_format.h has the bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "engine/device/thread_pool.h"
#include "engine/retrieval/index_file.h"
#include "engine/retrieval/record.h"
#include "engine/retrieval/segment.h"
#include "engine/retrieval/segment_writer.h"
#include "engine/retrieval/top_k.h"

namespace hearth::retrieval {

struct IndexSettings {
  VectorLayout layout = {};
  std::string embedder = {};  // fingerprint of who makes the vectors; empty if there are none

  bool operator==(const IndexSettings&) const = default;
};

class Index {
 public:
  /// Makes an empty index. Throws Error if there is a file at `path`.
  static void create(const std::filesystem::path& path, const IndexSettings& settings);

  /// Opens the newest commit. Throws Error when the file is not a whole index, or is being written
  /// by another process. n_threads 0: one per physical core.
  explicit Index(const std::filesystem::path& path, Access access = Access::read,
                 int n_threads = 0);

  /// The same over bytes that outlive it, to read.
  Index(std::span<const std::byte> bytes, std::string name);

  const std::string& name() const { return file_->name(); }
  const IndexSettings& settings() const { return settings_; }
  std::uint64_t size() const { return n_live_; }  // records, of commits
  std::uint64_t n_deleted() const { return deleted_.size() - n_live_; }
  std::uint64_t file_bytes() const { return file_->bytes().size(); }

  /// Whether one of the last two commits is damaged, the newest for all that can be known, and the
  /// other is what is seen.
  bool is_fallback() const { return file_->is_fallback(); }

  /// Throws Error, naming both, if this is not the fingerprint of the index's embedder.
  void check_embedder(const std::string& fingerprint) const;

  // Records by number, 0 .. n_numbers() - 1; some may be deleted.

  std::uint64_t n_numbers() const { return deleted_.size(); }
  bool is_live(std::uint64_t number) const { return !deleted_[number]; }
  RecordView record(std::uint64_t number) const;
  std::vector<float> vector(std::uint64_t number) const;
  std::optional<std::uint64_t> find(std::string_view key) const;

  // Changes. They are seen after commit().

  /// Adds a record, in the place of one with the same key. Throws Error if its vector is not of the
  /// index's dimension, or not finite.
  void put(Record record);

  /// Whether there was one.
  bool remove(std::string_view key);

  std::size_t n_pending() const { return pending_.size(); }

  /// Makes the changes durable, all or none. Throws Error; the file is then as it was.
  void commit();

  /// Whether so much is deleted, or spread over so many commits, that compact() is worth its time.
  bool wants_compaction() const;

  /// Gives the file another name, whatever had it.
  void move_to(const std::filesystem::path& path);

  /// Writes the file anew without what is deleted. Nothing may be pending.
  void compact(const ProgressFn& progress = {});

  // Search. An empty filter lets all pass. The best first; equal scores by number.

  using Filter = std::vector<Condition>;

  /// By vectors: queries [n][dimension]. Scores are inner products, cosines, or less squared
  /// distances.
  std::vector<std::vector<Scored>> nearest(std::span<const float> queries, std::size_t k,
                                           const Filter& filter = {}) const;

  /// By words: BM25 (Robertson and Zaragoza 2009) with k1 = 1.2, b = 0.75 and ln(1 + (N - n + 0.5)
  /// / (n + 0.5)) for a term that n of N records have. Records without a term of the query are not
  /// found.
  std::vector<Scored> best_words(std::string_view query, std::size_t k,
                                 const Filter& filter = {}) const;

  /// What each term of the query adds to the BM25 score of a record of usual length that has it
  /// once; a term that no record has, as much as one that a single record has.
  std::map<std::string, double> word_weights(std::string_view query) const;

  /// Both, fused by rank (fusion.h). Of each, `depth` are looked at.
  std::vector<Scored> best_fused(std::string_view text, std::span<const float> query, std::size_t k,
                                 const Filter& filter = {}, std::size_t depth = 50) const;

 private:
  struct Batch;
  struct FoundTerm;

  void load();
  const Segment& segment_of(std::uint64_t number) const;
  bool passes(std::uint64_t number, const Filter& filter) const;
  void find_candidates(const Batch& batch, std::vector<TopK>& best) const;
  std::vector<TopK> ranked_exactly(const Batch& batch, std::size_t k,
                                   const std::vector<TopK>& candidates) const;
  ThreadPool& pool() const;
  double words_in_all() const;
  std::vector<FoundTerm> look_up(std::string_view query) const;

  std::unique_ptr<IndexFile> file_;
  std::filesystem::path path_;
  int n_threads_ = 0;
  IndexSettings settings_;
  std::vector<Segment> segments_;
  std::vector<bool> deleted_;  // by number
  std::uint64_t n_live_ = 0;
  mutable std::unique_ptr<ThreadPool> pool_;
  mutable std::optional<double> n_words_;

  std::map<std::string, std::optional<Record>, std::less<>> pending_;  // none: to be deleted
};

/// "inner product", "cosine", "squared distance".
std::string_view metric_name(Metric metric);

}  // namespace hearth::retrieval
